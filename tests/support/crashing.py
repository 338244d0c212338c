"""A small real project to be killed in, what an undisturbed run of it leaves, and how both compare.

Replay answers and hooks of `sh` alone, so that a run takes about a second. Every hook keeps a line
of its beginning and its end beside the project, where no kill of the runner can take it back.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.store.store import read_entries, read_state
from tests.support.forks import run_forked
from tests.workspace.repos import Repo

ROOT = Path(__file__).parents[2]

CONFIG = """\
provider: replay
providers:
  replay: {replies: ./replies}
hooks:
  ready: sh tools/hook ready
  first: sh tools/hook first
  second: sh tools/hook second
  third: sh tools/hook third
apply: {protect: ["tools/**"]}
"""

TASKS = """\
tasks:
  - {id: T1, title: Begin, description: Several files., path: ./work,
     pre_hooks: [ready], post_hooks: [first]}
  - {id: T2, title: Go on, description: Right at the second attempt., path: ./work,
     pre_hooks: [ready], post_hooks: [first, second], depends_on: [T1]}
  - {id: T3, title: End, description: One edit is corrected., path: ./work,
     post_hooks: [first, second, third], depends_on: [T2]}
"""

HOOK = """\
# a hook of builtins alone: keeps count, then judges
echo "$1 $AGENT_RUNNER_TASK $AGENT_RUNNER_ATTEMPT begun" >> ../../hooks.log
read_word() { word=; read -r word < "$1"; }
red() { echo "$1"; echo "$hook $AGENT_RUNNER_TASK red" >> ../../hooks.log; exit 1; }
hook=$1
case $hook in
  first)
    read_word src/alpha.txt 2> /dev/null; [ "$word" = alpha ] || red "no alpha"
    [ -f src/deep/er/beta.txt ] || red "no beta"; read_word old.txt
    [ "$word" = new ] || red "old.txt is old";;
  second)
    read_word src/gamma.txt 2> /dev/null; [ "$word" = gamma ] || red "gamma is $word"
    [ ! -e doomed.txt ] || red "doomed stands";;
  third)
    read_word src/delta.txt 2> /dev/null; [ "$word" = delta ] || red "no delta"
    read_word src/alpha.txt;;
esac
echo "$hook $AGENT_RUNNER_TASK $AGENT_RUNNER_ATTEMPT ended" >> ../../hooks.log
"""

LOOK = "I look first.\n\n```show\nold.txt\n```\n"

SEVERAL = """\
src/alpha.txt
```
alpha
one
```

src/deep/er/beta.txt
```
beta
```

src/epsilon.txt
```
epsilon
```

old.txt
```
<<<<<<< SEARCH
old
=======
new
>>>>>>> REPLACE
```
"""

WRONG = "src/gamma.txt\n```\ngrammar\n```\n\nsrc/epsilon.txt\n```\nepsilon\nmore\n```\n"

RIGHT = """\
src/gamma.txt
```
gamma
```

```diff
--- a/doomed.txt
+++ /dev/null
@@ -1 +0,0 @@
-doomed
```
"""

MISSED = """\
src/delta.txt
```
delta
```

