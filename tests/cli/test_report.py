"""`agent-runner report`: a page that shows a run, in a real browser, whoever is quoted in it."""

import html
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.ui.report.content import Line, Report, Span, Spent, TaskPage, Turn
from agent_runner.ui.report.markdown import markdown
from agent_runner.ui.report.page import page
from tests.cli.scene import Scene, reply

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
HOSTILE = (
    "</pre></details></style></title><script>document.title='taken'</script>"
    '<img src=x onerror="document.title=1"> " onmouseover="x" \' &lt; '
    "\x1b[31mred\x07 \u202e --> ]]>"
)


@pytest.fixture
def ran(scene: Scene) -> Scene:
    """A task that passed at the second try, and one that failed and hostile text in all of it."""
    hook = {"command": "sh judge.sh", "timeout": 60}
    scene.config({"max_attempts_per_task": 2, "hooks": {"judge": hook}})
    title = "Say <b>" + HOSTILE.replace("\x1b", "").replace("\x07", "")
    scene.tasks(
        {"id": "T1", "title": title, "post_hooks": ["judge"]},
        {"id": "T2", "post_hooks": ["judge"]},
    )
    said = HOSTILE.replace("'", "")
    right = "grep -q right T1.txt && ! test -e T2.txt"
    scene.write("judge.sh", f"cat T1.txt; {right} || {{ echo '{said}'; exit 1; }}\n")
    scene.reply("T1", 1, reply(T1__txt=f"wrong {HOSTILE}"))
    scene.reply("T1", 2, reply(T1__txt="right"))
    scene.reply("T2", 1, reply(T2__txt="1"))
    scene.reply("T2", 2, reply(T2__txt="2"))
    scene.run("run", "--on-escalation", "continue")
    return scene


def dom(file: Path, tmp_path: Path) -> str:
    """The page as the browser has it after it was loaded."""
    command = (CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom")
    done = subprocess.run(
        [*command, file.as_uri()], capture_output=True, check=True, text=True, timeout=120
    )
    return done.stdout


def tags(text: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", text))


OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "section", "h1", "h2", "h4"),
    *("p", "ul", "li", "a", "br", "code", "div", "span", "i", "b", "figure", "figcaption", "svg"),
    *("polyline", "meter", "details", "summary", "em", "small", "table", "tbody", "tr", "td"),
    *("pre", "ins", "del"),
}


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_in_a_browser_nothing_of_others_becomes_markup(ran: Scene, tmp_path: Path) -> None:
    told = ran.run("report")
    assert told.code == 0, told.err
    file = Path(told.out.strip())
    shown = dom(file, tmp_path)
    assert tags(shown) <= OURS
    assert "<title>tasks.yml: 2 tasks" in shown
    assert not re.search(r"<[^>]* on[a-z]+=", shown)
    assert "onerror" in html.unescape(shown)  # as text it is all there
    for text in ("T1", "needs a person", "judge was red, attempt 1", "What it changed"):
        assert text in shown, text
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_page_needs_no_network_and_no_script(ran: Scene) -> None:
    told = ran.run("report", "-o", "out/page.html")
    text = ran.read("out/page.html")
    assert told.out == "out/page.html\n"
    assert "default-src 'none'" in text
    assert tags(text) <= OURS
    assert not re.search(r"(?:src|href)=\"(?!#)", text)
    assert "url(" not in text


def test_markdown_quotes_others_as_text(ran: Scene) -> None:
    told = ran.run("report", "--markdown").out
    assert "### Needs a person" in told
    assert "<script>" not in told
    assert "| :white_check_mark: | **T1** Say \\<b\\>" in told
    assert told.splitlines()[-1].startswith("| :x: | **T2**")


def test_before_the_first_run_there_is_a_page_too(scene: Scene, tmp_path: Path) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    ended = scene.run("report", "-o", str(tmp_path / "p.html"))
    assert ended.code == 0, ended.err
    assert "Nothing has happened yet." in (tmp_path / "p.html").read_text()
    assert scene.run("report", "-o", "/dev/full").code == 3


def test_a_link_in_the_place_of_the_page_is_not_followed(ran: Scene, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (ran.project / ".agent-runner" / "report.html").symlink_to(victim)
    ended = ran.run("report")
    assert (ended.code, victim.read_text()) == (3, "mine")
    assert "symbolic link, not a file" in ended.err


def report(count: int, length: int) -> Report:
    """A made-up report of so many tasks, each with texts of that length."""
    long = f"{HOSTILE}\n" * (length // len(HOSTILE))

    def turns() -> Iterable[Turn]:
        yield Turn("T/call-01", long, long, "logs/T/attempt-01/call-01")

    record = evolve(TaskRecord("T"), state=TaskState.PASSED)
    tasks = tuple(
        TaskPage(
            id=f'T{number}"><',
            title=HOSTILE,
            word="passed",
            state=TaskState.PASSED,
            record=record,
            spans=(Span(TaskState.AGENT, number, number + 1),),
            story=tuple(Line(number, HOSTILE, (HOSTILE,)) for _ in range(20)),
            attempts=(),
            failures=(),
            held_by=(),
            diff=lambda: long,
            turns=turns,
        )
        for number in range(count)
    )
    spent = tuple(Spent(at, at * 10, at / 100) for at in range(1, 5 * count))
    steps = (HOSTILE,)
    return Report("x.yml", HOSTILE, steps, (), spent, tasks, 1.0, count, (), lambda *_words: "x")


def test_a_thousand_tasks_with_long_texts_stay_below_ten_megabytes() -> None:
    pieces = [piece.encode() for piece in page(report(1_000, 200_000))]
    assert sum(map(len, pieces)) < 10_000_000
    assert tags(b"".join(pieces).decode()) <= OURS


def test_what_is_left_out_says_where_the_whole_is() -> None:
    text = "".join(page(report(1, 500_000)))
    assert "characters left out; the whole is in logs/T/attempt-01/call-01" in text


def test_markdown_of_many_tasks_has_a_line_for_each() -> None:
    lines = list(markdown(report(1_000, 10)))
    assert len([line for line in lines if line.startswith("|")]) == 1_002
    assert all(line.count("\n") == 0 for line in lines)
