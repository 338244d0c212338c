"""What a confined command can do and cannot, by every means that there is here; real commands."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent_runner.model.errors import InvariantError
from agent_runner.sandbox.confinement import Confinement, Copied, Overlay, Tier, home_secrets
from agent_runner.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import run

PYTHON = os.path.realpath(sys.executable)  # an environment below /tmp is hidden


def in_place(home: Path, *, network: bool = False) -> Confinement:
    return Confinement(writable=(home / "project",), masked=home_secrets(home), network=network)


def test_writes_in_its_folder_and_nowhere_else(sandbox: Sandbox, home: Path) -> None:
    command = "echo b > src/b.py && echo x > ../outside; echo $?; cat ../notes.txt"
    ran = run(sandbox, command, in_place(home), home / "project")
    assert (home / "project/src/b.py").read_text() == "b\n"
    assert not (home / "outside").exists()
    assert ran.code == 0 or "notes.txt" in ran.output


@pytest.mark.parametrize("change", ["rm", "truncate -s 0", "chmod 777", "ln -s /etc", "mkdir"])
def test_no_change_of_any_kind_outside(sandbox: Sandbox, home: Path, change: str) -> None:
    before = (home / "notes.txt").stat().st_mode
    run(sandbox, f"{change} ../notes.txt ../new", in_place(home), home / "project")
    after = home / "notes.txt"
    if change == "chmod 777" and sandbox.tier is Tier.LANDLOCK:
        pytest.skip("Landlock knows no right to change a mode")
    assert (after.read_text(), after.stat().st_mode) == ("notes", before)
    assert sorted(os.listdir(home)) == [".netrc", ".ssh", "notes.txt", "project"]


def test_reads_no_key_of_the_home_folder(sandbox: Sandbox, home: Path) -> None:
    command = "cat ~/.ssh/* ~/.netrc; cp -r ~/.ssh copied; cat copied/*; cat ~/.ssh/id_ed25519"
    env = {**os.environ, "HOME": str(home)}
    ran = run(sandbox, command, in_place(home), home / "project", env)
    assert "PRIVATE" not in ran.output
    assert ran.code != 0


def test_a_key_folder_that_is_a_link_is_masked_where_it_leads(sandbox: Sandbox, home: Path) -> None:
    (home / ".ssh").rename(home / "dotfiles")
    (home / ".ssh").symlink_to(home / "dotfiles")
    ran = run(sandbox, "cat ../dotfiles/*  ../.ssh/*", in_place(home), home / "project")
    assert "PRIVATE" not in ran.output


def test_the_longer_path_decides(sandbox: Sandbox, home: Path) -> None:
    """A project within a masked folder is written; `home` is emptied by the sandbox or readable."""
    inside = home / ".ssh" / "project"
    inside.mkdir()
    confinement = Confinement(writable=(inside,), masked=(home / ".ssh",))
    ran = run(sandbox, "echo a > a; cat a ../id_ed25519", confinement, inside)
    assert (inside / "a").read_text() == "a\n"
    assert "PRIVATE" not in ran.output


def test_what_is_seen_within_a_masked_folder_hides_what_is_masked_in_it(
    sandbox: Sandbox, home: Path
) -> None:
    """Such as a repository around the task, in a folder that is masked or emptied."""
    (home / ".ssh/repository/sub").mkdir(parents=True)
    (home / ".ssh/repository/README").write_text("about")
    (home / ".ssh/repository/.env").write_text("PRIVATE")
    confinement = Confinement(
        writable=(home / ".ssh/repository/sub",),
        read_only=(home / ".ssh/repository", home),
        masked=(home / ".ssh", home / ".ssh/repository/.env", home / ".netrc"),
    )
    command = "cat ../README ../.env ../../id_ed25519 ../../../.netrc; echo x > ../new; echo x > a"
    ran = run(sandbox, command, confinement, home / ".ssh/repository/sub")
    assert "about" in ran.output
    assert "PRIVATE" not in ran.output
    assert not (home / ".ssh/repository/new").exists()
    assert (home / ".ssh/repository/sub/a").exists()


@pytest.mark.parametrize("network", [True, False])
def test_reaches_a_server_of_this_machine_only_with_network(
    sandbox: Sandbox, home: Path, network: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        ran = run(sandbox, [PYTHON, "-c", code], in_place(home, network=network), home / "project")
    assert (ran.code == 0) is network


def test_speaks_no_udp_without_network(sandbox: Sandbox, home: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        where = server.getsockname()
        code = f"import socket; socket.socket(2, 2).sendto(b'secret', {where})"
        run(sandbox, [PYTHON, "-c", code], in_place(home), home / "project")
        with pytest.raises(TimeoutError):
            server.recv(10)


def test_no_service_outside_does_its_work(sandbox: Sandbox, home: Path) -> None:
    """Such as systemd, on the bus of the session: `systemd-run --user` would leave the sandbox."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        path = f"{folder}/bus"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            code = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
            ran = run(sandbox, [PYTHON, "-c", code], in_place(home, network=True), home / "project")
    assert ran.code == 1
    assert "Error" in ran.output


