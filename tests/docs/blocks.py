"""The code in the project's pages, and for each language the check that it can be relied on.

A language without a check here is a mistake: what a page shows as code has to be true.
"""

import configparser
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import typer.main
from attrs import frozen
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from agent_runner.cli.parser import app
from agent_runner.config import load_settings
from agent_runner.config.json_schema import configuration_schema
from agent_runner.config.schema import leaves_of, options_of
from agent_runner.edits.parse import parse_reply
from agent_runner.model.hooks import Hook
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.prompts.build import check_template
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list
from agent_runner.ui.event_schema import event_schema

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*/README.md")
    for page in ROOT.glob(pattern)
)
SESSIONS = set(re.findall(r"^def (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
NAMES = attrs.evolve(KNOWN_NAMES, plugged_in=lambda: ("my-command", "cli-agent"))
"""What is known here, and the protocols of the plug-ins that the pages show."""

OF_PLUG_INS = ("prompt.tools",)
FILES = (".json", ".jsonl", ".md", ".py", ".yml")
NOT_OURS = ("diff -u", "diff --git")
PROGRAM: Any = typer.main.get_command(app)


@frozen
class Block:
    """A block of code.

    Attributes:
        page: The page, from the top of the repository.
        line: Its first line there, from 1.
        language: What stands after the fence; "indented" where there is none.
        text: What is in it.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.language}"


@frozen
class Words:
    """Code within a sentence that begins with the name of a command."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def blocks() -> Iterator[Block]:
    """Every block of code of every page."""
    for page in PAGES:
        for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
            if token.type in {"fence", "code_block"}:
                language = token.info.strip() if token.type == "fence" else "indented"
                line = (token.map or [0])[0] + 1
                yield Block(str(page.relative_to(ROOT)), line, language, token.content)


def words() -> Iterator[Words]:
    """All code within sentences that is a command of ours with an option."""
    for one in _in_sentences():
        if one.text.startswith("agent-runner ") or (_is_command(one.text) and " -" in one.text):
            yield Words(one.page, one.text.removeprefix("agent-runner "))


def settings_in_sentences() -> Iterator[Words]:
    """All code within sentences that names an option (`git.commit`) or sets one."""
    for one in _in_sentences():
        named = re.match(r"(\w+)(?:\.\w[\w.]*)?(: (?!.* \| ).+)?$", one.text)
        option = named and named[1] in options_of(Settings) and ("." in one.text or named[2])
        if option and not one.text.endswith(FILES) and one.text not in OF_PLUG_INS:
            yield one


def _in_sentences() -> Iterator[Words]:
    for page in PAGES:
        found = set()
        for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text("utf-8")):
            found |= {one.content for one in token.children or () if one.type == "code_inline"}
        yield from (Words(str(page.relative_to(ROOT)), text) for text in sorted(found))


def _is_command(text: str) -> bool:
    return text.partition(" ")[0] in PROGRAM.commands and not text.startswith(NOT_OURS)


def check_words(text: str) -> None:
    """A command within a sentence is there, and has the options that are named."""
    if text.startswith("COMMAND"):
        return
    command: Any = PROGRAM
    given = [word for word in text.split() if word != "..."]
    while given and not given[0].startswith("-") and given[0] in getattr(command, "commands", {}):
        command = command.commands[given.pop(0)]
    group = bool(getattr(command, "commands", {}))
    assert not (group and given) or given[0].startswith("-"), f"no command {given[0]}"
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    named = {word.strip("[]").partition("=")[0] for word in given if word.startswith(("-", "[-"))}
    assert named <= known | {"-h", "--help"}, named - known


def check_setting(text: str) -> None:
    """An option within a sentence is one, and takes the value that it is given."""
    path, given, value = text.partition(": ")
    if given:
        nested = f"{{{path.replace('.', ': {')}: {value}{'}' * path.count('.')}}}"
        content = YAML(typ="safe", pure=True).load(nested)
        schema = jsonschema.Draft7Validator(configuration_schema())
        of_a_hook = {"hooks": {"one": {"command": "true", **content}}}
        assert schema.is_valid(content) or schema.is_valid(of_a_hook), text
    else:
        one = r"\.".join(f"(?:{re.escape(name)}|<name>)" for name in path.split("."))
        known = [".".join(leaf) for leaf, _ in leaves_of(Settings)]
        assert any(re.fullmatch(rf"{one}(?:\..+)?", option) for option in known), path


def check_shell(text: str, folder: Path) -> None:
    """The shell can read it, and every command of ours in it takes its words."""
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = list(commands_in(text))
    for command in found:
        name, given = Path(command[0]).name, command[1:]
        if name == "agent-runner":
            parse(given)
        elif name == "nox":
            session = given[given.index("-s") + 1].partition("-")[0]
            assert session in SESSIONS, session
    assert found, "nothing in it is a command"


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of every command of a script, those within `$(...)` included."""
    plain = re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text.replace("\\\n", " "))
    if "$(" in plain:
        plain = re.sub(r"\$\(([^()]*)\)", r"; \1 ;", plain).replace('"', " ")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("<>"):
            command.append(">")  # what follows is a file, no command
        elif set(word) <= set("();|&\n"):
            if command and "=" not in command[0]:
                yield command[: command.index(">")] if ">" in command else command
            command = []
        else:
            command.append(word)


def parse(given: list[str]) -> None:
    """Parse words as the command line does, without doing what they say."""
    if {"--version", "--help", "-h", "-V"} & set(given):
        return
    context = PROGRAM.make_context("agent-runner", list(given))
    while getattr(context.command, "commands", {}):
        rest = [*context._protected_args, *context.args]
        if not rest:
            assert context.command.invoke_without_command, given
            return
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def check_yaml(text: str, folder: Path) -> None:
    """What reads such a file takes it: a task list, a configuration, a workflow."""
    content = YAML(typ="safe", pure=True).load(text)
    if isinstance(content, list) or "tasks" in content:
        file = folder / "tasks.yml"
        listed = content if isinstance(content, list) else content["tasks"]
        file.write_text(text if not isinstance(content, list) else f"tasks:\n{text}")
        (folder / "README.md").touch()
        for task in listed:
            (folder / str(task.get("path", "."))).mkdir(parents=True, exist_ok=True)
            if template := task.get("template"):
                (folder / template).write_text("{{ title }}\n")
        names = {n for t in listed for k in ("pre_hooks", "post_hooks") for n in t.get(k, ())}
        asked = {task["provider"]: ProviderSettings() for task in listed if "provider" in task}
        settings = Settings(hooks={name: Hook(name, "true") for name in names}, providers=asked)
        load_task_list(file, settings, home=folder / "home", names=NAMES)
    elif "jobs" in content:
        for job in content["jobs"].values():
            for step in job["steps"]:
                if script := step.get("run"):
                    check_shell(re.sub(r"\$\{\{.*?\}\}", "x", script), folder)
    else:
        (folder / "agent-runner.yml").write_text(text)
        for name in re.findall(r"template: (\S+\.md)", text):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("{{ title }}\n")
        home = folder / "home"
        loaded = load_settings(folder=folder, env={}, home=home, flags={}, names=NAMES)
        assert loaded.warnings == ()


def check_json(text: str, folder: Path) -> None:
    """Every line that is an event fits the schema."""
    for line in text.splitlines():
        content = json.loads(line)
        assert "kind" in content
        jsonschema.validate(content, event_schema())


def check_python(text: str, folder: Path) -> None:
    """Python can read it; what it does is for a test of its page."""
    compile(text, "page", "exec")


def check_toml(text: str, folder: Path) -> None:
    """It can be read."""
    assert tomllib.loads(text)


def check_cron(text: str, folder: Path) -> None:
    """Five fields of time each, and a command that the shell can read."""
    for line in text.splitlines():
        if re.match(r"\w+=", line):
            continue
        found = re.match(r"(?:[\d*/,-]+ ){5}(.+)$", line)
        assert found, line
        check_shell(found[1], folder)


def check_unit(text: str, folder: Path) -> None:
    """Units of systemd, one after another, each after a comment with its name."""
    for unit in re.split(r"^# .*\.(?:service|timer)\n", text, flags=re.MULTILINE)[1:]:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[method-assign,assignment]  # names keep their case
        parser.read_string(unit)
        assert {"Unit", "Service", "Timer", "Install"} >= set(parser.sections())
        if parser.has_option("Service", "ExecStart"):
            check_shell(parser["Service"]["ExecStart"].replace("%h", "/home/me"), folder)


def check_template_text(text: str, folder: Path) -> None:
    """A template without a mistake."""
    file = folder / "template.md"
    file.write_text(text)
    assert check_template(file) == ()


def check_reply(text: str, folder: Path) -> None:
    """A reply in which an edit, a look or a command is found, and no fault."""
    reply = parse_reply(text)
    assert not reply.problems
    assert reply.edits or reply.commands or reply.asks or reply.looks


def unchecked(text: str, folder: Path) -> None:
    """Output, or a picture: other tests hold it, or nothing can."""


CHECKS: dict[str, Callable[[str, Path], None]] = {
    "sh": check_shell,
    "yaml": check_yaml,
    "json": check_json,
    "python": check_python,
    "toml": check_toml,
    "cron": check_cron,
    "ini": check_unit,
    "markdown": check_template_text,
    "reply": check_reply,
    "text": unchecked,
    "mermaid": unchecked,
}
"""What holds for the blocks of each language. Nothing else may stand after a fence."""
