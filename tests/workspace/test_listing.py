"""What the agent is shown, what it is not, and the reason it is given."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.shown_files import FileText, Listing, NotShown
from agent_runner.workspace.listing import MOST, overview, show
from agent_runner.workspace.names import Scope, file_names
from agent_runner.workspace.secrets import holds_secret, looks_secret
from tests.workspace.repos import Repo

ROOM = 100_000


@pytest.fixture(params=["git", "no git"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Repo:
    """A folder to list, with and without git."""
    root = tmp_path / "root"
    return Repo.created(root) if request.param == "git" else Repo(root)


def shown(repo: Repo, *asked: str, room: int = ROOM) -> Listing:
    return shown_of(Scope(repo.root), asked, room)


def shown_of(scope: Scope, asked: Sequence[str], room: int = ROOM) -> Listing:
    return show(scope, file_names(scope), asked, room)


def paths(listing: Listing) -> list[str]:
    return [file.path for file in listing.files]


def reason(repo: Repo, path: str) -> str:
    listing = shown(repo, path)
    assert listing.files == ()
    (left_out,) = listing.left_out
    assert left_out.path == path
    return left_out.reason


def test_paths_folders_and_globs_in_the_order_asked(folder: Repo) -> None:
    for path in ("b.py", "a.py", "src/z.py", "src/deep/y.py", "docs/d.md", "c.txt"):
        folder.write(path, path)
    listing = shown(folder, "src/", "*.py", "./docs/d.md", "!src/z.py")
    assert paths(listing) == ["src/deep/y.py", "a.py", "b.py", "docs/d.md"]
    assert listing.files[1] == FileText("a.py", "a.py")
    assert listing.left_out == ()
    assert len(paths(shown(folder, "."))) == 6


def test_names_that_look_like_patterns_are_names_first(folder: Repo) -> None:
    for path in ("[a].py", "a.py", "a:1-2", "-x", "new\nline", "é"):
        folder.write(path)
    for path in ("[a].py", "a:1-2", "-x", "new\nline", "é"):
        assert paths(shown(folder, path)) == [path]


def test_a_plain_name_is_that_path_only(folder: Repo) -> None:
    folder.write("README.md")
    folder.write("deep/README.md")
    assert paths(shown(folder, "README.md")) == ["README.md"]


def test_text_comes_as_it_stands(folder: Repo) -> None:
    for text in ("\ufeffbom\r\nmixed\nno end", "", "\x0c\u2028odd separators\n"):
        folder.write("t", text)
        assert shown(folder, "t").files == (FileText("t", text),)


def test_lines_can_be_asked_for(folder: Repo) -> None:
    folder.write("long", "".join(f"{n}\n" for n in range(1, 101)))
    assert shown(folder, "long:3-5").files == (FileText("long", "3\n4\n5\n", "3-5"),)
    assert shown(folder, "long:99-500").files[0].text == "99\n100\n"
    assert shown(folder, "long:0-1").files[0].text == "1\n"
    assert shown(folder, "long:200-300").left_out == (NotShown("long", "it has 100 lines"),)
    assert shown(folder, "long:9-3").files == ()


def test_what_does_not_fit_is_cut_after_a_line_and_the_rest_can_be_asked_for(folder: Repo) -> None:
    folder.write("a", "x" * 99 + "\n")
    folder.write("long", "".join(f"line {n:5}\n" for n in range(1, 1001)))
    listing = shown(folder, "a", "long", "a", room=3_000)
    assert paths(listing) == ["a", "long"]
    file = listing.files[1]
    last = int(file.lines.removeprefix("1-"))
    assert file.text.endswith(f"line {last:5}\n")
    assert len(file.text) <= 2_900
    rest = f"long:{last + 1}-1000"
    assert listing.left_out == (NotShown("long", f"no room for more; ask for {rest}"),)
    assert shown(folder, rest).files[0].text.startswith(f"line {last + 1:5}\n")


def test_there_is_a_bound_to_how_many(folder: Repo) -> None:
    for n in range(MOST + 20):
        folder.write(f"f{n:03}", "")
    listing = shown(folder, "*")
    assert len(listing.files) == MOST
    assert len(listing.left_out) == 20


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("bin", b"a\0b", "it is a binary file"),
        ("latin", b"caf\xe9", "it is not UTF-8 text"),
        (".env.local", b"A=1", "it looks like a secret"),
        ("deep/id_rsa", b"x", "it looks like a secret"),
        ("notes", b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "it holds a key"),
        (".npmrc", b"//registry.example.org/:_authToken=abc", "it holds a key"),
        ("huge", b"a" * ((8 << 20) + 1), "it is too large (8,388,609 bytes)"),
    ],
)
def test_what_is_never_shown(folder: Repo, path: str, content: bytes, expected: str) -> None:
    folder.write(path, content)
    assert reason(folder, path).startswith(expected)
    assert shown(folder, "**").files == ()


def test_a_npmrc_without_a_token_is_shown(folder: Repo) -> None:
    folder.write(".npmrc", "save-exact=true\n//r.example.org/:_authToken=${NPM_TOKEN}\n")
    assert paths(shown(folder, ".npmrc")) == [".npmrc"]


def test_links_and_what_lies_outside_are_not_shown(folder: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("out")
    folder.write("dir/a")
    (folder.root / "link").symlink_to(tmp_path / "outside" / "secret.txt")
    (folder.root / "folder").symlink_to(tmp_path / "outside")
    assert reason(folder, "link").startswith("it is a symbolic link to ")
    assert reason(folder, "folder/secret.txt") == "a symbolic link leads to it"
    for path in ("../outside/secret.txt", str(tmp_path / "outside/secret.txt"), "~/x", "a\0b"):
        assert reason(folder, path) == "it lies outside the task's folder"
    assert paths(shown(folder, "**", "../**", "/**")) == ["dir/a"]


def test_a_link_put_in_place_of_a_tracked_folder_is_not_followed(tmp_path: Path) -> None:
    repo = Repo.created(tmp_path / "root")
    repo.write("d/a.txt")
    repo.commit_all()
    (repo.root / "d").rename(tmp_path / "moved")
    (repo.root / "d").symlink_to(tmp_path / "moved")
    assert reason(repo, "d/a.txt") == "a symbolic link leads to it"


def test_pipes_do_not_hang_it(tmp_path: Path) -> None:
    repo = Repo.created(tmp_path / "root")
    repo.write("a")
    repo.commit_all()
    (repo.root / "a").unlink()
    os.mkfifo(repo.root / "a")
    assert reason(repo, "a") == "it is no regular file"


def test_ignored_files_are_not_shown(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n/out/\n")
    repo.write("a.log")
    repo.write("out/b")
    assert reason(repo, "a.log") == "git ignores it"
    assert reason(repo, "out/b") == "git ignores it"
    assert shown(repo, "out").left_out[0].reason in {
        "git ignores it",
        "the folder holds no files to show",
    }
    assert paths(shown(repo, "**")) == [".gitignore"]


def test_a_missing_file_gets_the_names_it_may_have(folder: Repo) -> None:
    folder.write("src/shop/prices.py")
    folder.write("src/shop/other.txt")
    assert reason(folder, "src/shop/price.py").startswith(
        "there is no such file; there are: src/shop/prices.py"
    )
    assert reason(folder, "prices.py") == "there is no such file; there are: src/shop/prices.py"
    assert reason(folder, "qqqqqq") == "there is no such file"
    assert shown(folder, "*.qq").left_out == (NotShown("*.qq", "no file matches"),)


def test_state_and_git_folders_are_not_shown(repo: Repo) -> None:
    repo.write(".agent-runner/config.yml")
    repo.write("state/journal")
    assert reason(repo, ".git/config") == "it is not part of the task's files"
    assert reason(repo, ".agent-runner/config.yml") == "it is not part of the task's files"
    listing = shown_of(Scope(repo.root, (repo.root / "state",)), ["state/journal"], ROOM)
    assert listing.left_out[0].reason == "it is not part of the task's files"


def test_files_of_a_repository_inside_are_shown(repo: Repo) -> None:
    inner = Repo.created(repo.root / "inner")
    inner.write("a.py", "inner\n")
    inner.commit_all()
    assert paths(shown(repo, "inner/a.py")) == ["inner/a.py"]


def test_an_overview_has_every_name_or_folders_with_counts(folder: Repo) -> None:
    for n in range(10):
        folder.write(f"src/a/f{n}")
        folder.write(f"src/b/f{n}")
    folder.write("top")
    folder.write(".env")
    scope = Scope(folder.root)
    assert len(overview(file_names(scope))) == 21
    assert overview(file_names(scope), limit=5) == ("src/a/ (10 files)", "src/b/ (10 files)", "top")
    assert overview(file_names(scope), limit=2) == ("src/ (20 files)", "top")
    for n in range(9):
        folder.write(f"g{n}")
    assert overview(file_names(scope), limit=4) == ("g0", "g1", "g2", "... and 8 more")
    assert overview(file_names(Scope(folder.root / "none"))) == ()


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".env.production", "config/.ENV", "prod.env", ".envrc", "server.pem", "tls.key"),
        *("id_rsa", "id_rsa.pub", "id_ed25519", "credentials", "credentials.json", ".netrc"),
        *("aws/credentials.ini", "client_secret_1.json", "secrets.yaml", "kubeconfig.yml"),
        *(
            ".kube/config",
            ".ssh/known_hosts",
            ".aws/config",
            "a.p12",
            ".pypirc",
            "terraform.tfstate",
        ),
        *("service-account.json", ".docker/config.json", ".git-credentials", "x.kdbx", ".env.py"),
    ],
)
def test_secrets_are_told_by_their_names(path: str) -> None:
    assert looks_secret(path)
    assert looks_secret(f"deep/er/{path}")


@pytest.mark.parametrize(
    "path",
    [
        *("environment.py", "src/secrets.py", "credentials.py", "docs/secrets.md", "keys.py"),
        *("monkey.txt", "pem.go", "kube/deploy.yml", "docker/config.json", "tokenizer.py"),
        *(".npmrc", "src/credentials/store.ts", "envelope.txt", ".gitignore"),
    ],
)
def test_other_names_are_no_secrets(path: str) -> None:
    assert not looks_secret(path)


def test_a_key_in_the_middle_of_source_is_seen() -> None:
    assert holds_secret("a.py", "x\n-----BEGIN RSA PRIVATE KEY-----\nMII\n")
    assert not holds_secret("a.py", 'HEADER = "-----BEGIN RSA PRIVATE KEY-----"\n')
    assert holds_secret("pip.conf", "index-url = https://me:word@example.org/simple")
    assert not holds_secret("pip.conf", "index-url = https://example.org/simple")


@given(st.text(alphabet="ab./~*:[]!\0\n-1é", max_size=12))
def test_any_request_gets_an_answer(tmp_path_factory: pytest.TempPathFactory, wish: str) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    Repo(root).write("a/b", "x\n")
    listing = shown_of(Scope(root), [wish], ROOM)
    assert {file.path for file in listing.files} <= {"a/b"}
