"""Prints the next prompt of a task."""

from agent_runner.app.forecast import prompting_of
from agent_runner.app.project import Project
from agent_runner.cli.naming import require_task
from agent_runner.model.flow import next_attempt
from agent_runner.store.store import read_state


def print_prompt(project: Project, task_id: str) -> int:
    """The system text and every turn, as they would be sent."""
    require_task(project, task_id)
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    record, settings = state.record(task_id), project.settings_of(task_id)
    task = project.tasks[task_id]
    prompt = prompting_of(project).prompt(task, record, settings, next_attempt(record, settings))
    print(f"# system\n\n{prompt.system.strip()}")
    for message in prompt.messages:
        print(f"\n# {message.role}\n\n{message.text.strip()}")
    return 0
