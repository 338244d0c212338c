"""Loading and checking the task list."""

from agent_runner.tasks.loading import load_task_list, locate

__all__ = ["load_task_list", "locate"]
