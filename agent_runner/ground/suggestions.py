"""What a misspelt word was probably meant to be."""

import difflib
import posixpath
from collections.abc import Iterable

MOST_COMPARISONS = 200_000
"""Comparisons after which no more is suggested: thousands of mistakes must not take minutes."""

CLOSE_ENOUGH = 0.6
"""How alike (0 to 1, as difflib counts) two words must be."""

_MOST_PATHS, _NEAR = 5_000, 3


class Suggestions:
    """Knows the words that are right in one place."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        self._left = MOST_COMPARISONS
        self._answers: dict[str, str] = {}

    def nearest(self, word: str, close: float = CLOSE_ENOUGH) -> str | None:
        """The likeliest right word, or None if none is as close as that."""
        if word in self._answers:
            return self._answers[word] or None
        if len(self.words) > self._left or len(word) > 100:  # no word, a text
            return None
        self._left -= len(self.words)
        folded = {_folded(known): known for known in reversed(self.words)}
        found = difflib.get_close_matches(_folded(word), folded, n=1, cutoff=close)
        self._answers[word] = folded[found[0]] if found else ""
        return self._answers[word] or None

    def hint(self, word: str) -> str:
        """The question "did you mean ...?", or the words there are if they are few, or ""."""
        nearest = self.nearest(word)
        if nearest is not None:
            return f"did you mean {nearest}?"
        if not self.words:
            return ""
        few = 12
        listed = ", ".join(self.words[:few])
        return f"known: {listed}" + (", ..." if len(self.words) > few else "")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The question `did you mean "X"?`, or "" where no word comes near."""
    nearest = Suggestions(words).nearest(word)
    return f'did you mean "{nearest}"?' if nearest is not None else ""


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def near_paths(path: str, names: Iterable[str]) -> tuple[str, ...]:
    """At most three of the paths that `path` may be meant for: of the same name first."""
    wanted = posixpath.basename(path.rstrip("/")).casefold()
    known: dict[str, list[str]] = {}
    for name in names:
        known.setdefault(posixpath.basename(name).casefold(), []).append(name)
    found = list(known.get(wanted, ()))
    if not found:
        bases = [base for base in known if base[:1] == wanted[:1]][:_MOST_PATHS]
        alike = difflib.get_close_matches(wanted[:200], bases, _NEAR, CLOSE_ENOUGH)
        found = [name for base in alike for name in known[base][:_NEAR]]
    closest = sorted(found[:_MOST_PATHS], key=lambda name: -_shared(name, path))
    return tuple(closest[:_NEAR])


def _shared(name: str, path: str) -> int:
    """How many folders of the two paths are the same, counted from the end."""
    mine, theirs = name.casefold().split("/")[::-1], path.casefold().split("/")[::-1]
    pairs = list(zip(mine, theirs, strict=False))
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))
