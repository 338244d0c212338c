"""One task of the list: its fields, each read as what it ought to be."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from attrs import define

from agent_runner.documents import (
    Expect,
    Fields,
    Items,
    Node,
    Scalar,
    Suggestions,
    plain_value,
    quoted,
)
from agent_runner.ground.presence import is_file
from agent_runner.model.names import KnownNames
from agent_runner.model.settings import Settings
from agent_runner.model.task import NO_METADATA, Task
from agent_runner.tasks.fields import KEYS, MAX_ID_BYTES, REQUIRED
from agent_runner.tasks.roots import Roots


@define(eq=False)
class TaskEntry:
    """A task as read. `named`: the node of its id, None where there is no usable one."""

    task: Task
    named: Node | None
    depends_on: list[Scalar]


class TaskReader:
    """Reads the entries of one list, located at `folder`; mistakes go to `expect`."""

    def __init__(
        self,
        folder: Path,
        home: Path,
        settings: Settings,
        names: KnownNames,
        expect: Expect,
    ) -> None:
        self._folder = folder
        self._home = home
        self._settings = settings
        self._names = names
        self._expect = expect
        self._roots = Roots(folder)
        self._keys = Suggestions(KEYS)
        self._hooks = Suggestions(settings.hooks)
        self._providers = Suggestions((*settings.providers, *names.providers))

    def read(self, node: Node) -> TaskEntry | None:
        """The entry, with placeholders where it has mistakes; None if it is no mapping at all."""
        fields = self._expect.fields(node, "a task")
        if fields is None:
            return None
        self._expect.known_keys(fields, "a task", self._keys)
        self._missing(fields)
        # null is as good as left out, except for hooks: a list whose lines were all commented out
        # would otherwise bring the default hooks back without a word
        values = {
            key: value
            for key, _, value in fields
            if key.endswith("_hooks") or not isinstance(value, Scalar) or value.value is not None
        }
        named, name = self._id(values.get("id"))
        path = self._text(values, "path") or "."
        task = Task(
            id=name,
            title=self._title(values),
            description=self._text(values, "description") or "",
            root=self._root(values, path),
            path=path,
            pre_hooks=self._hook_ids(values, "pre_hooks", self._settings.defaults.pre_hooks),
            post_hooks=self._hook_ids(values, "post_hooks", self._settings.defaults.post_hooks),
            depends_on=self._texts(values, "depends_on"),
            files=self._texts(values, "files"),
            protect=self._texts(values, "protect"),
            may_change=self._texts(values, "may_change"),
            provider=self._provider(values),
            model=self._text(values, "model"),
            max_attempts=self._max_attempts(values),
            template=self._template(values),
            metadata=self._metadata(values),
            line=node.source.position(node.at)[0],
        )
        return TaskEntry(task, named, _scalars(values.get("depends_on")))

    def _missing(self, fields: Fields) -> None:
        """Notes required fields that are not there, or there without a value."""
        for key in REQUIRED:
            value = fields.values.get(key)
            if value is None:
                hint = "every task needs id, title and description"
                self._expect.note(fields, f"{_called(fields)} has no {key}", hint)
            elif isinstance(value, Scalar) and value.value is None:
                self._expect.note(value, f"{key} must not be empty")

    def _id(self, node: Node | None) -> tuple[Node | None, str]:
        name = self._expect.text(node, "id") if node else None
        if node is None or name is None:
            return None, ""
        fault = fault_of_id(name)
        if fault:
            self._expect.note(node, f"the id {quoted(name)} {fault}", "ids name files and folders")
        return node, name

    def _title(self, values: dict[str, Node]) -> str:
        title = (self._text(values, "title") or "").strip()
        if "\n" in title:
            hint = "say more in description"
            self._expect.note(values["title"], "title must be a single line", hint)
        return title

    def _root(self, values: dict[str, Node], path: str) -> Path:
        root = self._roots.of(path)
        if root.fault:
            self._expect.note(values["path"], f"path {quoted(path)} {root.fault}", root.hint)
        return root.folder

    def _hook_ids(
        self, values: dict[str, Node], key: str, defaults: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The task's own hooks, or the defaults if it names none; `[]` means none at all."""
        if key not in values:
            return defaults
        for item in _scalars(values[key]):
            if item.text not in self._settings.hooks:
                hint = self._hooks.hint(item.text) or "hooks are defined in the configuration"
                self._expect.note(item, f"there is no hook {quoted(item.text)}", hint)
        return self._texts(values, key)

    def _provider(self, values: dict[str, Node]) -> str | None:
        name = self._text(values, "provider")
        if name and name not in self._providers.words and name not in set(self._names.plugged_in()):
            hint = self._providers.hint(name)
            self._expect.note(values["provider"], f"there is no provider {quoted(name)}", hint)
        return name

    def _max_attempts(self, values: dict[str, Node]) -> int | None:
        node = values.get("max_attempts")
        return self._expect.whole(node, "max_attempts", least=1) if node else None

    def _template(self, values: dict[str, Node]) -> Path | None:
        written = self._text(values, "template")
        if written is None:
            return None
        shown = Path(written)
        if shown.parts[:1] == ("~",):
            shown = self._home.joinpath(*shown.parts[1:])
        file = self._folder / shown
        if not is_file(file):
            message = f"template {quoted(written)} does not exist, or is not a file"
            self._expect.note(values["template"], message, "it is looked for beside the task list")
        return file

    def _metadata(self, values: dict[str, Node]) -> Mapping[str, object]:
        node = values.get("metadata")
        fields = self._expect.fields(node, "metadata") if node else None
        found: Mapping[str, object] = plain_value(fields) if fields else NO_METADATA
        return found

    def _text(self, values: dict[str, Node], key: str) -> str | None:
        return self._expect.text(values[key], key) if key in values else None

    def _texts(self, values: dict[str, Node], key: str) -> tuple[str, ...]:
        return (self._expect.texts(values[key], key) or ()) if key in values else ()


def fault_of_id(name: str) -> str:
    """What keeps `name` from being an id, as the end of a sentence; "" if nothing does."""
    if len(name.encode(errors="replace")) > MAX_ID_BYTES:
        return f"is longer than {MAX_ID_BYTES} bytes"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name.startswith((".", "-")):
        return f'may not begin with "{name[0]}"'
    if name != name.strip():
        return "may not begin or end with a space"
    bad = next((char for char in name if char in '/\\:*?"<>|'), None)
    return f"may not contain {bad}" if bad else ""


def as_file_name(name: str) -> str:
    """Equal for names that are one file where case and composed letters make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _scalars(node: Node | None) -> list[Scalar]:
    """The texts in a list, each with its position; what else is in it is noted elsewhere."""
    if not isinstance(node, Items):
        return []
    return [
        i
        for i in node.items
        if isinstance(i, Scalar) and isinstance(i.value, str) and i.value.strip()
    ]


def _called(fields: Fields) -> str:
    """How a message calls a task."""
    name = fields.values.get("id")
    if isinstance(name, Scalar) and isinstance(name.value, str) and name.value:
        return f"the task {quoted(name.value)}"
    return "this task"
