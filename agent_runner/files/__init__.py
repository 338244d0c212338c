"""The files that a task may change: judged by path, changed in memory, written all or nothing."""
