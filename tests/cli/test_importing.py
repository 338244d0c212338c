"""`agent-runner import`, as a person types it."""

import stat

import pytest

from tests.cli.scene import Scene

pytestmark = pytest.mark.slow


def test_a_plan_becomes_a_list_is_run_and_is_ticked_off(scene: Scene) -> None:
    scene.config({})
    plan = scene.write("PLAN.md", "# Plan\n\n- [ ] T1: One\n- [ ] T2: Two\n")
    ended = scene.run("import", "PLAN.md", "-o", "tasks.yml")
    assert (ended.code, ended.out) == (0, "wrote tasks.yml: 2 tasks\n")
    scene.change("T1", 1)
    scene.run("run", "T1")
    assert scene.run("import", "PLAN.md", "--tick").out == "marked 1 in PLAN.md\n"
    assert plan.read_text() == "# Plan\n\n- [x] T1: One\n- [ ] T2: Two\n"


def test_without_a_file_for_it_the_list_is_printed(scene: Scene) -> None:
    scene.write("t.jsonl", '{"title": "One"}\n')
    told = scene.run("import", "t.jsonl").out
    assert told.startswith("# Made of t.jsonl: read and edit it before you run it.\ntasks:\n")


def test_issues_are_read_by_gh(scene: Scene) -> None:
    gh = scene.write(
        "bin/gh",
        '#!/bin/sh\necho "$@" > asked\n'
        'echo \'[{"number": 3, "title": "B"}, {"number": 2, "title": "A"}]\'\n',
    )
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    scene.env["PATH"] = f"{scene.project / 'bin'}:/usr/bin:/bin"
    told = scene.run("import", "--github", "o/r", "--label", "bug").out
    assert told.index("issue-2") < told.index("issue-3")
    assert "--repo o/r --label bug" in scene.read("asked")
    scene.write("bin/gh", "#!/bin/sh\necho 'not logged in' >&2; exit 4\n")
    refused = scene.run("import", "--github", ".")
    assert (refused.code, "gh refused: not logged in" in refused.err) == (2, True)
    gh.unlink()
    missing = scene.run("import", "--github", ".")
    assert (missing.code, "is not installed" in missing.err) == (2, True)


def test_nothing_is_overwritten_and_what_cannot_be_read_is_said(scene: Scene) -> None:
    scene.write("PLAN.md", "- [ ] One\n")
    scene.write("tasks.yml", "mine")
    assert scene.run("import", "PLAN.md", "-o", "tasks.yml").code == 2
    assert scene.read("tasks.yml") == "mine"
    for words, said in (
        (("import",), "nothing to import"),
        (("import", "PLAN.md", "--github", "o/r"), "two things to import"),
        (("import", "nowhere.md"), "it cannot be read"),
        (("import", "--github", ".", "--tick"), "name the checklist"),
    ):
        ended = scene.run(*words)
        assert (ended.code, said in ended.err) == (2, True), words
    scene.write("EMPTY.md", "# Nothing\n- [x] done\n")
    assert "no open item of a checklist" in scene.run("import", "EMPTY.md").err
