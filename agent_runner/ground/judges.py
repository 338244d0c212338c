"""The one list of files that judge a task's work: tests, their configuration, and CI files.

Names decide, not contents: a project's own files tell its conventions, and a reply must not be able
to hide a test by how it is written. In doubt a file counts: being named beside a change costs a
reader a word, being missed may cost the proof.
"""

import enum
from collections.abc import Iterable

from agent_runner.ground.globs import Globs


class Judging(enum.StrEnum):
    """What a file is that judges; the values are words for people."""

    CI = "CI"
    CONFIGURATION = "test configuration"
    TEST = "test"


def judging(path: str) -> Judging | None:
    """What `path` (relative to the task's root, with `/`) judges as; None for any other file."""
    return next((kind for kind, globs in _LISTS.items() if globs.covers(path)), None)


def judges_among(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that judge, in their order."""
    return tuple(path for path in paths if judging(path))


_LISTS = {
    Judging.CI: Globs(
        (
            *("/.github/workflows/**", "/.github/actions/**", ".gitlab-ci.yml", "/.gitlab/ci/**"),
            *(".travis.yml", "/.circleci/**", "Jenkinsfile*", "azure-pipelines*.yml", "/.ci/**"),
            *("bitbucket-pipelines.yml", ".drone.yml", "appveyor.yml", ".appveyor.yml"),
            *("/.buildkite/**", "/.woodpecker/**", ".woodpecker.yml", "cloudbuild.yaml"),
            *(".pre-commit-config.yaml", "lefthook.yml", "/.husky/**", "/.githooks/**"),
        )
    ),
    # many of these judge among other things: what builds and lints a project says what passes, too
    Judging.CONFIGURATION: Globs(
        (
            *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "noxfile.py"),
            *("setup.cfg", "pyproject.toml", ".coveragerc", "package.json", "karma.conf.*"),
            *("jest.config.*", "jest.setup.*", "vitest.config.*", "vitest.setup.*", ".mocharc*"),
            *("playwright.config.*", "cypress.config.*", "cypress.json", "phpunit.xml*", ".rspec"),
            *("mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", "pylintrc"),
            *(".eslintrc*", "eslint.config.*", "tsconfig*.json", ".golangci.*", "clippy.toml"),
            *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Rakefile"),
        )
    ),
    Judging.TEST: Globs(
        (
            *("test", "tests", "__tests__", "spec", "specs", "testing", "testdata"),
            *("__snapshots__", "e2e", "tests.*", "*.snap", "*.feature"),
            *("test_*", "test-*.*", "*_test.*", "*_tests.*", "*-test.*", "*_spec.*", "*-spec.*"),
            *("*.test.*", "*.spec.*", "[A-Za-z0-9]*Test.*", "[A-Za-z0-9]*Tests.*"),
            *("[A-Za-z0-9]*Spec.*",),
        )
    ),
}
"""The first list that covers a path decides: `tests/conftest.py` configures tests."""
