"""Makes the golden files of a release: `python -m tests.support.golden tests/store/golden/vN`.

A real run with a bit of everything: a kill, a look, a failed attempt, a rejected edit, a command
that fails and is taken back, an escalation that is retried with a hint, a task that is skipped.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.crashing import FILES, CrashProject

_MORE = """\
  - {id: T4, title: Command, description: A command fails once., path: ./work,
     post_hooks: [first], depends_on: [T3]}
  - {id: T5, title: Never green, description: Nobody can do this., path: ./work,
     post_hooks: [never], max_attempts: 1}
  - {id: T6, title: Waits, description: TaskFolder., path: ./work, depends_on: [T5]}
"""

_EDIT = "src/zeta.txt\n```\nzeta\n```\n"

_DIES_ONCE = "[ -e ../../killed ] || { touch ../../killed; kill -9 $PPID; sleep 5; }"

_FILES = {
    **FILES,
    "agent-runner.yml": FILES["agent-runner.yml"]
    .replace("hooks:\n", "on_escalation: continue\nhooks:\n  never: 'exit 1'\n")
    .replace("ready: sh", f"ready: '{_DIES_ONCE}; sh")
    .replace("hook ready", "hook ready'")
    .replace("apply: {", "apply: {commands: allow, allow: ['false', 'true'], "),
    "tasks.yml": FILES["tasks.yml"] + _MORE,
    "replies/T4/1.md": f"{_EDIT}\n```sh run\nfalse\n```\n",
    "replies/T4/2.md": f"{_EDIT}\n```sh run\ntrue\n```\n",
    "replies/T5/1.md": "src/eta.txt\n```\neta\n```\n",
    "replies/T5/2.md": "src/eta.txt\n```\neta again\n```\n",
}


def make(target: Path) -> None:
    """Run and keep journal, snapshot and blobs in `target`, a new folder."""
    with tempfile.TemporaryDirectory(prefix="golden-") as name:
        project = CrashProject.write(Path(name), files=_FILES)
        for words in (
            ("run",),
            ("resume",),
            ("retry", "T5", "--hint", "try again"),
            ("resume",),
            ("skip", "T5"),
            ("resume",),
        ):
            code, printed = project.run(*words)
            sys.stdout.write(f"$ {' '.join(words)}\n{printed}[{code}]\n")
        target.mkdir(parents=True)
        for part in ("journal.jsonl", "state.json"):
            shutil.copy(project.state / part, target)
        shutil.copytree(project.state / "blobs", target / "blobs")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
