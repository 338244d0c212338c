"""The command `agent-runner`, also as `python -m agent_runner`."""

import os
import sys

from agent_runner import __version__


def main() -> None:
    """Run the command line and exit with its code.

    Scripts ask for the version just to see what is installed, so it is answered before anything
    else is imported: the option parser alone takes four times as long as Python does to start.
    """
    if sys.argv[1:] == ["--version"]:
        _print_version()
        return
    from agent_runner import cli

    cli.main()


def _print_version() -> None:
    try:
        print(f"agent-runner {__version__}", flush=True)  # noqa: T201  # what was asked for
    except OSError:  # nobody reads it; a normal exit would flush once more and complain
        os._exit(141)


if __name__ == "__main__":
    main()
