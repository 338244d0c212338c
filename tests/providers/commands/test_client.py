"""Runs a real program: its stream, its time-outs, its environment, and that nothing outlives it."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from agent_runner.ground.clock import SystemClock
from agent_runner.ground.processes import this_machine
from agent_runner.model.agent import AgentResponse
from agent_runner.model.errors import (
    FatalError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.client import CallContext, Workplace
from agent_runner.providers.commands.client import make_client
from agent_runner.providers.commands.looking import look
from agent_runner.providers.commands.presets import PRESETS
from agent_runner.providers.commands.surroundings import installed, key_of
from agent_runner.providers.obstacles import obstacles
from agent_runner.providers.profiles import Profile, outline
from agent_runner.providers.registry import make_client as make_any_client
from agent_runner.sandbox.confinement import Tier
from tests.providers.one_call import PROMPT, request_for
from tests.support.sandboxes import had

PROGRAM = Path(__file__).parents[2] / "support" / "agent_program.py"
COMMAND = (sys.executable, str(PROGRAM))


class Scene:
    """A folder to work in, what the program does there, and what was told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "copy"
        self.folder.mkdir()
        self.steps, self.calls = folder / "steps.json", folder / "calls"
        self.home = folder / "home"
        self.home.mkdir()
        self.said: list[str] = []
        self.kept: list[bytes] = []

    def profile(self, env: Mapping[str, str] | None = None, **own: Any) -> Profile:
        given = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "AGENT_STEPS": str(self.steps),
            "AGENT_CALLS": str(self.calls),
            **(env or {}),
        }
        # nothing confines here, wherever the program of the tests lies
        params = {"sandbox": "off", **own.pop("params", {})}
        settings = ProviderSettings(command=own.pop("command", COMMAND), params=params, **own)
        return outline("claude-code", Settings(providers={"claude-code": settings}), given)

    def context(self, **workplace: Any) -> CallContext:
        async def changed() -> tuple[str, ...]:
            return tuple(sorted(path.name for path in self.folder.iterdir()))

        return CallContext(
            request_for(),
            keep=self.kept.append,
            activity=self.said.append,
            note=self.said.append,
            workplace=Workplace(self.folder, changed, **workplace),
        )

    def ask(
        self,
        *steps: dict[str, Any],
        profile: Profile | None = None,
        context: CallContext | None = None,
    ) -> AgentResponse:
        self.steps.write_text(json.dumps(steps))
        client = make_client(profile or self.profile(), SystemClock())

        async def main() -> AgentResponse:
            return await client.generate_completion(PROMPT, context or self.context())

        return anyio.run(main)

    @property
    def call(self) -> dict[str, Any]:
        """How it was called last."""
        called: dict[str, Any] = json.loads(self.calls.read_text().splitlines()[-1])
        return called


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def write(path: str) -> dict[str, Any]:
    return {"do": "write", "path": path, "text": "x\n"}


def test_it_works_in_the_folder_and_says_what_it_does(scene: Scene) -> None:
    answer = scene.ask(write("a.py"), {"do": "say", "text": "There."})
    assert (answer.text, answer.usage.total, answer.cost) == ("There.", 3180, 0.25)
    assert scene.said == ["writing a.py"]
    assert b'"type": "result"' in b"".join(scene.kept)
    assert scene.call["cwd"] == str(scene.folder)
    assert "Say grün." in scene.call["prompt"]


def test_its_surroundings_are_its_own(scene: Scene) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-mine-0123456789", "OPENAI_API_KEY": "sk-other-0123456789"}
    scene.ask(profile=scene.profile({**env, "GIT_DIR": "/x", "EDITOR": "vi"}))
    given = scene.call["env"]
    assert given["ANTHROPIC_API_KEY"] == "sk-mine-0123456789"
    assert "OPENAI_API_KEY" not in given
    assert "GIT_DIR" not in given
    assert (given["TZ"], given["EDITOR"]) == ("UTC", "vi")
    assert given["CLAUDE_CODE_MAX_RETRIES"] == "0"
    assert not Path(given["TMPDIR"]).exists()  # private, and gone with the call


