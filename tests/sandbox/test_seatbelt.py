"""The profile for macOS's `sandbox-exec`, as text: no machine that we test on can run it."""

from pathlib import Path

from agent_runner.sandbox.confinement import Confinement, Copied, Tier
from agent_runner.sandbox.sandbox import Sandbox
from agent_runner.sandbox.seatbelt import profile


def rules(confinement: Confinement) -> list[str]:
    return profile(confinement).splitlines()


def test_writes_nowhere_but_where_it_may(tmp_path: Path) -> None:
    found = rules(Confinement(writable=(tmp_path,)))
    assert found[:3] == ["(version 1)", "(allow default)", "(deny file-write*)"]
    assert f'(allow file-read* file-write* (subpath "{tmp_path}"))' in found


def test_the_longer_path_stands_later_and_so_holds(tmp_path: Path) -> None:
    for name in ("home/.ssh", "home/project/.git"):
        (tmp_path / name).mkdir(parents=True)
    home = tmp_path / "home"
    found = rules(
        Confinement(
            writable=(home / "project",),
            read_only=(home / "project/.git",),
            masked=(home / ".ssh", home / "none"),
        )
    )
    wanted = [
        f'(allow file-read* file-write* (subpath "{home}/project"))',
        f'(deny file-read* file-write* (subpath "{home}/.ssh"))',
        f'(deny file-write* (subpath "{home}/project/.git"))',
    ]
    assert sorted(map(found.index, wanted)) == [found.index(rule) for rule in wanted]
    assert not any("none" in rule for rule in found)


def test_network_is_this_machine_only_unless_it_is_wanted(tmp_path: Path) -> None:
    assert "(deny network*)" in rules(Confinement())
    assert not any("network" in rule for rule in rules(Confinement(network=True)))


def test_a_copy_is_used_at_its_own_path_and_quotes_are_escaped(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / 'a "copy"'
    original.mkdir()
    copy.mkdir()
    (original / ".env").write_text("")
    confinement = Confinement(mount=Copied(original, copy), masked=(original / ".env",))
    sandbox = Sandbox(Tier.SEATBELT, "/usr/bin/sandbox-exec")
    wrapped = sandbox.wrapped(["make", "test"], confinement, cwd=original / "src")
    assert wrapped.cwd == copy / "src"
    assert wrapped.argv[:2] == ("/usr/bin/sandbox-exec", "-p")
    assert wrapped.argv[3:] == ("make", "test")
    text = wrapped.argv[2]
    assert f'(allow file-read* file-write* (subpath "{tmp_path}/a \\"copy\\""))' in text
    assert f'(deny file-read* file-write* (subpath "{original}/.env"))' in text
