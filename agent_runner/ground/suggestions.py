"""What a misspelt word was probably meant to be."""

import difflib
from collections.abc import Iterable

MOST_COMPARISONS = 200_000
"""Comparisons after which no more is suggested: thousands of mistakes must not take minutes."""

CLOSE_ENOUGH = 0.6
"""How alike (0 to 1, as difflib counts) two words must be."""


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