def test_pairs_of_sockets_and_pipes_work(sandbox: Sandbox, home: Path) -> None:
    code = "import socket; a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))"
    assert run(sandbox, [PYTHON, "-c", code], in_place(home), home).output == "b'x'\n"


def test_has_a_temporary_folder_of_its_own(sandbox: Sandbox, home: Path) -> None:
    command = 'mktemp && cd "$TMPDIR" && pwd && echo x > left && test -w .'
    ran = run(sandbox, command, in_place(home), home / "project")
    assert ran.code == 0, ran.output
    assert not Path("/tmp/left").exists()
    named = Path(ran.output.splitlines()[-1])
    assert named == Path("/tmp") or not named.exists()  # what it had is gone with it


def test_the_exit_code_is_that_of_the_command(sandbox: Sandbox, home: Path) -> None:
    for command, code in (("exit 3", 3), ("kill -9 $$", 137), ("nonsense-xyz", 127)):
        assert run(sandbox, command, in_place(home), home / "project").code == code


def test_has_no_way_to_agents_and_buses(sandbox: Sandbox, home: Path) -> None:
    env = {**os.environ, "SSH_AUTH_SOCK": "/x", "DBUS_SESSION_BUS_ADDRESS": "/y"}
    ran = run(sandbox, "echo $SSH_AUTH_SOCK$DBUS_SESSION_BUS_ADDRESS.", in_place(home), home, env)
    assert ran.output == ".\n"


def test_sees_no_variable_of_the_runner(sandbox: Sandbox, home: Path) -> None:
    """The runner's own environment holds the keys that hooks are not given."""
    with subprocess.Popen(["sleep", "60"], env={"PLANTED_KEY": "PRIVATE"}) as other:
        try:
            paths = f"/proc/{other.pid}/environ /proc/[0-9]*/environ"
            ran = run(sandbox, f"cat {paths} | tr '\\0' '\\n'", in_place(home), home / "project")
        finally:
            other.kill()
    assert "PLANTED_KEY" not in ran.output


@pytest.mark.parametrize("name", ["kernel/core_pattern", "vm/swappiness"])
def test_sets_nothing_of_the_kernel(sandbox: Sandbox, home: Path, name: str) -> None:
    """A core_pattern of `|/program` would have the kernel run it as root, outside."""
    path = Path("/proc/sys", name)
    value = path.read_text().strip()
    ran = run(sandbox, f"echo '{value}' > {path} && echo set", in_place(home), home / "project")
    assert "set" not in ran.output.split()


def test_reads_no_disk_as_a_whole(sandbox: Sandbox, home: Path) -> None:
    disks = [path for path in Path("/dev").iterdir() if path.is_block_device()]
    for disk in disks:
        ran = run(sandbox, f"head -c1 {disk} && echo read", in_place(home), home / "project")
        assert "read" not in ran.output.split(), disk


