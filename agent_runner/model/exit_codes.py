"""What a command ends with, and what each code tells whoever called it.

Up to 3 they are our own, 70 to 75 those of sysexits.h, above 128 those that a shell gives to what
a signal ended. Errors name theirs in `errors.py`, a run's reasons to stop in `engine/runner.py`.
"""

DONE = 0
PERSON_NEEDED = 1
WRONG_INPUT = 2
STATE_UNUSABLE = 3
BUG = 70
OUTPUT_LOST = 74
COME_BACK = 75
HANGUP, INTERRUPTED, BROKEN_PIPE, TERMINATED = 129, 130, 141, 143

MEANINGS = {
    DONE: "nothing is left to do: every task passed or was skipped",
    PERSON_NEEDED: "a person is needed: a task failed or is held by one that did, the run was"
    " aborted, git did not take a commit, or a refused key or a used-up budget needs attention",
    WRONG_INPUT: "wrong usage, configuration or task list; a key or your consent is missing",
    STATE_UNUSABLE: "the state is held by another run, or cannot be used",
    BUG: "a bug in agent-runner",
    OUTPUT_LOST: "the output could not be written: the disk behind it is full",
    COME_BACK: "a limit is reached, or the provider is not answering: safe to run again after the"
    " printed time",
    HANGUP: "the terminal was closed; everything is saved",
    INTERRUPTED: "Ctrl+C or `q`; everything is saved",
    BROKEN_PIPE: "whoever read the output stopped reading; everything is saved",
    TERMINATED: "asked to end by SIGTERM; everything is saved",
}
"""Each code in one line, in their order: the man page and docs/exit-codes.md are made of it."""
