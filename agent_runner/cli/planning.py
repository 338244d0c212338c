"""Prints what fits into the limits now, and when the rest could run."""

import attrs

from agent_runner.app.forecast import forecast
from agent_runner.app.project import Project
from agent_runner.cli.reports import print_json, state_of
from agent_runner.ground.clock import SystemClock, iso


def print_plan(project: Project, *, as_json: bool) -> int:
    """Which tasks fit into the limits now, and when the rest could run."""
    ahead = forecast(project, state_of(project), SystemClock())
    if as_json:
        shown = attrs.asdict(ahead.plan)
        shown["later"] = [
            {"tasks": slot.tasks, "not_before": iso(slot.at) if slot.at is not None else None}
            for slot in ahead.plan.later
        ]
        return print_json({**shown, "waits_for_person": ahead.waiting_for_person})
    if ahead.order:
        print(ahead.line)
        print(ahead.expected)
    else:
        print("Nothing can run now." if ahead.waiting_for_person else "Nothing is left to do.")
    for one in ahead.plan.blocked:
        word = "waits for a further run" if one.this_run else "can never run"
        print(f"{one.task} {word}: {one.reason}")
    for task in ahead.waiting_for_person:
        print(f"{task} waits for a person: {project.place.invocation.command('why', task)}")
    return 0
