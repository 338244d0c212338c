"""Keys planted wherever a key can stand: none is on the disk, on the screen or in a child."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.scene import Scene, reply
from tests.e2e.driving import going
from tests.e2e.wire import CHAT, Silence, says_whole, settings
from tests.providers.server import Request, Script, Wire, answer, serving

IN_ENV, IN_CONFIG, IN_HEADER = "sk-env-11aa22bb33cc", "sk-cfg-44dd55ee66ff", "tok-head-77gg88hh99"
ELSEWHERE = "sk-ant-planted-0a1b2c3d4e"
SECRETS = (IN_ENV, IN_CONFIG, IN_HEADER, ELSEWHERE)


def echoes_keys(wire: Wire, request: Request) -> None:
    """A model that says back every key that it was sent, and those it saw elsewhere."""
    seen = " ".join([*request.headers.values(), *SECRETS])
    body = CHAT.whole((f"I saw {seen}\n" + reply(a__py="done"),), CHAT.complete)
    script: Script = answer(body, headers={"x-request-id": f"req-{IN_ENV}"})
    script(wire, request)


def fails_with_keys(wire: Wire, request: Request) -> None:
    """An error that quotes the key, as some servers do."""
    words = f"Incorrect API key provided: {request.headers.get('authorization')} {IN_CONFIG}"
    answer(CHAT.error("invalid", words), status=500)(wire, request)


def planted(scene: Scene, url: str, **own: object) -> None:
    """Three providers, each with its key in another place, and hooks that print all they have."""
    config = settings(url)
    served = {"protocol": "chat", "base_url": f"{url}/v1", "model": "m", "stream": False}
    config["providers"] = {
        "by-env": {**served, "api_key_env": "THE_KEY"},
        "by-config": {**served, "api_key": IN_CONFIG},
        "by-header": {**served, "headers": {"Authorization": f"Bearer {IN_HEADER}"}},
    }
    config["provider"] = "by-env"
    config["hooks"] = {"look": {"command": "env; cat /proc/self/environ | tr '\\0' '\\n'; exit 0"}}
    config["defaults"] = {"pre_hooks": ["look"], "post_hooks": ["look"]}
    scene.write("agent-runner.yml", "")
    scene.config({**config, **own}, bare=True)
    scene.env.update({"THE_KEY": IN_ENV, "ANTHROPIC_API_KEY": ELSEWHERE})
    scene.tasks(
        {"id": "T1"},
        {"id": "T2", "provider": "by-config"},
        {"id": "T3", "provider": "by-header"},
    )


def leaks(folder: Path, but: tuple[str, ...] = ("agent-runner.yml",)) -> list[str]:
    """Files below a folder in which a key stands, plain or encoded."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or path.name in but:
            continue
        raw = path.read_bytes()
        found += [f"{path}: {key}" for key in SECRETS if _holds(raw, key)]
    return found


def _holds(raw: bytes, key: str) -> bool:
    return key.encode() in raw or base64.b64encode(key.encode()) in raw


