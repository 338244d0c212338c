"""A program that behaves as an agent's command does, and prints the events of Claude Code.

It runs the steps of the JSON list in the file that `AGENT_STEPS` names, and adds how it was called
to the file that `AGENT_CALLS` names. Alone it needs nothing but Python:

    python agent_program.py -p ...

Steps: `write` (path, text, mode), `delete` (path), `link` (path, to), `sleep` (seconds), `print`
(text), `limit` (in, window), `fail` (words, status), `deny` (command), `commit`, `linger` (file:
its pid goes there), `touch` (file), `end`, `finish` (file; it says that it is done, and stays),
`say` (text), `use` (tokens), `exit` (code), `lost` (the session), `once` (steps: the first time).
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SESSION = "5e55-1"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def emit(**event: object) -> None:
    say(json.dumps(event))


def end(text: str, *, error: bool = False, tokens: int = 0, **more: object) -> None:
    counts = {"inputTokens": tokens, "outputTokens": 80 if tokens else 0}
    emit(
        type="result",
        subtype="success",
        is_error=error,
        result=text,
        session_id=SESSION,
        total_cost_usd=0.25 if tokens else 0.0,
        usage={"input_tokens": tokens},
        modelUsage={"m": counts},
        **more,
    )
    sys.exit(1 if error else 0)


def linger(file: str) -> None:
    """Leave a program in a session of its own that shrugs at every signal it can."""
    code = "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{code}time.sleep(300)", file],  # by which it is found
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    Path(file).write_text(str(child.pid))


def do(step: dict[str, object], denials: list[object]) -> None:  # noqa: C901, PLR0912  # a branch a step
    """One step."""
    what, path = step["do"], Path(str(step.get("path", "")))
    if what == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(str(step["text"]).encode("latin-1"))
        path.chmod(int(str(step.get("mode", "644")), 8))
        tool = {"type": "tool_use", "name": "Write", "input": {"file_path": str(path.absolute())}}
        emit(type="assistant", message={"id": str(path), "content": [tool], "usage": {}})
    elif what == "delete":
        path.unlink()
    elif what == "link":
        path.symlink_to(str(step["to"]))
    elif what == "sleep":
        time.sleep(float(str(step["seconds"])))
    elif what == "print":
        say(str(step["text"]))
    elif what == "use":
        usage = {"input_tokens": step["tokens"], "output_tokens": 1}
        emit(type="assistant", message={"id": "big", "content": [], "usage": usage})
    elif what == "limit":
        info = {"status": "rejected", "rateLimitType": step.get("window", "five_hour")}
        info["resetsAt"] = int(time.time()) + int(str(step["in"]))
        emit(type="rate_limit_event", rate_limit_info=info)
        emit(type="assistant", error="rate_limit", message={"content": []})
        end("You've hit your session limit", error=True, api_error_status=429)
    elif what == "fail":
        emit(type="assistant", error=step.get("kind", "unknown"), message={"content": []})
        end(str(step["words"]), error=True, api_error_status=step.get("status"))
    elif what == "deny":
        denials.append({"tool_name": "Bash", "tool_input": {"command": step["command"]}})
    elif what == "commit":
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.invalid"]
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", "mine"], check=True)
        subprocess.run(
            ["git", "config", "core.fsmonitor", str(step.get("monitor", ""))], check=True
        )
    elif what == "linger":
        linger(str(step["file"]))
    elif what == "finish":  # says that it is done, and stays
        emit(type="result", is_error=False, result="There.", modelUsage={}, session_id=SESSION)
        time.sleep(0.5)  # until the runner has read it
        Path(str(step["file"])).touch()
        time.sleep(60)
    elif what == "touch":
        Path(str(step["file"])).touch()
    elif what == "end":
        end("Half.", tokens=3100)
    elif what == "exit":
        os._exit(int(str(step["code"])))


def main() -> None:
    """Do the steps, and say so."""
    if "--version" in sys.argv:
        say("9.9.9 (an agent)")
        return
    if os.environ.get("AGENT_DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    prompt = sys.stdin.read()
    calls = os.environ.get("AGENT_CALLS")
    if calls:
        call = {
            "argv": sys.argv[1:],
            "cwd": str(Path.cwd()),
            "prompt": prompt,
            "env": {**os.environ},
        }
        call["files"] = sorted(str(p.relative_to(".")) for p in Path().rglob("*") if p.is_file())
        with Path(calls).open("a") as file:
            file.write(json.dumps(call) + "\n")
    steps = json.loads(Path(os.environ["AGENT_STEPS"]).read_text())
    text, denials = "Done.", list[object]()
    if "--resume" in sys.argv and any(step["do"] == "lost" for step in steps):
        emit(type="result", is_error=True, errors=["No conversation found with session ID: x"])
        sys.exit(1)
    emit(type="system", subtype="init", session_id=SESSION, cwd=str(Path.cwd()), model="m")
    for step in steps:
        if step["do"] == "once":
            mark = Path(os.environ["AGENT_STEPS"] + ".once")
            if mark.exists():
                continue
            mark.touch()
            for inner in step["steps"]:
                do(inner, denials)
        text = str(step["text"]) if step["do"] == "say" else text
        do(step, denials)
    end(text, tokens=3100, permission_denials=denials)


if __name__ == "__main__":
    main()
