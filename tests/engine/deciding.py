"""A person's decisions between two runs of a scene, as commands carry them out."""

from collections.abc import Callable
from typing import Any

from agent_runner.app.wiring import Wiring
from agent_runner.engine import decisions
from agent_runner.engine.reverting import Outcome
from tests.engine.scene import Scene


def decided(scene: Scene, decide: Callable[[Wiring], Any]) -> Any:
    """What `decide` returns; what it raises leaves the state as a crash would."""
    store = scene.open()
    try:
        wiring = scene.wired(store)
        done = decide(wiring)
    except BaseException:
        store.abandon()
        raise
    store.close()
    return done


def undo(
    scene: Scene, task: str = "T1", *, keep_edited: bool = False, whole_tree: bool = False
) -> Outcome:
    def decide(wiring: Wiring) -> Outcome:
        wiring.recovery.settle(task, reason="undone")
        whole = wiring.project.tasks[task]
        return wiring.reverting.take_back(
            whole, reason="undone", keep_edited=keep_edited, whole_tree=whole_tree
        )

    outcome = decided(scene, decide)
    assert isinstance(outcome, Outcome)
    return outcome


def retry(scene: Scene, task: str = "T1", *, put_back: bool | None = None, hint: str = "") -> None:
    def decide(wiring: Wiring) -> None:
        whole = wiring.project.tasks[task]
        decisions.put_back(wiring.recovery, wiring.reverting, whole, wanted=put_back)
        decisions.retry(wiring.core, task, hint=hint)

    decided(scene, decide)
