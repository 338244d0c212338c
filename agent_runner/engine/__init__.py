"""The loop that takes tasks through the flow table: machine, runner, recovery, steps."""