def test_has_the_usual_devices(sandbox: Sandbox, home: Path) -> None:
    command = (
        "head -c1 /dev/zero >/dev/null && head -c1 /dev/urandom >/dev/null && echo ok > /dev/stdout"
    )
    assert run(sandbox, command, in_place(home), home / "project").output.endswith("ok\n")


def test_has_no_rights_of_root(sandbox: Sandbox, home: Path) -> None:
    ran = run(sandbox, "grep CapEff /proc/self/status", in_place(home), home / "project")
    assert ran.output.split() == ["CapEff:", "0000000000000000"]


def test_a_copy_stands_in_for_the_original(sandbox: Sandbox, home: Path, lasting: Path) -> None:
    original, copy = home / "project", lasting / "copy"
    shutil.copytree(original, copy)
    confinement = Confinement(mount=Copied(original, copy), masked=home_secrets(home))
    command = "pwd; echo new > src/a.py; rm .env; cat src/a.py"
    ran = run(sandbox, command, confinement, original)
    assert (original / "src/a.py").read_text() == "a = 1\n"
    assert (original / ".env").exists()
    assert (copy / "src/a.py").read_text() == "new\n"
    assert not (copy / ".env").exists()
    assert ran.output == f"{original if sandbox.tier.mounts else copy}\nnew\n"


def test_files_within_are_masked_or_it_is_said(sandbox: Sandbox, home: Path) -> None:
    project = home / "project"
    confinement = Confinement(
        writable=(project,), masked=(project / ".env",), read_only=(project / "src",), network=True
    )
    ran = run(sandbox, "cat .env; echo x > src/a.py", confinement, project)
    gaps = sandbox.wrapped(["true"], confinement, cwd=project).gaps
    if sandbox.tier.mounts:
        assert gaps == ()
        assert "PRIVATE" not in ran.output
        assert (project / "src/a.py").read_text() == "a = 1\n"
    else:
        assert gaps == (f"{project}/src can be written", f"{project}/.env can be read")


def test_an_overlay_takes_what_is_written_with_it(overlays: Sandbox, home: Path) -> None:
    project = home / "project"
    confinement = Confinement(mount=Overlay(project), masked=(project / ".env",))
    command = "echo new > src/a.py; rm -r src; ls -A; cat .env; echo b > b"
    ran = run(overlays, command, confinement, project)
    assert (project / "src/a.py").read_text() == "a = 1\n"
    assert not (project / "b").exists()
    assert "PRIVATE" not in ran.output
    assert "src" not in ran.output.split()


def test_an_overlay_that_is_kept_is_seen_again(
    overlays: Sandbox, home: Path, lasting: Path
) -> None:
    project, kept = home / "project", lasting / "kept"
    for name in ("upper", "work"):
        (kept / name).mkdir(parents=True)
    confinement = Confinement(mount=Overlay(project, kept))
    run(overlays, "echo new > src/a.py; rm .env", confinement, project)
    ran = run(overlays, "cat src/a.py; ls -A", confinement, project)
    assert ran.output == "new\nsrc\n"
    assert (project / "src/a.py").read_text() == "a = 1\n"
    assert (kept / "upper/src/a.py").read_text() == "new\n"


def test_whoever_wants_an_overlay_without_one_has_a_bug(landlock: Sandbox, home: Path) -> None:
    with pytest.raises(InvariantError):
        landlock.wrapped(["true"], Confinement(mount=Overlay(home)), cwd=home)


@pytest.mark.parametrize("name", ["with space", "a:b", "a,b", "back\\slash", "ümlaut", "-dash"])
def test_odd_names_of_folders(sandbox: Sandbox, lasting: Path, name: str) -> None:
    folder = lasting / name
    folder.mkdir()
    (folder / "a").write_text("a")
    confinement = Confinement(writable=(folder,))
    if sandbox.tier.overlays:
        confinement = Confinement(mount=Overlay(folder))
    assert run(sandbox, "cat a && echo b > b && cat b", confinement, folder).output == "ab\n"
