"""Takes tasks through the flow table. `runner` is the loop; imports go from it downwards.

runner -> steps, decisions, waiting -> calls, commands, commits, recovery -> hooks, changes ->
trees, work, core -> machine. What stands on one line of the contract in pyproject.toml does not
know its neighbours.
"""