src/alpha.txt
```
<<<<<<< SEARCH
omega
=======
omicron
>>>>>>> REPLACE
```
"""

CORRECTED = """\
src/alpha.txt
```
<<<<<<< SEARCH
one
=======
two
>>>>>>> REPLACE
```
"""

FILES: Mapping[str, str] = {
    "agent-runner.yml": CONFIG,
    "tasks.yml": TASKS,
    "work/tools/hook": HOOK,
    "work/old.txt": "old\nand more\n",
    "work/doomed.txt": "doomed\n",
    "replies/T1/1.md": LOOK,
    "replies/T1/2.md": SEVERAL,
    "replies/T2/1.md": WRONG,
    "replies/T2/2.md": RIGHT,
    "replies/T3/1.md": MISSED,
    "replies/T3/2.md": CORRECTED,
}

ONE_TASK: Mapping[str, str] = {
    **FILES,
    "tasks.yml": "tasks:\n" + TASKS.partition("tasks:\n")[2].partition("  - {id: T2")[0],
}
"""The same with T1 alone, for what needs no more."""

COMMITS: Mapping[str, str] = {**FILES, "agent-runner.yml": f"{CONFIG}git: {{commit: task}}\n"}
"""The same with a commit for each task."""

BRANCHES: Mapping[str, str] = {
    **FILES,
    "agent-runner.yml": f"{CONFIG}git: {{commit: task, branch: task}}\n",
}
"""The same with each commit on a branch of its own."""

WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "N"), ("EMAIL", "e@example.com"))
}

Moves = tuple[tuple[str, str, str], ...]


@frozen
class Outcome:
    """All that must be the same however often the run was killed.

    tree: every file's mode and content by path; moves: task, event and new state, in order;
    attempts and failures by task; hooks, calls: how often each hook's end and each answered call
    stands in the journal.
    """

    tree: Mapping[str, tuple[int, bytes]]
    moves: Moves
    counts: Mapping[str, tuple[str, int, int]]
    hooks: Mapping[tuple[object, ...], int]
    calls: Mapping[tuple[object, ...], int]


@frozen
class Reference:
    """An undisturbed run: what it left, and how many seconds it took."""

    outcome: Outcome
    seconds: float


@frozen
class CrashProject:
    """The project in `folder`/project; `state` may lie elsewhere."""

    folder: Path
    state: Path
    extra: Mapping[str, str] = field(factory=dict)

    @classmethod
    def write(
        cls,
        folder: Path,
        *,
        files: Mapping[str, str] = FILES,
        state: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> "CrashProject":
        """Write the project's files; `files` of None stay out."""
        for name, content in files.items():
            path = folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (folder / "home").mkdir(exist_ok=True)
        return cls(folder, state or folder / "project" / ".agent-runner", env or {})

    @property
    def root(self) -> Path:
        """Where the task list is."""
        return self.folder / "project"

    @property
    def env(self) -> dict[str, str]:
        """What the program runs in: nothing of the user's own, and a check after every entry."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AGENT_RUNNER_PARANOID": "1",
            "LC_ALL": "C.UTF-8",
            **self.extra,
        }

    def command(self, *words: str) -> list[str]:
        """The program's command line."""
        return [sys.executable, "-m", "agent_runner", *words]

    def start(self, *words: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the program; `before`: words in front of it (strace, prlimit, ...)."""
        return subprocess.Popen(
            [*before, *self._with_state(words)],
            cwd=self.root,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(
        self,
        *words: str,
        before: Sequence[str] = (),
        kill_at: tuple[int, Path] | None = None,
    ) -> tuple[int, str]:
        """Run the program to its end: exit code and everything it printed.

        `before`: words in front of it. `kill_at`: as in `run_forked`.
        """
        if not before:
            done = run_forked(
                self._with_state(words)[len(self.command()) :],
                cwd=self.root,
                env=self.env,
                merged=True,
                kill_at=kill_at,
                timeout=120,
            )
            return done.returncode, done.stdout
        child = self.start(*words, before=before)
        try:
            printed, _ = child.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise
        return child.returncode, printed

    def go_on(self) -> tuple[int, str]:
        """`resume`; or `run`, where the kill came before the first entry."""
        begun = any(True for _ in self.entries())
        return self.run("resume" if begun else "run")

    def entries(self) -> Iterator[Entry]:
        """All of the journal."""
        return read_entries(self.state)

    def states(self) -> dict[str, str]:
        """Each task's state."""
        state, _ = read_state(self.state)
        return {task: record.state.value for task, record in sorted(state.tasks.items())}

    def outcome(self) -> Outcome:
        """What stands now."""
        state, _ = read_state(self.state)
        entries = list(self.entries())
        counts = {
            r.id: (r.state.value, r.counts.attempts, r.counts.failures)
            for r in sorted(state.tasks.values(), key=lambda r: r.id)
        }
        return Outcome(
            tree_of(self.root, leave_out=self.state),
            tuple((x.task, type(x.event).__name__, x.to.value) for x in entries if x.to),
            counts,
            Counter(
                (x.task, x.event.phase.value, x.event.attempt, x.event.result.hook)
                for x in entries
                if isinstance(x.event, e.HookFinished)
            ),
            Counter(
                (x.task, x.event.usage)
                for x in entries
                if isinstance(x.event, e.CallSettled) and x.event.outcome == "answered"
            ),
        )

    def must_be_like(self, reference: Outcome, kills: int) -> None:
        """The end is the undisturbed one, nothing was done twice that had been kept as done.

        `kills`: each may repeat at most the one hook, and lose the one call, that it met.
        """
        outcome = self.outcome()
        assert outcome.counts == reference.counts
        assert outcome.moves == reference.moves
        assert outcome.hooks == reference.hooks
        assert outcome.calls == reference.calls
        assert outcome.tree == reference.tree
        assert self.lost_calls() <= kills
        begun = sum(line.endswith("begun") for line in self.hook_lines())
        assert begun <= sum(reference.hooks.values()) + kills
        assert processes_of(self.folder) == []

    def lost_calls(self) -> int:
        """Calls that may have been billed without an answer."""
        return sum(
            isinstance(x.event, e.CallSettled) and x.event.outcome == "lost" for x in self.entries()
        )

    def hook_lines(self) -> list[str]:
        """What the hooks wrote down."""
        log = self.folder / "hooks.log"
        return log.read_text().splitlines() if log.exists() else []

    def _with_state(self, words: Sequence[str]) -> list[str]:
        if self.state == self.root / ".agent-runner" or words[0] not in {"run", "resume"}:
            return self.command(*words)
        return self.command(*words, "--state-dir", str(self.state))


def committing(folder: Path, files: Mapping[str, str] = COMMITS) -> tuple[CrashProject, Repo]:
    """The project with commits on, and its repository with one commit."""
    project = CrashProject.write(folder, files=files, env=WHO)
    git = Repo.created(project.root / "work")
    git.git("add", "-A")
    git.git("-c", "user.name=N", "-c", "user.email=e@example.com", "commit", "-q", "-m", "start")
    return project, git


def committed_all(git: Repo) -> None:
    """Git has a commit of each task, nothing is left to commit, and no lock is left."""
    assert git.git("log", "--format=%s").split("\n")[:-1] == ["End", "Go on", "Begin", "start"]
    assert git.git("status", "--porcelain", "--untracked-files=no") == ""
    assert not list(git.root.glob(".git/**/*.lock"))


def branched_all(git: Repo) -> None:
    """As `committed_all`, each commit on its task's branch and none on the user's."""
    committed_all(git)
    rows = git.git("for-each-ref", "--format=%(refname) %(subject)", "refs/heads").splitlines()
    assert rows == [
        "refs/heads/agent-runner/T1 Begin",
        "refs/heads/agent-runner/T2 Go on",
        "refs/heads/agent-runner/T3 End",
        "refs/heads/main start",
    ]
    assert git.git("branch", "--show-current") == "agent-runner/T3\n"


def tree_of(root: Path, leave_out: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file below `root`; folders have the content b"/"."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path == leave_out or leave_out in path.parents:
            continue
        mode = path.lstat().st_mode
        found[str(path.relative_to(root))] = (mode, b"/" if path.is_dir() else path.read_bytes())
    return found


def processes_of(folder: Path) -> list[str]:
    """Command lines of living processes that work below `folder`; none are seen without /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            cwd = Path(os.readlink(process / "cwd"))
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if words and (cwd == folder or folder in cwd.parents):
            found.append(words)
    return found
