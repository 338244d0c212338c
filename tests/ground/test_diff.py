"""What of a diff is shown to those who may not see every file."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.diff import concealed, diff
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind

SECRET = b"hunter2\n"


class Blobs:
    """Contents by a name that stands for a hash."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents

    def get(self, sha256: str) -> bytes:
        return self.contents[sha256]


def patch(*paths: str) -> str:
    """A diff that puts another line in place of a secret in each file."""
    old, new = (Image(Kind.FILE, 0o644, name) for name in ("old", "new"))
    changes = [FileChange(path, old, new) for path in paths]
    made = FileChange("made.txt", ABSENT, new)
    blobs = Blobs(old=b"one\n" + SECRET, new=b"one\ndiff --git a/x b/x\n")
    return diff(ChangeSet("c", (*changes, made)), blobs).decode()


@pytest.mark.parametrize(
    "path", [".env", "a b/c d.env", 'quo"te.env', "caf\xe9/\u4e2d.env", "back\\slash.env"]
)
def test_what_a_hidden_file_holds_is_left_out_and_nothing_else(path: str) -> None:
    asked: list[tuple[str, str]] = []

    def hides(name: str, text: str) -> bool:
        asked.append((name, text))
        return name.endswith(".env")

    shown = concealed(patch("before.py", path, "after.py"), hides)
    assert shown.count("-hunter2") == 2
    assert "is not shown: it may hold a secret" in shown
    assert [name for name, _ in asked] == ["before.py", path, "after.py", "made.txt"]
    assert "hunter2" in asked[1][1].splitlines()
    assert shown.replace("[what", "").count("diff --git") == 4 + 3  # and three lines of contents


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/\n"), min_size=1))
def test_every_path_is_read_as_it_was_written(path: str) -> None:
    seen: list[str] = []

    def hides(name: str, _text: str) -> bool:
        seen.append(name)
        return False

    text = patch(path)
    assert concealed(text, hides) == text
    assert seen == [path, "made.txt"]
