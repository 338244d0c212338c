"""All commands, under the headings that `--help` shows them by, each with a line and an example.

Nothing is imported here: help and completion need no more than this table, and importing and
building all commands takes longer than most of them run.
"""

from typing import NamedTuple

SUMMARY = (
    "Drive an LLM coding agent through a list of tasks. Hooks judge the work; every step is saved."
)


class Entry(NamedTuple):
    """A command or a group of commands.

    Attributes:
        summary: The line in the list of commands.
        body: `file:function` below `cli/` that parses and carries out; "" for a mere group.
        example: What stands after `agent-runner` in an example of its use.
        below: The commands of a group.
    """

    summary: str
    body: str = ""
    example: str = ""
    below: "dict[str, Entry]" = {}  # noqa: RUF012  # a default that nobody changes


SECTIONS = {
    "Begin": {
        "init": Entry(
            "Write a task list and a configuration to start from.", "init:init", "init my-project"
        ),
        "import": Entry(
            "Make a task list of a checklist or of issues.",
            "importing:import_",
            "import PLAN.md --output tasks.yml",
        ),
        "demo": Entry(
            "Take a small project from red to green; no key needed.", "init:demo", "demo"
        ),
    },
    "Run": {
        "run": Entry(
            "Work through the task list.", "run:run", "run --until T4 --max-minutes-run 60"
        ),
        "resume": Entry("Go on where the last run stopped.", "run:resume", "resume --wait-max 2h"),
    },
    "Look": {
        "status": Entry("Show the state of every task.", "show:status", "status --state failed"),
        "plan": Entry(
            "Show what fits into the limits now, and when the rest could run.", "show:plan", "plan"
        ),
        "usage": Entry("Show calls, tokens and cost.", "show:usage", "usage --by model"),
        "why": Entry("Tell the story of a task.", "story:why", "why T3"),
        "log": Entry("Show a task's conversation with its agent.", "story:log", "log T3 --follow"),
        "diff": Entry("Show what a task changed, as a patch.", "look:diff", "diff T3 --stat"),
        "report": Entry(
            "Write a page with all that happened, or Markdown.", "report:report", "report --open"
        ),
    },
    "Decide": {
        "retry": Entry(
            "Try a failed task again, with a hint if you have one.",
            "decide:retry",
            "retry T3 --hint 'the parser is in src/read.py'",
        ),
        "check": Entry(
            "Have the post-hooks judge what you changed yourself.", "decide:check", "check T3"
        ),
        "skip": Entry("Skip a task.", "decide:skip", "skip T3"),
        "reset": Entry("Start a task over.", "decide:reset", "reset T3 --with-dependents"),
        "undo": Entry("Revert what a task changed.", "look:undo", "undo T3 --dry-run"),
    },
    "Set up": {
        "config": Entry(
            "Check and show the configuration.",
            below={
                "validate": Entry(
                    "Check everything and report every mistake.",
                    "config:validate",
                    "config validate",
                ),
                "show": Entry(
                    "Print the merged configuration.", "config:show", "config show --origin"
                ),
            },
        ),
        "providers": Entry(
            "List the providers; check whether they answer.",
            "providers:providers",
            "providers",
            {
                "check": Entry(
                    "Make the cheapest real call.", "providers:check", "providers check claude"
                )
            },
        ),
        "trust": Entry(
            "Agree that this project's files decide where your keys go.", "trust:trust", "trust"
        ),
        "schema": Entry(
            "Print a JSON Schema of list, configuration or events.", "schema:schema", "schema tasks"
        ),
        "completion": Entry(
            "Print what makes a shell complete commands and task ids.",
            "completion:completion",
            "completion bash",
        ),
    },
    "Find out what is wrong": {
        "doctor": Entry(
            "Check the state and what a run stands on; mend it.", "doctor:doctor", "doctor"
        ),
        "debug": Entry(
            "Inspect the state, the state machine and the prompts.",
            below={
                "state": Entry(
                    "Print the run, the tasks and their transitions.",
                    "debug:debug_state",
                    "debug state T3",
                ),
                "machine": Entry(
                    "Print the state machine as a Mermaid diagram.",
                    "debug:debug_machine",
                    "debug machine",
                ),
                "prompt": Entry(
                    "Print what would be sent to the agent now.",
                    "debug:debug_prompt",
                    "debug prompt T3",
                ),
            },
        ),
        "help": Entry("Show the help of a command.", "help:help_", "help run"),
    },
}
"""Heading, name, command."""

COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

ALIASES = {"list": "status", "logs": "log"}
"""Names that other tools have for what a command does; they lead to it and stand in no list."""
