"""Durable writes: whole or not at all, and gone after a power cut unless they were synced."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_runner.ground.disk import Disk, storage_errors, sync_content, sync_names, write_all
from agent_runner.model.errors import StorageError
from tests.support.lossy import LossyDisk


def test_all_bytes_go_through_a_pipe_that_takes_few_at_a_time() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    content = bytes(range(256)) * 4096  # more than a pipe holds
    with pytest.raises(BlockingIOError):
        write_all(writing, content)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        took = file.read()
    assert content.startswith(took)
    assert len(took) > 1


def test_files_and_folders_can_be_synced(tmp_path: Path) -> None:
    for path, sync in ((tmp_path / "file", sync_content), (tmp_path, sync_names)):
        flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
        descriptor = os.open(path, flags)
        sync(descriptor)
        os.close(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            sync(descriptor)


@pytest.mark.parametrize(("durable", "left"), [(True, b"new"), (False, b"old")])
def test_only_a_durable_file_outlives_a_power_cut(
    tmp_path: Path, durable: bool, left: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    disk = LossyDisk(tmp_path)
    disk.write_file(file, b"new", durable=durable)
    assert file.read_bytes() == b"new"
    disk.power_cut()
    assert file.read_bytes() == left


def test_a_file_is_private_unless_asked_otherwise(tmp_path: Path) -> None:
    Disk().write_file(tmp_path / "mine", b"x")
    Disk().write_file(tmp_path / "ours", b"x", mode=0o644)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("mine", "ours")]
    assert modes == [0o600, 0o644]


class NoSpace(Disk):
    def write(self, descriptor: int, content: bytes) -> None:
        super().write(descriptor, content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")


class NoRename(Disk):
    def replace(self, temporary: Path, path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize(
    ("disk", "reason"),
    [(NoSpace, "the disk is full"), (NoRename, "the file system is read-only")],
)
def test_a_refused_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, disk: Callable[[], Disk], reason: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(StorageError, match=f"cannot write {file}: {reason}"), storage_errors(file):
        disk().write_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
