"""Which entries of the journal must be on the disk itself before the run goes on.

Every entry survives the end of the process the moment it is appended. A power cut takes what was
not synced, and waiting for the disk is most of what a small task costs. So an entry is synced at
once only if something follows that a power cut would neither undo nor let us find out: a call that
costs money, a write to the user's files, somebody who acts on what was said. All others ride on
the next sync. Losing them means to do again what can be done again: to read a stored answer, to
run a hook.

One thing is easily overlooked: a hook may change any file. How the files stood before it, and which
change stands in them, must be known first, or a resume takes the hook's work for somebody else's.
So `Started` and `Applied` wait no longer than until the next hook starts.
"""

from collections.abc import Collection, Mapping

from agent_runner.model import events as e
from agent_runner.model.states import TaskState

AT_ONCE: Mapping[type[e.Event], str] = {
    e.RunStarted: "names the list that this state belongs to",
    e.RunStopped: "the command ends, and says what is safe",
    e.Aborted: "a person decided",
    e.CallStarted: "sent next, and may be billed from then on",
    e.CallCreated: "from here on the answer can be fetched instead of paid for again",
    e.ApplyPlanned: "files are written next, and only this says which images they may have",
    e.RollbackPlanned: "files are written next, and only this says which images they may have",
    e.CommandStarted: "run next, and never run a second time unasked",
    e.CommandFinished: "else a resume must take it for cut off, and ask a person",
    e.CommitStarted: "git may leave locks, and only this says that they are ours",
    e.Undone: "files are written next, and only this says which images they may have",
    e.PutBack: "files are written next, and only this says which images they may have",
    e.TakenBack: "files are written next, and only this says which images they may have",
    e.Deferred: "a long wait follows, of which a resume waits the rest",
    e.Retried: "a person decided",
    e.Checked: "a person decided",
    e.Skipped: "a person decided",
    e.Reset: "a person decided",
}
"""Kinds that are synced when they are written, and what depends on it."""

ON_THE_NEXT: Mapping[type[e.Event], str] = {
    e.HookFinished: "the hook runs again",
    e.BaselineTaken: "the hooks run again",
    e.JudgedAsBefore: "the hooks run again",
    e.SetAside: "the call to the fallback, which it is to explain, is synced",
    e.Trimmed: "the call that it shortens is synced",
    e.ToolsDeclined: "the endpoint says so again, and bills nothing for it",
    e.ConversationClosed: "the call that begins anew is synced",
    e.RollbackDone: "taking back is repeated, and finds the images as they should be",
    e.Committed: "git has the commit; a resume finds nothing left to commit",
    e.NotCommitted: "a resume finds it out again",
    e.Started: "at the latest the next hook's start, see above",
    e.PreHooksPassed: "the hooks run again",
    e.Consulted: "follows from the stored answer",
    e.Unusable: "follows from the stored answer",
    e.Replied: "follows from the stored answer",
    e.Rejected: "follows from the stored answer",
    e.Applied: "at the latest the next hook's start, see above",
    e.PostHooksFailed: "the hooks run again",
}
"""Kinds that wait for the next sync, and why a power cut may take them.

A move that ends in a state where a person acts on it is synced whatever its kind (`_FOR_PEOPLE`).
"""

_FOR_PEOPLE = frozenset({TaskState.PASSED, TaskState.ESCALATED, TaskState.SKIPPED})
_BEFORE_HOOKS = (e.Started, e.Applied)


def must_be_synced(
    event: e.Event, to: TaskState | None, unsynced: Collection[type[e.Event]]
) -> bool:
    """Whether the run may go on only once this entry is on the disk.

    `to`: the state that it moves its task to. `unsynced`: the kinds of the entries before it that
    a power cut would take.
    """
    match event:
        case e.CallSettled(outcome=outcome):
            # an answer is on disk itself and is adopted; that one was not billed nothing else says
            return outcome != "answered"
        case e.HookStarted():
            return any(kind in unsynced for kind in _BEFORE_HOOKS)
        case _:
            return to in _FOR_PEOPLE or type(event) in AT_ONCE
