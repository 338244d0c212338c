"""The summary that GitHub Actions shows of a step: the report as Markdown, as a run ends."""

import os
from pathlib import Path

from agent_runner.app.overview import KnownList
from agent_runner.app.project import Project
from agent_runner.app.report import markdown_text, report_of
from agent_runner.ground.disk import reason_of
from agent_runner.model.errors import AgentRunnerError

VARIABLE = "GITHUB_STEP_SUMMARY"
"""Names the file that a step's summary is appended to.

Source: docs.github.com, "Workflow commands for GitHub Actions", "Adding a job summary".
"""

_MOST = 1024 * 1024
"""Bytes of one step's summary; GitHub shows nothing of a longer one (same source)."""

_CUT = "\n\n(cut here: `agent-runner report` has all of it)\n"


def add_step_summary(project: Project) -> str:
    """Append what the run came to, where GitHub has named a file; what kept it from that, or ""."""
    named = project.surroundings.env.get(VARIABLE, "")
    if not named:
        return ""
    here = project.surroundings
    try:
        known = KnownList(project.place, project.tasks, project.settings, here.home)
        text = f"{markdown_text(report_of(known))}\n"
        with (here.cwd / Path(named)).open("ab") as file:
            file.write(_clipped(text, _MOST - file.seek(0, os.SEEK_END)))
    except OSError as error:
        return f"the step summary {named} cannot be written: {reason_of(error)}"
    except AgentRunnerError as error:
        return f"the step summary cannot be made: {error}"
    return ""


def _clipped(text: str, room: int) -> bytes:
    """The text in at most `room` bytes, whole lines only; nothing where there is no room."""
    whole = text.encode(errors="backslashreplace")
    if len(whole) <= room:
        return whole
    end = room - len(_CUT)
    return whole[: whole.rfind(b"\n", 0, end) + 1] + _CUT.encode() if end > 0 else b""