def test_no_key_reaches_the_disk_the_screen_or_a_hook(scene: Scene) -> None:
    with serving(fails_with_keys, echoes_keys) as server:
        planted(scene, server.url, ledger=True)
        shown = [
            scene.run("run", "--record", "recorded", "--junit", "junit.xml"),
            scene.run("status"),
            scene.run("status", "--json"),
            scene.run("why", "T1"),
            scene.run("debug", "state"),
            scene.run("providers"),
            scene.run("config", "show"),
            scene.run("usage", "--json"),
            scene.run("run", "--help"),
            scene.run("prompt", "T1"),
        ]
        sent = [r.headers["authorization"] for r in server.requests]
    assert shown[0].code == 0, shown[0]
    expected = [IN_ENV, IN_ENV, IN_CONFIG, IN_HEADER]
    assert sent == [f"Bearer {key}" for key in expected]  # the keys were there, and used
    for ended in shown:
        assert not [key for key in SECRETS if key in ended.out + ended.err], ended
    assert not leaks(scene.root)
    assert (scene.project / "recorded/T1/1.json").exists()
    log = scene.read(".agent-runner/logs/T1/pre.log")
    assert "AGENT_RUNNER_TASK=T1" in log
    assert "THE_KEY=" not in log
    assert "ANTHROPIC_API_KEY=" not in log


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["by-env", "by-config", "by-header"])
def test_no_key_is_in_the_title_of_a_process(scene: Scene, provider: str) -> None:
    if not Path("/proc").exists():
        pytest.skip("titles are read from /proc")
    silence = Silence()
    with serving(silence) as server:
        planted(scene, server.url)
        with going(scene, "run", "--provider", provider) as run:
            assert silence.met.wait(20)
            titles = _titles(run.process.pid)
            run.kill()
    assert titles
    assert not [key for key in SECRETS if any(key.encode() in title for title in titles)]
    assert not leaks(scene.root)


def test_no_key_reaches_notify_commands_or_git_hooks_and_what_they_print_is_redacted(
    scene: Scene,
) -> None:
    print_key = f"echo {IN_ENV} {ELSEWHERE}; env >"
    with serving(says_whole(reply(a__py="done"))) as server:
        planted(
            scene,
            server.url,
            git={"commit": "task"},
            notify={"finished": f"{print_key} notified; exit 3"},
        )
        scene.tasks({"id": "T1"})
        scene.env["COPY_OF_IT"] = f"prefix {IN_ENV}"
        for words in (
            ["init", "-q"],
            ["config", "user.name", "a"],
            ["config", "user.email", "a@example.com"],
            ["commit", "-q", "--allow-empty", "-m", "start"],
        ):
            subprocess.run(["git", *words], cwd=scene.project, check=True)
        hook = scene.write(".git/hooks/pre-commit", f"#!/bin/sh\n{print_key} committed; exit 1\n")
        hook.chmod(0o755)
        refused = scene.run("run")
        shown = [refused, scene.run("why", "T1"), scene.run("status", "--json")]
        hook.unlink()
        resumed = scene.run("resume")
    assert "[redacted]" in refused.out
    assert "[redacted]" in resumed.err
    for one in (*shown, resumed):
        assert not [key for key in SECRETS if key in one.out + one.err], one
    for name in ("notified", "committed"):
        assert "PATH=" in scene.read(name)
        assert not [key for key in SECRETS if key in scene.read(name)]
    assert not leaks(scene.project, but=("agent-runner.yml", "pre-commit"))


def _titles(session: int) -> list[bytes]:
    """Command lines of all processes of a session."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if os.getsid(int(folder.name)) == session:
                    found.append((folder / "cmdline").read_bytes())
            except OSError:
                continue  # it ended while we looked
    return found


def test_a_mark_is_written_only_where_it_stands_for_no_key(scene: Scene) -> None:
    """A key of a file that the model saw without it, a key that the model said, and neither."""
    scene.write("keys.py", f"TOKEN = 'ghp_{'a1' * 18}'\nx = 1\n")
    replies = [
        reply(copy__py="TOKEN = '[redacted]'"),
        reply(said__py=f"TOKEN = '{IN_ENV}'"),
        reply(redactor__py="MARK = '[redacted]'"),
    ]
    with serving(*map(says_whole, replies)) as server:
        planted(
            scene, server.url, max_attempts_per_task=1, max_edit_retries=2, hooks={}, defaults={}
        )
        scene.tasks({"id": "T1", "files": ["keys.py"], "post_hooks": []})
        ended = scene.run("run")
        prompts = [str(request.body["messages"]) for request in server.requests]
    assert ended.code == 0, ended
    assert len(prompts) == 3
    assert "[redacted]" in prompts[0]
    assert scene.read("redactor.py") == "MARK = '[redacted]'\n"
    assert not (scene.project / "copy.py").exists()
    assert not (scene.project / "said.py").exists()
