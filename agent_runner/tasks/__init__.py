"""Loading and checking the task list."""
