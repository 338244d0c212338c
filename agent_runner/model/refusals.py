"""Words for what a disk refuses, the same wherever the program meets it."""

import errno
from pathlib import Path

from agent_runner.model.errors import StorageError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.EIO: "the disk reports an input/output error",
    errno.EFBIG: "the file size limit is reached",
}


def reason_of(error: OSError) -> str:
    """Why the system refused, in words for people."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def refused(path: Path, error: OSError) -> StorageError:
    """The error that says which file could not be written, why, and what to do."""
    return StorageError(
        f"cannot write {path}: {reason_of(error)}",
        fix="make room or mend the permissions, then: agent-runner resume",
    )
