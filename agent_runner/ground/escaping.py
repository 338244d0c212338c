"""Text that others chose (paths, keys, output), made safe to print on one line."""


def on_one_line(text: str) -> str:
    r"""The text with everything unprintable escaped as in Python: a newline becomes `\n`.

    Control characters, escape sequences, line separators and lone surrogates are unprintable;
    letters of every script are not. A file name may hold all of these, and a terminal or a model
    that reads them raw could be shown a line that nobody wrote.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
