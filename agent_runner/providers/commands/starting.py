"""Whether a command's program can be started at all, and what it says where it could not.

A program that never began has used nothing: its call is not one that may have been billed, and to
try it again changes nothing.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent_runner.model.errors import FatalError
from agent_runner.providers.commands.preset import Preset
from agent_runner.providers.commands.reader import Ended, Reader, one_line
from agent_runner.sandbox.bubblewrap import EMPTIED
from agent_runner.sandbox.probe import sandbox_here
from agent_runner.sandbox.sandbox import setup_failure

_PROGRAM_MARKS = (
    b"\x7fELF",
    *(b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"),  # macOS
)
_NOT_THERE, _NOT_STARTED = 127, 126
"""Exit codes of a shell, a loader or a launcher whose program could not be started."""

_NO_LIBRARY = re.compile(r"error while loading shared libraries|dyld.*Library not loaded")
_UNKNOWN_FLAG = re.compile(
    r"(?:unknown|unrecognized|unexpected|invalid|unsupported) (?:option|argument|flag|value)"
    r"|no such option|unrecognized arguments|unknown command",
    re.IGNORECASE,
)


def obstacle(program: str, env: Mapping[str, str]) -> str:
    """Why a program, given by its path, cannot be started; "" as far as a look at it can tell."""
    path = Path(program)
    head = _head(path)
    if head.startswith(b"#!"):
        words = os.fsdecode(head[2:].partition(b"\n")[0]).split()
        if words and Path(words[0]).name == "env":
            wanted = next((word for word in words[1:] if not word.startswith("-")), "")
            if wanted and "=" not in wanted and not shutil.which(wanted, path=env.get("PATH")):
                return f"{path} is run by {wanted}, which is not on PATH"
        elif not words or not os.access(words[0], os.X_OK):
            return f"{path} is run by {words[0] if words else 'nothing'}, which is not there"
    elif head and not head.startswith(_PROGRAM_MARKS):
        return f"{path} is no program: it has no first line that says what runs it (#!...)"
    return ""


def hidden(
    program: str, preset: Preset, sandbox: str, writable: Iterable[Path], env: Mapping[str, str]
) -> str:
    """Why a sandbox would not find the program; "" where it would, or there is none.

    It gets empty folders in place of those for temporary files, but for what the user lets all that
    is confined write (`writable`). `sandbox`: as `Outfit.sandbox`. The sandbox's own test is run
    where the program lies in such a folder.
    """
    seen = tuple(writable)
    below = next(
        (
            path
            for path in _files(program, preset, env)
            if any(map(path.is_relative_to, EMPTIED)) and not any(map(path.is_relative_to, seen))
        ),
        None,
    )
    if below is None or sandbox == "off":
        return ""
    if not sandbox_here(env.get("PATH", os.defpath)).tier.mounts:
        return ""
    folder = next(one for one in EMPTIED if below.is_relative_to(one))
    return f"{below} cannot be seen in the sandbox, which has an empty {folder}"


def did_not_start(exit_code: int, errors: str) -> bool:
    """Whether a shell, a loader or a launcher says so of the program that it was to start."""
    return exit_code in {_NOT_THERE, _NOT_STARTED} or bool(_NO_LIBRARY.search(errors))


def not_begun(reader: Reader, ended: Ended, preset: Preset, name: str) -> FatalError | None:
    """The error of a program that ended before it began its work; None where it began, perhaps.

    `name`: the provider, for what to type.
    """
    if reader.session or reader.usage.total or ended.silent or not ended.exit_code:
        return None
    said = one_line(ended.errors[-400:])
    failure = setup_failure(ended.exit_code, ended.errors)
    if failure:
        fix = f"`agent-runner doctor` says what confines here; providers.{name}.params.sandbox: off"
        return FatalError(f"{preset.title} could not be started in its sandbox: {failure}", fix=fix)
    if did_not_start(ended.exit_code, ended.errors):
        again = f", or install it again: {preset.install}" if preset.install else ""
        fix = f"try `{preset.program} --version`{again}"
        why = said or f"exit code {ended.exit_code}"
        return FatalError(f"{preset.title} could not be started: {why}", fix=fix)
    if _UNKNOWN_FLAG.search(ended.errors):
        update = f"update it with `{preset.install}`, or " if preset.install else ""
        fix = f"{update}correct providers.{name}.params.args and .command"
        return FatalError(f"{preset.title} does not know what it was called with: {said}", fix=fix)
    return None


def _files(program: str, preset: Preset, env: Mapping[str, str]) -> Iterator[Path]:
    """All files that have to be seen: the program, where links lead, what runs it."""
    first = os.fsdecode(_head(Path(program)).partition(b"\n")[0])
    runs_it = first[2:].split() if first.startswith("#!") else []
    for word in (program, *preset.lead, *runs_it):
        path = Path(word if os.sep in word else shutil.which(word, path=env.get("PATH")) or word)
        if path.is_absolute() and path.exists():
            yield path
            yield path.resolve()


def _head(path: Path) -> bytes:
    """What a file begins with; nothing of one that may be run and not read."""
    try:
        with path.open("rb") as file:
            return file.read(256)
    except OSError:
        return b""