def test_a_key_is_not_passed_where_a_subscription_is_meant(scene: Scene) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-mine-0123456789"}
    claude = PRESETS["claude-code"]
    assert key_of(claude, scene.profile(env)) == env
    token = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat-0123456789"}
    assert key_of(claude, scene.profile({**env, **token})) == token
    login = scene.home / ".claude" / ".credentials.json"
    login.parent.mkdir()
    login.write_text("{}")
    assert key_of(claude, scene.profile(env)) == {}
    # what the settings name is meant, login or not
    assert key_of(claude, scene.profile(env, api_key_env="ANTHROPIC_API_KEY")) == env


def test_a_key_goes_by_the_name_that_the_command_knows(scene: Scene) -> None:
    env = {"PATH": "/usr/bin", "HOME": str(scene.home), "OPENAI_API_KEY": "sk-mine-0123456789"}
    profile = outline("codex-cli", Settings(), env)
    assert key_of(PRESETS["codex-cli"], profile)["CODEX_API_KEY"] == "sk-mine-0123456789"


def test_of_many_keys_it_gets_the_one_for_its_model(scene: Scene) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-ant-0123456789", "OPENAI_API_KEY": "sk-mine-0123456789"}
    own = Settings(providers={"opencode": ProviderSettings(model="openai/gpt-6")})
    profile = outline("opencode", own, {**env, "HOME": str(scene.home)})
    assert key_of(PRESETS["opencode"], profile) == {"OPENAI_API_KEY": "sk-mine-0123456789"}


def test_no_file_of_the_project_stands_in_for_the_program(scene: Scene) -> None:
    inside = scene.folder / "bin"
    inside.mkdir()
    (inside / "claude").write_text("#!/bin/sh\n")
    (inside / "claude").chmod(0o755)
    profile = scene.profile({"PATH": str(inside)}, command=())
    assert installed(PRESETS["claude-code"], profile) == str(inside / "claude")
    assert installed(PRESETS["claude-code"], profile, scene.folder) is None


def test_what_is_not_installed_is_told_before_anything_is_spent(scene: Scene) -> None:
    with pytest.raises(UsageError) as caught:
        make_any_client(scene.profile({"PATH": "/nowhere"}, command=()), SystemClock())
    assert "npm install -g @anthropic-ai/claude-code" in caught.value.fix


def test_unknown_parameters_are_told(scene: Scene) -> None:
    with pytest.raises(UsageError, match="colour"):
        make_client(scene.profile(params={"colour": "red"}), SystemClock())


def test_a_program_that_cannot_be_started_is_told(scene: Scene) -> None:
    broken = scene.home / "broken"
    broken.write_bytes(b"\x7fELF, and nothing more")
    broken.chmod(0o755)
    with pytest.raises(FatalError, match="cannot be started"):
        scene.ask(profile=scene.profile(command=(str(broken),)))


CANNOT_BE_STARTED = {
    "#!/nowhere/at/all\n": "run by /nowhere/at/all, which is not there",
    "#!/usr/bin/env -S nobody-has-this -x\n": "run by nobody-has-this, which is not on PATH",
    "echo hello\n": "no first line that says what runs it",
}


@pytest.mark.parametrize("text", CANNOT_BE_STARTED)
def test_what_cannot_be_started_is_told_by_a_look_at_it(scene: Scene, text: str) -> None:
    broken = scene.home / "broken"
    broken.write_text(text)
    profile = scene.profile(command=(str(broken),))
    with pytest.raises(UsageError, match="no file that may be run") as caught:
        make_client(profile, SystemClock())
    assert f"chmod +x {broken}" in caught.value.fix
    broken.chmod(0o755)
    with pytest.raises(UsageError, match=CANNOT_BE_STARTED[text]):
        make_client(profile, SystemClock())
    assert CANNOT_BE_STARTED[text] in look(profile).trouble


