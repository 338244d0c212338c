"""Where lines go: a stream that may break (`| head`, a closed terminal) while the run goes on."""

import os
from collections.abc import Mapping
from typing import TextIO

_FALLBACK_SIZE = os.terminal_size((80, 24))


class Output:
    """Writes text to a stream and never raises.

    After the first error, which `broken` keeps, everything is dropped.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.broken: Exception | None = None

    def write(self, text: str) -> None:
        """Write and flush; characters that the stream cannot encode become `?`."""
        if self.broken is not None:
            return
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding or "ascii"
                self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            self.broken = error
            self._drop_the_rest()

    def line(self, text: str = "") -> None:
        """Write one line."""
        self.write(text + "\n")

    @property
    def encoding(self) -> str:
        """The stream's encoding, lower case; `ascii` if it does not say."""
        return (getattr(self._stream, "encoding", None) or "ascii").lower()

    @property
    def unicode(self) -> bool:
        """Whether lines and arrows beyond ASCII can be written."""
        return self.encoding.replace("-", "").startswith("utf")

    @property
    def size(self) -> os.terminal_size:
        """Columns and rows of the terminal; 80 x 24 where that is unknown."""
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return _FALLBACK_SIZE
        return size if size.columns > 0 else _FALLBACK_SIZE

    def _drop_the_rest(self) -> None:
        """Send to nowhere what is still buffered: it would raise again when Python exits."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, self._stream.fileno())
            finally:
                os.close(nowhere)
        except (OSError, ValueError):
            return  # no descriptor behind this stream: nothing will be flushed at exit either


def can_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that knows how to move its cursor."""
    try:
        terminal = stream.isatty()
    except ValueError:
        return False
    return terminal and environ.get("TERM", "") not in {"", "dumb", "unknown"}
