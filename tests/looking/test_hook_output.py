"""`hook_output`: pages of a log, without what a check printed of hidden files."""

from collections.abc import Callable
from pathlib import Path

from agent_runner.ground.redaction import Redactor
from tests.looking.scene import Scene


def logs(text: str) -> dict[str, Callable[[], bytes]]:
    return {"unit": text.encode}


def test_a_log_is_read_by_pages_and_by_text(tmp_path: Path) -> None:
    text = "".join(f"\x1b[31mline {number}\x1b[0m\n" for number in range(1, 1001))
    scene = Scene.of(tmp_path, hook_logs=logs(text))
    page = scene.text("hook_output", hook="unit")
    assert page.startswith("output of unit lines 1-400 of 1000\nline 1\n")
    assert page.endswith("[lines 401-1000 not shown: ask with start_line 401]")
    assert scene.text("hook_output", hook="unit", start_line=-2).endswith("\nline 999\nline 1000\n")
    assert "  999: line 999" in scene.text("hook_output", hook="unit", pattern="LINE 999")
    assert scene.text("hook_output", hook="unit", pattern="(") == (
        "no line of the output of unit holds `(` (1,000 lines in all)."
    )


def test_an_unknown_hook_and_a_silent_one_are_said(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path, hook_logs=logs(""))
    assert scene.text("hook_output", hook="unit") == "output of unit: it printed nothing."
    assert scene.error("hook_output", hook="lint") == (
        "hook_output: `lint` has no output in this task; hooks that have: unit."
    )


def test_what_stands_in_hidden_files_is_not_shown(tmp_path: Path) -> None:
    printed = (
        "DB=postgres://u:pw-of-env@h\ntoken zz-hidden-token\nsk-ant-0123456789abcdef0123\nok\n"
    )
    redactor = Redactor(["configured-key"])
    scene = Scene.of(
        tmp_path, hook_logs=logs(printed + "configured-key\n"), hide=("conf",), redactor=redactor
    )
    scene.write({".env": "DB=postgres://u:pw-of-env@h\n", "conf/t.yml": "t: 'zz-hidden-token'\n"})
    text = scene.text("hook_output", hook="unit")
    for secret in ("pw-of-env", "zz-hidden-token", "sk-ant", "configured-key"):
        assert secret not in text
    assert "\nok\n" in text


def test_a_log_that_was_lost_is_said_and_stops_nothing(tmp_path: Path) -> None:
    def lost() -> bytes:
        raise FileNotFoundError("gone")

    scene = Scene.of(tmp_path, hook_logs={"unit": lost})
    assert scene.error("hook_output", hook="unit") == (
        "hook_output: the output of `unit` is lost; what you were shown of it is all there is."
    )