def test_a_program_that_its_sandbox_hides_is_told(scene: Scene) -> None:
    had(Tier.BWRAP)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        program = Path(folder, "agent")
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        env = {"PATH": os.environ["PATH"]}
        profile = scene.profile(env, command=(str(program),), params={"sandbox": "auto"})
        assert "which has an empty /tmp" in look(profile).trouble
        (told,) = obstacles(profile)
        assert "params.sandbox to off" in told.fix
        assert not list(obstacles(profile, (folder,)))
        assert not look(scene.profile(env, command=(str(program),))).trouble


NEVER_BEGAN = {
    "echo 'sh: claude-native: not found' >&2; exit 127": "could not be started: sh: claude-native",
    "echo 'x: cannot execute binary file' >&2; exit 126": "could not be started",
    "echo 'x: error while loading shared libraries: libz.so.1' >&2; exit 1": "libz.so.1",
    "echo \"error: unknown option '--setting-sources'\" >&2; exit 1": "--setting-sources",
    "echo 'bwrap: Creating new namespace failed' >&2; exit 1": "in its sandbox: Creating new",
}


@pytest.mark.parametrize("script", NEVER_BEGAN)
def test_what_never_began_is_not_tried_again(scene: Scene, script: str) -> None:
    """It was not billed: no lost call, and no wait, but what to do."""
    profile = scene.profile(command=("/bin/sh", "-c", script, "x"))
    with pytest.raises(FatalError) as caught:
        scene.ask(profile=profile)
    assert NEVER_BEGAN[script] in str(caught.value)
    assert caught.value.fix


def test_a_limit_is_an_error_with_its_reset(scene: Scene) -> None:
    with pytest.raises(RateLimitedError) as caught:
        scene.ask(write("a"), {"do": "limit", "in": 9000})
    assert caught.value.retry_after == pytest.approx(9000, abs=5)


def test_silence_ends_it(scene: Scene) -> None:
    began = time.monotonic()
    with pytest.raises(UnknownOutcomeError, match="said nothing for"):
        scene.ask({"do": "sleep", "seconds": 60}, profile=scene.profile(timeout=0.5))
    assert time.monotonic() - began < 5


def test_it_may_not_go_on_for_ever(scene: Scene) -> None:
    with pytest.raises(UnknownOutcomeError, match="did not end within"):
        scene.ask({"do": "sleep", "seconds": 60}, profile=scene.profile(total_timeout=0.5))


def printing(scene: Scene, what: str, times: int) -> Profile:
    """A provider that prints `what` so many times."""
    script = scene.home / "prints.py"
    script.write_text(f"import sys\nfor _ in range({times}):\n    sys.stdout.write({what!r})\n")
    params = {"reads": "claude-code"}
    command = (sys.executable, str(script))
    return evolve(scene.profile(command=command), params={**params, "sandbox": "off"})


def test_a_program_that_prints_without_end_does_not_fill_the_disk(scene: Scene) -> None:
    kept = 0

    def keep(piece: bytes) -> None:
        nonlocal kept
        kept += len(piece)

    context = evolve(scene.context(), keep=keep)
    with pytest.raises(UnknownOutcomeError, match="printed more than 256 MB"):
        scene.ask(profile=printing(scene, "y" * 4095 + "\n", 10**9), context=context)
    assert 0 < kept <= 256 << 20


def test_a_line_of_many_megabytes_costs_no_more_than_many_short_ones(scene: Scene) -> None:
    began = time.monotonic()
    with pytest.raises(UnknownOutcomeError):  # it does not say how it ended
        scene.ask(profile=printing(scene, "y" * (1 << 20), 60))
    assert sum(map(len, scene.kept)) == (60 << 20) + 1
    assert time.monotonic() - began < 8, "each piece of it copied all that came before"


