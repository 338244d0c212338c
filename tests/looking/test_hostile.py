"""Files that try to be seen, or to hold a look up: no tool shows them, and each answers at once."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_runner.looking.budget import Budget
from agent_runner.looking.repository_map import own_instructions, top_level_names
from agent_runner.looking.tools import TOOLS, Offer
from agent_runner.model.agent import ToolCall
from agent_runner.model.settings import EditFormat
from tests.looking.scene import Scene, call
from tests.workspace.repos import Repo

SECRET = "hunter2-never-to-be-shown"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture(name="hostile", scope="module")
def _hostile(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A repository in which the secret lies wherever somebody may have put it."""
    top = tmp_path_factory.mktemp("top")
    (top / "outside.txt").write_text(f"{SECRET}\n")
    (top / "outside").mkdir()
    (top / "outside" / "x.txt").write_text(f"{SECRET}\n")
    repo = Repo.created(top / "root")
    for path in (".env", "conf/.env.local", "old.pem", "credentials.json", ".aws/config"):
        repo.write(path, f"PASSWORD={SECRET}\n")
    repo.write("notes.txt", KEY)
    repo.write(".npmrc", f"//r/:_authToken={SECRET}\n")
    repo.write("mine/secret.cfg", f"{SECRET}\n")
    repo.write("Env.txt", "harmless\n")
    repo.write("a.py", "import os\n")
    repo.commit_all(f"Add {SECRET[:7]} things")
    repo.write(".env", f"PASSWORD={SECRET}-2\n")
    repo.write("notes.txt", f"{KEY}more\n")
    repo.write("build/out.txt", f"{SECRET}\n")
    repo.write(".gitignore", "build/\n")
    repo.write(".agent-runner/logs/x.log", f"{SECRET}\n")
    root = repo.root
    (root / "link.txt").symlink_to(".env")
    (root / "out.txt").symlink_to("../outside.txt")
    (root / "outdir").symlink_to("../outside")
    (root / "AGENTS.md").symlink_to("../outside.txt")
    (root / "CLAUDE.md").symlink_to(".env")
    printed = f"ok\nPASSWORD={SECRET}\n{KEY}{SECRET}\n"
    logs = {"unit": printed.encode}
    rooted = "/".join(["d"] * 60)
    repo.write(f"{rooted}/deep.py", "deep\n")
    repo.write("binary.bin", b"\0" + SECRET.encode())
    repo.write("latin.txt", b"caf\xe9\n")
    repo.write("wide.txt", "w" * 3_000_000 + "\n")
    return Scene.of(
        root,
        hide=("mine",),
        hook_logs=logs,
        offer=Offer(EditFormat.REPLACE, git=True, hooks=True),
        search_limit=5.0,
        budget=Budget(20, 1_000_000),
    )


PATHS = [
    *(
        ".env",
        "./.env",
        "conf/../.env",
        ".ENV",
        ".Env",
        "conf/.env.local",
        "old.pem",
        ".aws/config",
    ),
    *(
        "credentials.json",
        "notes.txt",
        ".npmrc",
        "mine/secret.cfg",
        "mine",
        "mine/*",
        "MINE/secret.cfg",
    ),
    *("link.txt", "out.txt", "outdir", "outdir/x.txt", "../outside.txt", "../outside/x.txt"),
    *("build/out.txt", "build", ".agent-runner", ".agent-runner/logs/x.log", ".git/config", ".git"),
    *("*", "**", "**/*", ".*", "**/.env*", "[.]env", "?env", ".e*", "/etc/passwd", "~/.ssh/id_rsa"),
    *(
        "/proc/self/environ",
        "/dev/stdin",
        "a.py/../.env",
        ".env\0",
        ".env\n",
        "",
        ".",
        "..",
        "%2eenv",
    ),
    *("AGENTS.md", "CLAUDE.md", "binary.bin", ":(glob)**", ":/", "-p", "--output=x", ".env:1-2"),
]


@pytest.mark.parametrize("path", PATHS)
def test_the_secret_is_in_no_answer(hostile: Scene, path: str) -> None:
    absolute = f"{hostile.root}/{path}"
    asks = [
        *(("read_file", {"path": one}) for one in (path, absolute)),
        *(("list_files", {"path": one, "depth": 9}) for one in (path, absolute)),
        ("search", {"pattern": "hunter|PASSWORD|.", "path": path}),
        ("git_log", {"path": path}),
        ("git_diff", {"path": path}),
        ("git_diff", {"from_revision": "HEAD", "to_revision": "HEAD~0", "path": path}),
        ("git_diff", {"from_revision": f"HEAD:{path}"}),
        ("edit_file", {"path": path, "old_text": "PASSWORD=", "new_text": "x"}),
        ("edit_file", {"path": path, "old_text": "", "new_text": "x\n"}),
        ("move_file", {"path": path, "to": "seen.txt"}),
        ("read_file", {"path": "seen.txt"}),
    ]
    answered = hostile.answered(*(call(name, arguments) for name, arguments in asks))
    for answer, look in zip(answered.answers, answered.looks, strict=True):
        assert SECRET not in answer.text, answer
        assert SECRET not in f"{look.brief}{look.outcome}"
        assert answer.text
        assert not answer.text.startswith("not run")


