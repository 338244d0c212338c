"""What a model looked at and drafted, in few words: for the journal, the screen and `why`."""

from attrs import frozen


@frozen
class Look:
    """One use of a tool.

    Attributes:
        tool: Its name, as the model wrote it (shortened).
        brief: What it was used on: `src/a.py 1-400`, `"def main" src/**`.
        outcome: What came of it: `400 of 912 lines`, `3 matches in 2 files`, `not found`.
        characters: How long the answer is.
        is_error: Whether it could not do what was asked.
    """

    tool: str
    brief: str
    outcome: str
    characters: int
    is_error: bool = False
