"""What make and npm run for a name, by the files in which people wrote that down."""

import json
import re
from collections.abc import Iterator


def recipes_of(makefile: str, goals: list[str]) -> str:
    """The recipe lines of the goals (the first target without any) and of what they need."""
    return "\n".join(_lines(makefile, goals))


def script_of(package: str, name: str) -> str:
    """What `npm run name` runs by the text of a `package.json`, a line each; "" for nothing."""
    try:
        scripts = json.loads(package)["scripts"]
        return "\n".join(scripts[x] for x in (f"pre{name}", name, f"post{name}") if x in scripts)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _lines(makefile: str, goals: list[str]) -> Iterator[str]:
    rules: dict[str, tuple[list[str], list[str]]] = {}
    current: list[tuple[list[str], list[str]]] = []
    for line in makefile.replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            for _, lines in current:
                lines.append(line.strip().lstrip("@-+"))
        elif match := _RULE.fullmatch(line):
            current = [rules.setdefault(t, ([], [])) for t in match["targets"].split()]
            for needs, lines in current:
                needs.extend(match["needs"].split())
                lines.extend([match["recipe"]] if match["recipe"] else [])
    names = [goal for goal in goals if goal in rules]
    names = names or [name for name in rules if not name.startswith(".")][:1]
    for name in names:  # grows while it is gone through: what a goal needs comes after it
        needs, lines = rules[name]
        yield from lines
        names += [need for need in needs if need in rules and need not in names]


_RULE = re.compile(r"(?P<targets>[^\s:=#][^:=#]*):(?!=)(?P<needs>[^=;]*)(?:;(?P<recipe>.*))?")
