"""Files that judge a task's work are known by their names."""

import pytest

from agent_runner.ground.judges import REFUSED, Judging, judging

TABLE = {
    Judging.TEST: (
        *("tests/helpers.py", "pkg/test_shop.py", "pkg/shop_test.go", "web/shop.spec.ts"),
        *("web/__tests__/shop.js", "src/test/java/ShopTest.java", "ShopTest.java", "test_data"),
        *("src/testing/fake.py", "web/__snapshots__/shop.snap", "shop.feature", "run.bats"),
        *("pkg/fixtures/a.json", "test.py", "shop.cy.ts"),
    ),
    Judging.SUPPORT: (
        *("conftest.py", "tests/conftest.py", "web/jest.config.js", "pytest.ini", "tox.ini"),
        *("phpunit.xml", ".mocharc.yml", "spec/spec_helper.rb", "sitecustomize.py", "pytest.py"),
        *("vitest.config.ts", "tests/tox.ini"),
    ),
    Judging.SHARED: (
        *("Makefile", "pyproject.toml", "package.json", "web/package.json", "setup.cfg"),
        *("Cargo.toml", "build/check.mk", "tsconfig.build.json", "ruff.toml"),
    ),
    Judging.CI: (
        *(".github/workflows/ci.yml", "sub/.github/workflows/ci.yml", ".gitlab-ci.yml"),
        *(".GitHub/Workflows/ci.yml", "Jenkinsfile", "jenkinsfile", ".circleci/config.yml"),
        *(".travis.yml", ".forgejo/workflows/a.yml", ".drone.yml", ".ci/run"),
        *(".travis.yaml", "appveyor.yaml"),
    ),
    Judging.GIT_HOOK: (
        *(".pre-commit-config.yaml", ".githooks/pre-commit", ".husky/pre-commit", "lefthook.yml"),
        *(".HUSKY/_/x", "web/.husky/commit-msg", ".lefthook.yaml", ".lintstagedrc.json"),
        *("simple-git-hooks.json", "prek.toml"),
    ),
    Judging.RUNNER: ("sub/agent-runner.yml", "a/b/Agent-Runner.yml"),
}
NONE = (
    *("src/shop.py", "contest.py", "latest.txt", "docs/testing.md", "src/inspector.rs"),
    *("src/features/shop.ts", "app/tasks.py", "github/workflows/a.yml", "src/pytest.py"),
    *(".github/CODEOWNERS", "src/hooks/useShop.ts", "makefile.py"),
    *("docs/agent-runner.yml.md", "agent-runner/config.yml", ".vscode/tasks.json"),
)


@pytest.mark.parametrize(("path", "kind"), [(x, kind) for kind, ps in TABLE.items() for x in ps])
def test_files_that_judge_are_known_by_name(path: str, kind: Judging) -> None:
    assert judging(path) is kind


@pytest.mark.parametrize("path", NONE)
def test_others_are_not(path: str) -> None:
    assert judging(path) is None


def test_what_judges_where_nobody_looks_is_refused() -> None:
    assert {Judging.CI, Judging.GIT_HOOK, Judging.RUNNER} == REFUSED
