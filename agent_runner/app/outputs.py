"""Reports that are written where a person says: no other file of theirs is overwritten."""

from pathlib import Path

from agent_runner.model.errors import UsageError

_HEAD = 4096
"""Bytes from a file's beginning within which it has to show that it is a report."""


def refuse_other_files(option: str, file: Path, mark: str) -> None:
    """Refuse a file that is there, is not empty, and is no earlier report.

    `mark`: what stands near the beginning of every such report. Raises UsageError; what cannot be
    read, and what is no plain file (a pipe, a terminal), is for the writing to fail on.
    """
    if file.is_dir():
        raise UsageError(f"{option} {file} is a folder", fix="name a file in it")
    if not file.is_file():
        return
    try:
        with file.open("rb") as there:
            head = there.read(_HEAD)
    except OSError:
        return
    if head.strip() and mark.encode() not in head:
        raise UsageError(
            f"{option} {file} is a file of another kind, and would be overwritten",
            fix="name a new file, or move that one away",
        )
