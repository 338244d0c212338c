"""A situation to build prompts from."""

from pathlib import Path

from attrs import evolve

from agent_runner.model.agent import Message
from agent_runner.model.hooks import Hook, When
from agent_runner.model.record import TaskRecord
from agent_runner.model.shown_files import FileText, Listing, NotShown
from agent_runner.model.task import Task
from agent_runner.prompts.situation import GitLines, Situation

BARE = Situation(Task("T1", "Add totals", "Sum up.\n", Path("/project")), TaskRecord("T1"))
"""A first attempt in an empty folder without git and hooks."""

FULL = Situation(
    Task(
        "T1",
        "Add totals",
        "Sum up the prices.\n",
        Path("/project"),
        metadata={"ticket": "AB-7", "size": 3},
    ),
    TaskRecord("T1", feedback="FAILED test_total - assert 1 == 2", hint="Mind the rounding."),
    attempt=2,
    git=GitLines("main", "0123456789abcdef", (" M shop.py", "?? new\\nline"), 4),
    pre_hooks=(Hook(id="env", command=("pip", "install", "-e", ".")),),
    post_hooks=(
        Hook(id="unit", command="pytest -q", cwd="sub"),
        Hook(id="web", command="npm test", when=When(changed=("web/**",)), allow_failure=True),
    ),
    files=Listing(
        (FileText("shop.py", "price = 1\n"), FileText("big.py", "x\n" * 5, "10-14")),
        (NotShown(".env", "it looks like a secret"),),
    ),
    names=("shop.py", "big.py", "web/ (12 files)"),
    diff="--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-price = 0\n+price = 1\n",
    looks_left=3,
    commands=True,
    protect=("tests/**",),
)
"""A second attempt with everything there is to say."""


def with_conversation(*texts: str) -> Situation:
    """Turns, the agent's first, by turns."""
    roles = ("assistant", "user")
    conversation = tuple(Message(roles[at % 2], text) for at, text in enumerate(texts))
    return evolve(FULL, conversation=conversation)
