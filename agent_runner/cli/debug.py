"""`agent-runner debug`: the state, the state machine and the next prompt, as they are."""

from agent_runner.cli.options import Json, OptionalTaskId, StateDir, TaskId, TasksOption
from agent_runner.cli.output import print_object, print_parts, say, warn


def debug_state(
    task: OptionalTaskId = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> int:
    """Print the run, each task's state and counts, and the transitions taken with their times.

    With a TASK: that one's, with hook results and changed files.
    """
    from agent_runner.app.inspection import inspect, inspection_object, inspection_parts
    from agent_runner.app.overview import read_list
    from agent_runner.app.place import require_task
    from agent_runner.cli.project import surroundings

    known = read_list(tasks, state_dir, surroundings())
    if task is not None:
        require_task(task, known.tasks)
    seen = inspect(known)
    warn(seen.warnings)
    if json:
        print_object(inspection_object(seen, task))
    else:
        print_parts(inspection_parts(seen, task))
    if seen.damage is not None:
        raise seen.damage
    return 0


def debug_machine() -> int:
    """Print the state machine as a Mermaid diagram."""
    from agent_runner.engine.diagram import mermaid

    print(mermaid(), end="")  # noqa: T201  # ours alone: it quotes nobody
    return 0


def debug_prompt(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Print what would be sent to the agent for a task now. Nothing is called or written."""
    from agent_runner.app.conversation_log import message_lines
    from agent_runner.app.forecast import next_prompt
    from agent_runner.cli.project import has_person, open_project
    from agent_runner.ground.clock import SystemClock

    project = open_project(tasks, state_dir)
    prompt = next_prompt(project, task, SystemClock(), can_ask=has_person())
    say(f"# system\n\n{prompt.system.strip()}")
    for message in prompt.messages:
        for line in message_lines(message):
            say(line)
    if prompt.tools:
        say(f"\n# tools\n\n{', '.join(tool.name for tool in prompt.tools)}")
    return 0
