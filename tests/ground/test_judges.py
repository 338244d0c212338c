"""Files that judge a task's work are known by their names."""

import pytest

from agent_runner.ground.judges import judges_among, judging


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tests/helpers.py", "test"),
        ("pkg/test_shop.py", "test"),
        ("pkg/shop_test.go", "test"),
        ("web/shop.spec.ts", "test"),
        ("web/__tests__/shop.js", "test"),
        ("src/test/java/ShopTest.java", "test"),
        ("ShopTest.java", "test"),
        ("test_data", "test"),
        ("src/testing/fake.py", "test"),
        ("conftest.py", "test configuration"),
        ("Makefile", "test configuration"),
        ("tests/conftest.py", "test configuration"),
        ("pyproject.toml", "test configuration"),
        ("web/jest.config.js", "test configuration"),
        (".github/workflows/ci.yml", "CI"),
        (".gitlab-ci.yml", "CI"),
        (".pre-commit-config.yaml", "CI"),
        (".githooks/pre-commit", "CI"),
        ("src/shop.py", ""),
        ("contest.py", ""),
        ("latest.txt", ""),
        ("docs/testing.md", ""),
        ("src/inspector.rs", ""),
    ],
)
def test_files_that_judge_are_named(path: str, kind: str) -> None:
    assert (judging(path) or "") == kind


def test_judges_keep_their_order() -> None:
    assert judges_among(["tox.ini", "a.py", "tests/a.py"]) == ("tox.ini", "tests/a.py")
