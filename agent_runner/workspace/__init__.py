"""The task's root: git, the tree's state, what may be shown."""
