"""Judges fences that are perhaps meant as edits, once all edits of the reply stand."""

from agent_runner.edits.carrying import Carrier
from agent_runner.edits.doubt import is_output
from agent_runner.edits.edit import Aside, Write
from agent_runner.edits.formats import foreign
from agent_runner.edits.formats.whole_file import INDENTED
from agent_runner.edits.jail import Refusal
from agent_runner.edits.left_out import defined_on, is_left_out
from agent_runner.edits.naming import fits, is_path, is_title
from agent_runner.edits.outcome import Carried, Failed, Outcome, in_doubt
from agent_runner.edits.tree import Entry


def judge(aside: Aside, carrier: Carrier, changed: tuple[str, ...]) -> Outcome:
    """What comes of a fence that is not clearly an edit, when all edits stand.

    One whose lines all stand in the file shows something and asks for nothing; one that brings
    new lines may be an edit that was meant, and is never dropped without a word. `changed`: the
    files that the reply has edits of, on which the fence may comment.
    """
    if not aside.path or aside.path in changed:
        return _comment(aside, carrier, (aside.path,) if aside.path else changed)
    entry = carrier.tree.at(aside.path)
    if isinstance(entry, Refusal):
        return Carried(already=True)  # no file of the task can be meant
    exists = entry.exists or entry.original is not None
    new = _new_lines(aside, entry)
    is_fit = fits(aside.language, aside.path)
    is_name = is_path(aside.path) or (aside.alone and "/" in aside.path)
    is_meant = exists or (is_fit and is_name and not is_title(aside.path))
    if not is_meant:  # `Then:` and the like, a word that is no file
        return _comment(aside, carrier, changed)
    if (new and is_output(new)) or (exists and all(map(is_left_out, new))):
        return Carried(already=True)
    if aside.alone and is_fit and exists:
        return carrier.carry(Write(aside.path, aside.origin, aside.text))
    is_fence = aside.origin.form != INDENTED
    rule = "only its path may stand right above it, and the language has to fit"
    short = (
        f"line {aside.named_at} of the reply names `{aside.path}`, and it is unclear whether"
        f" the {'fence' if is_fence else INDENTED} below is that file"
        f" ({rule if is_fence else 'a file stands in a fence, and its path right above that'})"
    )
    return in_doubt(aside.path, short)


def quotes(aside: Aside, carrier: Carrier) -> bool:
    """Whether the fence names a file and shows nothing but lines of it."""
    entry = carrier.tree.at(aside.path) if aside.path else None
    return isinstance(entry, Entry) and entry.exists and not _new_lines(aside, entry)


def _comment(aside: Aside, carrier: Carrier, changed: tuple[str, ...]) -> Outcome:
    """A fence beside edits explains them, unless it is an edit itself in a form that is not read.

    The same holds for one that defines anew what one of the files does.
    """
    wrong = foreign.strange_fence(aside.language, aside.text.split("\n")) if aside.path else None
    if wrong is not None:  # a fence without any name has been asked before
        return Failed(wrong.removesuffix("."), forms=f"  {foreign.REMEDY}")
    for path in changed:
        entry = carrier.tree.at(path)
        if isinstance(entry, Refusal) or not fits(aside.language, path):
            continue
        lines = entry.bytes_now().decode("utf-8", "replace").split("\n")
        known = set(map(defined_on, lines)) - {""}
        again = [name for s in aside.text.split("\n") if (name := defined_on(s)) in known]
        if again and not all(map(is_left_out, _new_lines(aside, entry))):
            short = f"it has `{again[0]}` as `{path}` does not have it, and changes nothing"
            return in_doubt(path, short)
    return Carried(already=True)


def _new_lines(aside: Aside, entry: Entry) -> list[str]:
    """The lines of a fence that the file has neither now nor before."""
    texts = (entry.original or b"", entry.bytes_now())
    there = {s.strip() for text in texts for s in text.decode("utf-8", "replace").split("\n")}
    return [s for s in aside.text.split("\n") if s.strip() and s.strip() not in there]
