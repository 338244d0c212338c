"""Tells which files judge a task's work: tests, their configuration, and CI files."""

from collections.abc import Iterable

from agent_runner.ground.globs import Globs

_TESTS = Globs(
    (
        *("test", "tests", "__tests__", "spec", "specs", "testdata", "__snapshots__", "e2e"),
        *("test_*.*", "*_test.*", "*_tests.*", "test-*.*", "*-test.*", "*_spec.*", "*-spec.*"),
        *("*.test.*", "*.spec.*", "*.snap", "[A-Za-z0-9]*Test.*", "[A-Za-z0-9]*Tests.*"),
        *("[A-Za-z0-9]*Spec.*", "tests.*", "*.feature"),
    )
)
_TEST_CONFIGURATION = Globs(
    (
        *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "noxfile.py"),
        *("setup.cfg", "pyproject.toml", ".coveragerc", "package.json", "karma.conf.*"),
        *("jest.config.*", "jest.setup.*", "vitest.config.*", "vitest.setup.*", ".mocharc*"),
        *("playwright.config.*", "cypress.config.*", "cypress.json", "phpunit.xml*", ".rspec"),
        *("mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", "pylintrc"),
        *(".eslintrc*", "eslint.config.*", "tsconfig*.json", ".golangci.*", "clippy.toml"),
        *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Rakefile"),
    )
)
_CI = Globs(
    (
        *("/.github/workflows/**", "/.github/actions/**", ".gitlab-ci.yml", "/.gitlab/ci/**"),
        *(".travis.yml", "/.circleci/**", "Jenkinsfile*", "azure-pipelines*.yml", "/.ci/**"),
        *("bitbucket-pipelines.yml", ".drone.yml", "appveyor.yml", ".appveyor.yml"),
        *("/.buildkite/**", "/.woodpecker/**", ".woodpecker.yml", "cloudbuild.yaml"),
        *(".pre-commit-config.yaml", "lefthook.yml", "/.husky/**", "/.githooks/**"),
    )
)
_KINDS = (("CI", _CI), ("test configuration", _TEST_CONFIGURATION), ("test", _TESTS))


def judging_kind(path: str) -> str:
    """`test`, `test configuration` or `CI`; "" for any other file. Names decide, not contents."""
    return next((kind for kind, globs in _KINDS if globs.covers(path)), "")


def judging_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that judge, in their order."""
    return tuple(path for path in paths if judging_kind(path))
