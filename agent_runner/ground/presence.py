"""Whether something lies at a path, where a wrong "no" would pass over what a person wrote."""

from pathlib import Path


def may_be_there(path: Path) -> bool:
    """Whether anything is at `path`, or cannot be kept from being there.

    True also for a folder, a pipe, a broken link and what lies in a folder that may not be entered:
    whoever opens it then says what is wrong, where `is_file` would take it for missing or raise.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def is_file(path: Path) -> bool:
    """Whether `path` is a file, or a link to one; what cannot be looked at is none.

    A pipe is none: whoever opened it would wait for ever.
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
