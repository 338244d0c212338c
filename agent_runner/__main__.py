"""`python -m agent_runner`, the same as `agent-runner`."""

from agent_runner.cli import main

if __name__ == "__main__":
    main()
