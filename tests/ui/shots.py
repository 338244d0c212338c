"""Pictures of the terminal and of the report for the docs, from real commands at real terminals.

`python -m tests.ui.shots [FOLDER] [COLUMNSxROWS]` writes them into FOLDER (default: docs/pictures):
an SVG a command, and report.png where there is a Chromium to draw it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect

from tests.cli.scene import COMMAND, Scene, environment, reply
from tests.ui.picture import svg
from tests.ui.screen import Screen

SHOTS = {
    "help": ("--help",),
    "status": ("status",),
    "why": ("why", "T2"),
    "diff": ("diff", "T1"),
    "plan": ("plan",),
    "providers": ("providers",),
    "log": ("log", "T3"),
}
"""Name of the picture, words of the command."""

IN_DOCS = ("help", "status", "why", "diff")
"""Those that the docs show; all are drawn into another folder."""

TITLES = (
    "Make slugs of titles",
    "Count words without counting punctuation, dashes and numbers twice",
    "Render the summary page",
    "Read the configuration from pyproject.toml",
    "Say which line of a broken template is wrong",
)

DOCS = Path("docs/pictures")

_RED = """
cat <<'E'
E   AssertionError: assert {'counted': 5} == {'counted': 4}
FAILED tests/test_words.py::test_a_dash_is_no_word - AssertionError: assert {'counted': 5}
E
exit 1
"""


def project(root: Path) -> Scene:
    """Five tasks: passed, failed after two attempts, passed, held by the failed one, to come."""
    scene = Scene(root)
    scene.env = {"LC_ALL": "C.UTF-8", "ANTHROPIC_API_KEY": "none"}
    scene.config(
        {
            "hooks": {"unit-tests": "echo '14 passed in 0.31s'", "words": {"command": _RED}},
            "on_escalation": "continue",
            "max_attempts_per_task": 2,
            "rate_limits": {"replay": {"max_tokens_hour": 60_000, "max_cost_day": 5}},
            "prices": {"replay": {"input": 3, "output": 15}},
        }
    )
    rules = ({"post_hooks": ["unit-tests"]}, {"post_hooks": ["unit-tests", "words"]})
    needs = {3: {"depends_on": ["T2"]}}
    scene.tasks(
        *(
            {"id": f"T{at + 1}", "title": title, **rules[at == 1], **needs.get(at, {})}
            for at, title in enumerate(TITLES)
        )
    )
    for at in range(4):
        for number in (1, 2):
            text = f"def part_{at + 1}(text: str) -> str:\n    return text.strip()[:{number}0]\n"
            scene.reply(f"T{at + 1}", number, reply(**{f"part{at + 1}__py": text}))
    scene.run("run", "--until", "T4")
    return scene


def shot(scene: Scene, words: tuple[str, ...], columns: int, rows: int) -> Screen:
    """The screen after the command has ended."""
    child = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *words],
        cwd=str(scene.project),
        env=environment(scene.home, {**scene.env, "PAGER": "cat"}),
        dimensions=(rows, columns),
        timeout=60,
        encoding="utf-8",
    )
    child.expect(pexpect.EOF)
    child.close()
    screen = Screen(columns)
    screen.feed(str(child.before))
    return screen


def picture_of_report(scene: Scene, file: Path) -> None:
    """The report's first screen as a browser draws it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print("no chromium: the report is left out", file=sys.stderr)  # noqa: T201  # a command
        return
    page = scene.run("report").out.strip()
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--user-data-dir={profile}", "--window-size=900,760", f"--screenshot={file}"]
        subprocess.run(
            [browser, *options, Path(page).resolve().as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )


def main(folder: Path, columns: int, rows: int) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        scene = project(Path(root))
        for name in IN_DOCS if folder == DOCS else SHOTS:
            words = SHOTS[name]
            screen = shot(scene, words, columns, rows)
            painted = [line.replace(root, "") for line in screen.painted[: 3 * rows]]
            drawn = svg(painted, columns, f"agent-runner {' '.join(words)}", name)
            (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
        picture_of_report(scene, folder / "report.png")


if __name__ == "__main__":
    wide, _, high = (sys.argv[2] if len(sys.argv) > 2 else "80x24").partition("x")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS, int(wide), int(high))
