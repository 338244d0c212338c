"""What a first message says of a repository: map, symbols, instructions, files that are named."""

import time

import pytest

from agent_runner.looking.mentions import Mention, mentioned
from agent_runner.looking.repository_map import own_instructions, symbols, top_level_names
from agent_runner.model.shown_files import FileText
from tests.looking.scene import Scene


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "class A:\n    def no(self): ...\nasync def b(): ...\ndef c(): ...\n", "A b c"),
        (
            "a.ts",
            "export default class A {}\nexport const b = 1\ninterface C {}\n  let no\n",
            "A b C",
        ),
        ("a.go", "type A struct{}\nfunc (a *A) B() {}\nfunc C() {}\n", "A B C"),
        ("a.rs", "pub struct A;\npub(crate) async fn b() {}\nimpl A {}\n", "A b"),
        ("A.java", "public final class A {\n    private static class B {}\n}\n", "A B"),
        ("a.c", "static int a(void) {\nstruct b {\nint c = 1;\nchar *d(int x)\n", "a b d"),
        ("a.rb", "module A\n  def self.b\n", "A b"),
        ("a.sh", "a() {\nfunction b () {\n", "a b"),
        ("a.txt", "def a(): ...\n", ""),
    ],
)
def test_symbols_of_a_language(path: str, text: str, names: str) -> None:
    assert symbols(path, text) == tuple(names.split())


@pytest.mark.parametrize("ending", ["py", "ts", "go", "rs", "java", "c", "rb", "sh", "php"])
@pytest.mark.parametrize(
    "text", ["a" * 400_000, "a " * 200_000, "a::" * 130_000, "static " * 60_000]
)
def test_no_file_holds_the_map_up(ending: str, text: str) -> None:
    before = time.perf_counter()
    symbols(f"x.{ending}", text)
    assert time.perf_counter() - before < 3


def test_names_in_files_that_matter_are_told_as_far_as_there_is_room(scene: Scene) -> None:
    scene.write(
        {"src/a.py": "def one(): ...\n", "b.py": "class B: ...\n", ".env": "def x(): ...\n"}
    )
    files = scene.toolbox.files()
    asked = ["src/a.py", ".env", "no.py", "b.py", "b.py"]
    assert top_level_names(files, asked, 2_000) == ("src/a.py: one", "b.py: B")
    assert top_level_names(files, asked, 15) == ("src/a.py: one", "... and 1 more file")
    assert top_level_names(files, [], 100) == ()


def test_instructions_are_the_repositorys_own(scene: Scene) -> None:
    scene.write({"AGENTS.md": "Use tabs.\n", "CLAUDE.md": "Use tabs.\n"})
    assert own_instructions(scene.toolbox.files()) == (FileText("AGENTS.md", "Use tabs.\n"),)
    scene.write({"CLAUDE.md": "line\n" * 5_000})
    first, second = own_instructions(scene.toolbox.files())
    assert second.lines == f"1-{second.text.count('line')}"
    assert len(first.text) + len(second.text) <= 8 << 10


def test_instructions_behind_a_link_are_only_the_tasks_own(scene: Scene) -> None:
    scene.write({"docs/agents.md": "Be kind.\n", ".env": "hunter2\n", "../outside.md": "hunter2\n"})
    (scene.root / "AGENTS.md").symlink_to("docs/agents.md")
    (scene.root / "CLAUDE.md").symlink_to("../outside.md")
    assert own_instructions(scene.toolbox.files()) == (FileText("AGENTS.md", "Be kind.\n"),)
    (scene.root / "CLAUDE.md").unlink()
    (scene.root / "CLAUDE.md").symlink_to(".env")
    assert len(own_instructions(scene.toolbox.files())) == 1


def test_files_named_in_output_are_found_with_their_lines(scene: Scene) -> None:
    scene.write(dict.fromkeys(("src/a.py", "src/b.ts", "lib/c.rs", "t/test_d.py", ".env"), "x\n"))
    text = f"""
  File "{scene.root}/src/a.py", line 12, in f
  File "/app/elsewhere/src/a.py", line 30, in g
  File "/usr/lib/python3/json/a.py", line 1
src/b.ts(4,5): error TS1
   --> lib/c.rs:10:5
FAILED t/test_d.py::test_x - .env:1
"""
    assert mentioned(text, scene.toolbox.files()) == (
        Mention("src/a.py", (12, 30)),
        Mention("src/b.ts", (4,)),
        Mention("lib/c.rs", (10,)),
        Mention("t/test_d.py"),
    )
    words = "Mend `src/b.ts` and lib/c.rs, not .env."
    assert mentioned(words, scene.toolbox.files(), with_lines=False) == (
        Mention("src/b.ts"),
        Mention("lib/c.rs"),
    )


def test_a_text_of_any_kind_is_looked_through_at_once(scene: Scene) -> None:
    scene.write({"a.py": "x\n"})
    before = time.perf_counter()
    for text in ("a" * 200_000, "a." * 100_000, "a:1 " * 50_000, 'File "' * 30_000):
        mentioned(text, scene.toolbox.files())
        mentioned(text, scene.toolbox.files(), with_lines=False)
    assert time.perf_counter() - before < 10
