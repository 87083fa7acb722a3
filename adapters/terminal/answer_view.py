"""How one answer is put before a reader: rendered as it grows, plain, or not at all."""

from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment, Segments
from rich.text import Text


class Screen(Protocol):
    """How one answer is put before the reader."""

    def update(self, text: str) -> None:
        """The answer now reads `text`, which only ever grows."""

    def close(self) -> None:
        """Nothing more comes."""


class PlainScreen:
    """Writes an answer as it grows, as it is."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._written = ""

    def update(self, text: str) -> None:
        """See `Screen`."""
        self._out.write(text[len(self._written) :])
        self._out.flush()
        self._written = text

    def close(self) -> None:
        """See `Screen`."""
        self._out.write("\n\n" if self._written else "")
        self._out.flush()


class RichScreen:
    """Renders Markdown while it grows.

    Only as many lines as fit the window are repainted. Lines above them are
    printed for good once nothing can change them any more, so a long answer can
    be scrolled back to and is neither cut off nor painted twice.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._printed = 0
        self._live = Live(
            Text("…", style="dim"),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._live.start()

    def update(self, text: str) -> None:
        """See `Screen`."""
        self._text = text
        lines = self._lines(text)
        window = max(1, self._console.height - 2)
        if len(lines) - self._printed > window:
            settled = len(self._lines(text[: last_break(text)]))
            self._print(lines[self._printed : min(settled, len(lines) - window)])
        rest = lines[self._printed :]
        self._live.update(_joined(rest[-window:]), refresh=True)

    def close(self) -> None:
        """See `Screen`."""
        self._live.stop()
        self._print(self._lines(self._text)[self._printed :])
        self._console.print()

    def _lines(self, text: str) -> list[list[Segment]]:
        return self._console.render_lines(Markdown(text), pad=False)

    def _print(self, lines: list[list[Segment]]) -> None:
        if lines:
            self._console.print(_joined(lines), end="")
            self._printed += len(lines)


class SilentScreen:
    """For an answer to a thread that is not before the reader."""

    def update(self, text: str) -> None:
        """See `Screen`."""

    def close(self) -> None:
        """See `Screen`."""


def _joined(lines: list[list[Segment]]) -> Segments:
    return Segments([each for line in lines for each in (*line, Segment.line())])


def last_break(text: str) -> int:
    """Where the last block of `text` begins: after a blank line that is not
    inside a code fence."""
    fence, position, found = "", 0, 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        position += len(line)
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip("`~") else fence
        elif bare.startswith(("```", "~~~")):
            fence = bare[:3]
        elif not bare and line.endswith("\n"):
            found = position
    return found