def test_it_is_stopped_at_the_cap_and_what_it_used_is_known(scene: Scene) -> None:
    steps = ({"do": "use", "tokens": 5000}, {"do": "sleep", "seconds": 60})
    with pytest.raises(TransientError, match="5,001 tokens") as caught:
        scene.ask(*steps, context=scene.context(most_tokens=4000))
    assert caught.value.usage is not None
    assert caught.value.usage.total == 5001
    assert caught.value.retry_after == 0


def test_it_is_stopped_at_a_cap_in_dollars(scene: Scene) -> None:
    """By what its tokens cost, as long as it says no sum itself."""
    steps = ({"do": "use", "tokens": 5000}, {"do": "sleep", "seconds": 60})
    capped = scene.context(most_dollars=0.4, dollars=lambda usage: usage.total / 10_000)
    with pytest.raises(TransientError, match=r"stopped at \$0.50: the budget had \$0.40 left"):
        scene.ask(*steps, context=capped)


@pytest.mark.parametrize("how", ["it ends", "it is cancelled"])
def test_nothing_that_it_started_outlives_it(scene: Scene, how: str) -> None:
    """Not even what ignores signals, in a session of its own, while the program is deaf, too."""
    pid_file = scene.home / "pid"
    steps: list[dict[str, Any]] = [{"do": "linger", "file": str(pid_file)}]
    took = 0.0
    if how == "it ends":
        scene.ask(*steps)
    else:
        steps.append({"do": "sleep", "seconds": 60})
        scene.steps.write_text(json.dumps(steps))
        client = make_client(scene.profile({"AGENT_DEAF": "1"}), SystemClock())

        async def main() -> float:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.generate_completion, PROMPT, scene.context())
                while not pid_file.exists() or not pid_file.read_text():  # noqa: ASYNC110  # a file
                    await anyio.sleep(0.02)
                began = anyio.current_time()
                tasks.cancel_scope.cancel()
            return anyio.current_time() - began

        took = anyio.run(main)
    pid = int(pid_file.read_text())
    assert not this_machine().carries(pid, {})
    assert took < 1.0


def test_a_session_goes_on(scene: Scene) -> None:
    answer = scene.ask(context=scene.context(session="s-7"))
    assert scene.call["argv"][scene.call["argv"].index("--resume") + 1] == "s-7"
    assert answer.service == {"session": "5e55-1"}


def test_a_session_that_is_lost_begins_anew_and_that_is_said(scene: Scene) -> None:
    answer = scene.ask({"do": "lost"}, context=scene.context(session="s-7"))
    assert answer.text == "Done."
    assert "--resume" not in scene.call["argv"]
    assert scene.said == ["Claude Code does not know its session any more: a new one"]


def test_the_tasks_own_commands_are_allowed(scene: Scene) -> None:
    scene.ask(context=scene.context(commands=("pytest -q", "echo (x)")))
    argv = scene.call["argv"]
    assert "Bash(pytest -q:*)" in argv
    assert not any("echo" in word for word in argv)


def test_a_kept_stream_with_an_end_is_an_answer(scene: Scene) -> None:
    scene.ask(write("a.py"), {"do": "say", "text": "There."})
    calls = scene.calls.read_text()
    found = scene.ask(context=scene.context(kept=b"".join(scene.kept)))
    assert (found.text, found.usage.total) == ("There.", 3180)
    assert scene.calls.read_text() == calls


def test_a_kept_stream_without_an_end_is_a_lost_call(scene: Scene) -> None:
    with pytest.raises(UnknownOutcomeError):
        scene.ask(context=scene.context(kept=b'{"type": "system", "subtype": "init"}\n'))


def test_without_a_copy_it_is_asked_in_an_empty_folder(scene: Scene) -> None:
    context = evolve(scene.context(), workplace=Workplace())
    assert scene.ask(context=context).text == "Done."
    assert scene.call["files"] == []
