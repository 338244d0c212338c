"""The command `agent-runner`, also as `python -m agent_runner`."""

import os
import sys

from agent_runner import __version__


def main() -> None:
    """Run the command line and exit with its code.

    Scripts ask for the version just to see what is installed, so it is answered before anything
    else is imported: the option parser alone takes four times as long as Python does to start.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        _print_version()
        return
    import signal  # lazy: with the `enum` that it needs, it takes a third as long as Python's start

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # until a command begins there is nothing to save: Ctrl+C ends the imports without a trace
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from agent_runner import cli

    cli.main()


def _print_version() -> None:
    try:
        print(f"agent-runner {__version__}", flush=True)  # noqa: T201  # what was asked for
    except BrokenPipeError:  # nobody reads it; a normal exit would flush once more and complain
        os._exit(141)
    except OSError:  # the disk is full
        os._exit(74)


if __name__ == "__main__":
    main()
