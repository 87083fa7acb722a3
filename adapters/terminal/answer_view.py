"""Views of one answer: rendered as it grows, plain, or hidden."""

from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.segment import Segment, Segments
from rich.text import Text

from bot.runtime import terminal, terminal_markdown
from bot.text.paragraphs import apart_from_lists

# Shown until the answer has text.
WAITING = Text("…", style="dim")


class Screen(Protocol):
    """Shows one answer."""

    def update(self, text: str) -> None:
        """Show `text`, which begins with the text of the previous call."""

    def type_ahead(self, text: str) -> None:
        """Show `text`, which the person typed during the answer."""

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

    def type_ahead(self, text: str) -> None:
        """Show nothing: the input is not a terminal."""

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
        self._text = self._ahead = ""
        self._printed = 0
        self._live = Live(
            WAITING,
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._live.start()

    def update(self, text: str) -> None:
        """Print the lines that can no longer change, and redraw the rest."""
        self._text = text
        lines = self._lines(text)
        window = max(1, self._console.height - 2)
        if len(lines) - self._printed > window:
            settled = len(self._lines(text[: last_break(text)]))
            self._print(lines[self._printed : min(settled, len(lines) - window)])
        self._draw(lines[self._printed :])

    def type_ahead(self, text: str) -> None:
        """Show the end of `text` below the answer, on one line."""
        self._ahead = text
        self._draw(self._lines(self._text)[self._printed :])

    def close(self) -> None:
        """Print the remaining lines."""
        self._live.stop()
        self._print(self._lines(self._text)[self._printed :])
        self._console.print()

    def _draw(self, rest: list[list[Segment]]) -> None:
        window = max(1, self._console.height - 2)
        if not self._ahead:
            self._live.update(_join(rest[-window:]) if rest else WAITING, refresh=True)
            return
        # Only one line, with the end of the text: the window has no room for more.
        typed = Text(_end(self._ahead, self._console.width - 2), "dim", no_wrap=True)
        shown = _join(rest[-max(1, window - 2) :]) if rest else WAITING
        self._live.update(Group(shown, Text(), typed), refresh=True)

    def _lines(self, text: str) -> list[list[Segment]]:
        return self._console.render_lines(
            terminal_markdown.markdown(text, light=self._light), pad=False
        )

    def _print(self, lines: list[list[Segment]]) -> None:
        if lines:
            self._console.print(_join(lines), end="")
            self._printed += len(lines)


class SilentScreen:
    """Hides the answer in a thread that is not on the screen."""

    def update(self, text: str) -> None:
        """Show nothing."""

    def type_ahead(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


def _join(lines: list[list[Segment]]) -> Segments:
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


def as_markdown(text: str) -> str:
    """Return `text`, the response to a command, as Markdown that keeps its line breaks.
    A blank line separates a list from a line that is not an item."""
    lines, in_code = [], False
    for line in apart_from_lists(text).split("\n"):
        in_code ^= line.startswith("```")
        # Markdown joins lines unless they end in two spaces.
        lines.append(line if in_code or not line else f"{line}  ")
    return "\n".join(lines)


def _end(typed: str, columns: int) -> str:
    """Return a line with the end of `typed`, at most `columns` wide."""
    line = Text(typed.replace("\n", " ↵ "))
    over = line.cell_len - max(1, columns - 2)
    return f"› {line.plain}" if over <= 0 else f"›…{line.plain[over + 1 :]}"
