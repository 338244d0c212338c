"""The one list of files that judge a task's work: tests, their configuration, CI, git hooks, ours.

Names decide, not contents: a project's own files tell its conventions, and a reply must not be able
to hide a test by how it is written. In doubt a file counts: being judged once more in its old form
costs a run of the hooks, being missed may cost the proof.

What judges by being run is no matter of names: `hooks/scripts.py` reads the hooks' commands.
"""

import enum

from agent_runner.ground.globs import Globs


class Judging(enum.StrEnum):
    """What a file is that judges; the values are words for people."""

    CI = "a CI definition"
    GIT_HOOK = "a git hook"
    RUNNER = "a configuration of agent-runner, which a run from its folder obeys"
    SUPPORT = "test configuration"
    TEST = "a test"
    SHARED = "what builds and checks the project"


REFUSED = frozenset({Judging.CI, Judging.GIT_HOOK, Judging.RUNNER})
"""Kinds that judge where nobody looks: a task has to allow a change of one by name."""


def judging(path: str) -> Judging | None:
    """What `path` (relative to the task's root, with `/`) judges as; None for any other file."""
    for kind, globs in _LISTS.items():
        if globs.covers(path.casefold() if kind in REFUSED else path):
            return kind
    return None


_LISTS = {
    # in lower case: some file systems find them by any
    Judging.CI: Globs(
        (
            *("**/.github/workflows/**", "**/.github/actions/**", "**/.gitlab/ci/**"),
            *(".gitlab-ci*.yml", ".gitlab-ci*.yaml", ".travis.y*ml", "**/.circleci/**"),
            *(".appveyor.y*ml", "appveyor.y*ml", "buildkite.y*ml"),
            *("jenkinsfile*", "*.jenkinsfile", "azure-pipelines*.y*ml", "**/.azure-pipelines/**"),
            *("**/.azuredevops/**", "bitbucket-pipelines.yml", ".drone.*"),
            *("**/.buildkite/**", "**/.woodpecker/**", ".woodpecker.y*ml"),
            *("cloudbuild.y*ml", "buildspec*.y*ml", ".cirrus.*", "**/.semaphore/**"),
            *("**/.teamcity/**", "**/.forgejo/workflows/**", "**/.gitea/workflows/**"),
            *("codemagic.yaml", "bitrise.yml", "wercker.yml", ".zuul.y*ml", "**/zuul.d/**"),
            *(".build.yml", "**/.builds/**", "**/.tekton/**", "/.ci/**"),
        )
    ),
    Judging.GIT_HOOK: Globs(
        (
            *(".pre-commit-config.yaml", ".pre-commit-config.yml", "**/.husky/**", ".huskyrc*"),
            *("**/.githooks/**", "**/.git-hooks/**"),
            *("lefthook*.y*ml", ".lefthook*.y*ml", "lefthook*.toml", ".lefthook*.toml"),
            *("lefthook*.json", "**/.lefthook/**", "**/.lefthook-local/**", ".overcommit.yml"),
            *("**/.overcommit/**", ".captainhook.json", "captainhook.json", "grumphp.y*ml"),
            *(".lintstagedrc*", "lint-staged.config.*", ".simple-git-hooks.*"),
            *("simple-git-hooks.*", "husky.config.*", "prek.toml", ".prek.toml"),
        )
    ),
    # also below the task list's folder: a run takes the nearest list upwards of where it is started
    Judging.RUNNER: Globs(("agent-runner.yml",)),
    Judging.SUPPORT: Globs(
        (
            *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"),
            *("GNUmakefile", "makefile"),  # both go before a Makefile
            *("tox.ini", "noxfile.py", ".coveragerc", "sitecustomize.py", "usercustomize.py"),
            *("/pytest.py", "/unittest.py", "/pytest/**", "/unittest/**", "*.pth"),
            *("jest.config.*", "jest.setup.*", "vitest.*"),
            *("karma.conf.*", ".mocharc*", "playwright.config.*", "cypress.config.*"),
            *("cypress.json", "ava.config.*", ".taprc"),
            *("phpunit.xml*", "phpunit.dist.xml", "Pest.php", "behat.y*ml", "codeception.y*ml"),
            *(".rspec", "spec_helper.rb", "rails_helper.rb", "test_helper.*", "cucumber.y*ml"),
            *("behave.ini", ".behaverc", "robot.toml", "nextest.toml", "CTestTestfile.cmake"),
        )
    ),
    Judging.TEST: Globs(
        (
            *("test", "tests", "__tests__", "spec", "specs", "testing", "testdata", "fixtures"),
            *("__fixtures__", "__mocks__", "__snapshots__", "e2e", "cypress"),
            *("tests.*", "*.snap", "*.feature", "*.bats"),
            *("test_*", "test-*.*", "*_test.*", "*_tests.*", "*-test.*", "*_spec.*", "*-spec.*"),
            *("*.test.*", "*.tests.*", "*.spec.*", "*.cy.*", "*.e2e.*", "test.*"),
            *("[A-Za-z0-9]*Test.*", "[A-Za-z0-9]*Tests.*", "[A-Za-z0-9]*Spec.*"),
            *("[A-Za-z0-9]*IT.java",),
        )
    ),
    # these judge among other things: what builds and lints a project says what passes, too
    Judging.SHARED: Globs(
        (
            *("setup.cfg", "pyproject.toml", "package.json", "composer.json", "Cargo.toml"),
            *("Makefile", "*.mk", "justfile", "Justfile", ".justfile"),
            *("Rakefile", "Taskfile.y*ml", "CMakeLists.txt", "vite.config.*", "build.gradle*"),
            *("pom.xml", "build.sbt", "mix.exs", "deno.json*", "bunfig.toml", "dune-project"),
            *("mypy.ini", ".mypy.ini", "pyrightconfig.json", "ruff.toml", ".ruff.toml", ".flake8"),
            *(".pylintrc", "pylintrc", ".eslintrc*", "eslint.config.*", ".eslintignore"),
            *("biome.json*", "tsconfig*.json", ".golangci.*", "clippy.toml", ".clippy.toml"),
            *(".rubocop.yml", "phpstan.neon*", "phpcs.xml*", ".cargo/config.toml"),
        )
    ),
}
"""The first list that covers a path decides: `tests/conftest.py` configures tests."""
