"""`agent-runner resume`: go on from the last incomplete task."""

from agent_runner.cli.flags import RunFlags, with_run_flags
from agent_runner.cli.options import TasksOption


@with_run_flags
def resume(flags: RunFlags, tasks: TasksOption = None) -> int:
    """Go on where the last run stopped, however it stopped; needs no arguments.

    Says so, with exit code 0, when there is nothing to resume. Exit codes are those of run.
    """
    from agent_runner.cli.going import go_on

    return go_on(tasks, flags)
