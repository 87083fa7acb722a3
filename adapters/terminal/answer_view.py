"""Views of one answer: rendered as it grows, plain, or hidden."""

from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.segment import Segment, Segments
from rich.text import Text

from bot.runtime import terminal


class Screen(Protocol):
    """Shows one answer."""

    def update(self, text: str) -> None:
        """Show `text`, which begins with the text of the previous call."""

    def close(self) -> None:
        """End the answer."""


class PlainScreen:
    """Writes an answer unformatted as it grows."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._written = ""

    def update(self, text: str) -> None:
        """Write the new part of `text`."""
        terminal.put(text[len(self._written) :], file=self._out)
        self._written = text

    def close(self) -> None:
        """Write a blank line, if there was any text."""
        terminal.put("\n\n" if self._written else "", file=self._out)


class RichScreen:
    """Renders Markdown while it grows.

    Only as many lines as fit the window are redrawn. Lines above them are printed once
    they can no longer change, so that a long answer can be scrolled back to and is
    neither cut off nor drawn twice.
    """

    def __init__(self, console: Console, *, light: bool = False) -> None:
        self._console = console
        self._light = light
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
        """Print the lines that are settled, and redraw the rest."""
        self._text = text
        lines = self._lines(text)
        window = max(1, self._console.height - 2)
        if len(lines) - self._printed > window:
            settled = len(self._lines(text[: last_break(text)]))
            self._print(lines[self._printed : min(settled, len(lines) - window)])
        rest = lines[self._printed :]
        self._live.update(_joined(rest[-window:]), refresh=True)

    def close(self) -> None:
        """Print the remaining lines."""
        self._live.stop()
        self._print(self._lines(self._text)[self._printed :])
        self._console.print()

    def _lines(self, text: str) -> list[list[Segment]]:
        return self._console.render_lines(
            terminal.markdown(text, light=self._light), pad=False
        )

    def _print(self, lines: list[list[Segment]]) -> None:
        if lines:
            self._console.print(_joined(lines), end="")
            self._printed += len(lines)


class SilentScreen:
    """Hides the answer in a thread that is not on the screen."""

    def update(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


def _joined(lines: list[list[Segment]]) -> Segments:
    return Segments([each for line in lines for each in (*line, Segment.line())])


def last_break(text: str) -> int:
    """Return where the last block of `text` begins: after a blank line outside a code
    fence."""
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
