"""Every screen at three sizes, from real commands at real terminals: nothing runs over its edge."""

import pytest

from agent_runner.ui.words import columns as width_of
from tests.cli.scene import Scene
from tests.ui.shots import SHOTS, project, shot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return project(tmp_path_factory.mktemp("shots"))


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("name", SHOTS)
def test_no_line_runs_over_the_edge(scene: Scene, name: str, columns: int, rows: int) -> None:
    lines = shot(scene, SHOTS[name], columns, rows).lines
    assert any(lines)
    assert max(map(width_of, lines)) < columns
    assert not any("Traceback" in line for line in lines)


def test_a_wide_screen_has_more_of_each_title(scene: Scene) -> None:
    def title(columns: int) -> str:
        lines = shot(scene, SHOTS["status"], columns, 40).lines
        return next(line for line in lines if line.startswith("T2 "))

    assert "Count words without counting punctuation, dashes and numbers twice" in title(200)
    for columns in (40, 60, 80, 120, 200):
        assert "\u2717 failed" in title(columns)
        assert columns == 40 or "$0.00" in title(columns)