def test_whole_looks_hold_no_secret(hostile: Scene) -> None:
    texts = [
        hostile.text("list_files", depth=99),
        hostile.text("search", pattern="."),
        hostile.text("git_log", count=30),
        hostile.text("git_diff"),
        hostile.text("hook_output", hook="unit"),
        hostile.text("hook_output", hook="unit", pattern="hunter"),
        hostile.text("hook_output", hook="unit", pattern="o"),
        "".join(top_level_names(hostile.toolbox.files(), ["notes.txt", ".env", "link.txt"], 4_000)),
        "".join(file.text for file in own_instructions(hostile.toolbox.files())),
    ]
    for text in texts:
        assert SECRET not in text
    for name in (".env", "credentials.json", "old.pem", "mine/", "build/"):
        assert name not in texts[0] + texts[2] + texts[3], name


def test_a_secret_cannot_be_guessed_by_what_a_search_counts(hostile: Scene) -> None:
    for pattern in ("hunter2", "hunter3", "BEGIN OPENSSH", "_authToken"):
        assert "no match" in hostile.text("search", pattern=pattern), pattern


def test_text_that_is_none_is_refused_in_words(hostile: Scene) -> None:
    assert "not UTF-8" in hostile.error("read_file", path="latin.txt")
    assert "binary" in hostile.error("read_file", path="binary.bin")
    assert "2,998,000 more characters" in hostile.text("read_file", path="wide.txt")
    assert hostile.text("search", pattern="w+").startswith('"w+": ')
    assert "deep.py" in hostile.text("search", pattern="deep", path="**/deep.py")


def test_pipes_sockets_and_devices_hold_nothing_up(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path / "root")
    scene.write({"a.py": "x\n"})
    os.mkfifo(scene.root / "pipe.py")
    listening = socket.socket(socket.AF_UNIX)
    here = os.open(scene.root, os.O_RDONLY)
    listening.bind(f"/proc/self/fd/{here}/socket.py")
    (scene.root / "zero.py").symlink_to("/dev/zero")
    before = time.perf_counter()
    for path in ("pipe.py", "socket.py", "zero.py"):
        assert "is not shown" in scene.error("read_file", path=path)
    assert "1 match in 1 file" in scene.text("search", pattern="x")
    scene.text("list_files")
    assert scene.ask("edit_file", path="pipe.py", old_text="a", new_text="b").is_error
    assert time.perf_counter() - before < 5
    listening.close()
    os.close(here)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take no such names")
def test_names_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path / "root")
    scene.write({"a.py": "x\n", "new\nline.py": "x\n"})
    Path(os.fsdecode(bytes(scene.root) + b"/caf\xe9.py")).write_text("x\n")
    for text in (scene.text("list_files"), scene.text("search", pattern="x", path="**/*.py")):
        text.encode()
        assert "caf\\udce9.py" in text
        assert "new\\nline.py" in text


def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path: Path) -> None:
    repo = Repo.created(tmp_path / "root")
    repo.write("sub/x.txt", "harmless\n")
    repo.commit_all()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.txt").write_text(f"{SECRET}\n")
    subprocess.run(["rm", "-r", repo.root / "sub"], check=True)
    (repo.root / "sub").symlink_to(tmp_path / "outside")
    scene = Scene.of(repo.root)
    for name, arguments in [
        ("read_file", {"path": "sub/x.txt"}),
        ("search", {"pattern": "hunter"}),
        ("git_diff", {}),
        ("edit_file", {"path": "sub/x.txt", "old_text": "hunter", "new_text": "x"}),
    ]:
        assert SECRET not in scene.ask(name, arguments).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
NAMES = sorted({argument.name for tool in TOOLS.values() for argument in tool.arguments})
ARGUMENTS = (
    st.dictionaries(st.sampled_from([*NAMES, "offset", "limit", "view_range", "file"]), JSON)
    .map(json.dumps)
    .flatmap(lambda text: st.just(text) | st.integers(0, len(text)).map(lambda at: text[:at]))
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(name=st.sampled_from([*sorted(TOOLS), "nonsense"]), arguments=ARGUMENTS | st.text())
def test_any_call_is_answered_in_words(hostile: Scene, name: str, arguments: str) -> None:
    calls = [ToolCall("c", name, arguments), ToolCall("d", name, arguments, freeform=True)]
    answered = hostile.answered(*calls)
    for answer, look in zip(answered.answers, answered.looks, strict=True):
        assert answer.text.strip()
        assert len(answer.text) <= 24_600
        answer.text.encode()
        assert look.brief.isprintable()
        assert look.outcome.isprintable()
        assert look.characters == len(answer.text)
