"""Repositories made by chance, and a reader that finds its way by what it was shown alone.

Nothing of the answer is known to it but a name: it searches, reads what it found, pages on where it
is told to, and drafts. What it must come to is known to the test.
"""

import re
from pathlib import Path

import pytest

from agent_runner.edits.edit import Reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.looking.drafts import with_drafts
from agent_runner.looking.toolbox import Answered, ToolState
from tests.looking.scene import Scene, call
from tests.support.repositories import made

_HIT = re.compile(r"^ *(\d+): (.*)$")
_REST = re.compile(r"ask with start_line (\d+)\]")


class Reader:
    """Asks one thing after the other, keeps its state, and counts what it was told."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.state, self.characters = scene, ToolState(), 0

    def ask(self, name: str, **arguments: object) -> str:
        answered: Answered = self.scene.toolbox.answer([call(name, arguments)], self.state)
        self.state = answered.state
        self.characters += len(answered.answers[0].text)
        return answered.answers[0].text

    def hits(self, pattern: str, path: str = ".") -> list[tuple[str, int, str]]:
        """File, line and text of each match that is shown."""
        found, file = [], ""
        for line in self.ask("search", pattern=pattern, path=path).splitlines()[1:]:
            if hit := _HIT.match(line):
                found.append((file, int(hit[1]), hit[2]))
            else:
                file = line.partition("  [")[0]
        return found

    def whole(self, path: str) -> str:
        """A file, page by page."""
        text, start = "", 1
        while start:
            page = self.ask("read_file", path=path, start_line=start)
            rest = _REST.search(page)
            body = page.partition("\n")[2]
            text += body.rpartition("[lines")[0] if rest else body
            start = int(rest[1]) if rest else 0
        return text


@pytest.mark.parametrize("seed", range(20))
def test_a_reader_finds_the_place_mends_it_and_changes_nothing_else(
    tmp_path: Path, seed: int
) -> None:
    repo, name, files = made(tmp_path / "root", seed)
    reader = Reader(Scene.of(repo.root))
    ((path, line, _),) = reader.hits(rf"def {name}\b")
    callers = {file for file, _, text in reader.hits(rf"\b{name}\(") if "def " not in text}
    assert callers == {file for file, text in files.items() if f"print({name}(" in text}
    page = reader.ask("read_file", path=path, start_line=line, end_line=line + 1)
    old = page.partition("\n")[2]
    assert reader.whole(path) == files[path]
    told = reader.ask("edit_file", path=path, old_text=old, new_text=old.replace("a - 1", "a"))
    assert told.startswith("fits: "), told
    if seed % 2:
        to = f"moved/{path.rpartition('/')[2]}"
        assert reader.ask("move_file", path=path, to=to).startswith("fits: ")
        assert [file for file, _, _ in reader.hits(rf"def {name}\b")] == [to]
    assert name in reader.ask("git_log", path=path)
    planned = plan(with_drafts(Reply(), reader.state.drafts), repo.root, reader.scene.toolbox.rules)
    assert isinstance(planned, Planned)
    assert {change.path for change in planned.change_set.changes} <= {
        path,
        f"moved/{Path(path).name}",
    }
    (after,) = (one.after for one in planned.change_set.changes if one.after.sha256)
    assert planned.blobs[after.sha256].decode() == files[path].replace("a - 1", "a")


@pytest.mark.parametrize("seed", range(100, 104))
def test_a_cause_that_only_history_knows_is_found(tmp_path: Path, seed: int) -> None:
    repo, name, files = made(tmp_path / "root", seed)
    path = next(file for file, text in files.items() if f"def {name}" in text)
    repo.write(
        path,
        files[path].replace(f"def {name}(a):\n    return a - 1", f"def {name}(a):\n    return a"),
    )
    repo.commit_all("Return what is given")
    reader = Reader(Scene.of(repo.root))
    log = reader.ask("git_log", pattern="what is given")
    commit = log.splitlines()[1].split()[0]
    diff = reader.ask("git_diff", from_revision=f"{commit}~1", to_revision=commit)
    assert "-    return a - 1  # off by one\n+    return a  # off by one\n" in diff
    assert path in diff
