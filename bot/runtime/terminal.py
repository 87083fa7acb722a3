"""Prints on standard output and standard error: the one way to a terminal.

Rule 1: what the model, a ticket, a name or a file says is text and nothing else. Only
this program's own drawing moves the cursor, sets a colour or a title, or makes a link.
Rule 2: text is filtered where it is drawn, not where it is made, so that no caller can
forget it. What programs read is left as it is, unless a terminal is at the other end.
"""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterable
from typing import IO, Any, Protocol

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markdown import Markdown
from rich.segment import Segment
from rich.text import Text

# How wide a table is in a file or a pipe, which have no width of their own.
WIDTH = 140

# What a terminal obeys instead of showing it: the control characters but for line feed
# and tab (C0, delete, C1), the characters that embed, override or isolate a direction,
# and the deprecated ones behind them. Halves of a character cannot be encoded.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)

# Some programs begin a new line at these, others do not: a space stands for each.
_BREAK = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_BREAKS = re.compile(f"[{_BREAK}]")
_HALVES = range(0xD800, 0xE000)


def printable(text: str) -> str:
    """Return `text` without what a terminal would obey; lines and tabs are kept.

    Rare line breaks become spaces, halves of a character U+FFFD. The result is never
    longer than `text`.
    """
    return _UNSAFE.sub(_harmless, text)


def one_line(text: str) -> str:
    """Return `text` as `printable` does, on one line."""
    return " ".join(printable(text).split())


def _harmless(found: re.Match[str]) -> str:
    if found[0] in _BREAK:
        return " "
    return "\ufffd" if ord(found[0]) in _HALVES else ""


class _SafeConsole(Console):
    """A console on which text is text, whatever draws it."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """See `rich.console.Console`. All that is drawn comes through here, the parts
        of a table by themselves before the table is laid out."""
        if isinstance(renderable, Text):
            renderable = _with_spaces(renderable)
        for segment in super().render(renderable, options):
            # A control segment is the program's own: no text becomes one.
            yield segment if segment.control else self._safe(segment)

    def _safe(self, segment: Segment) -> Segment:
        style = segment.style
        if style is not None and style.link:
            # Where it leads is not what it says.
            style = style.update_link(None)
        return Segment(_encodable(printable(segment.text), self.encoding), style)


def _with_spaces(text: Text) -> Text:
    """Return `text` with its rare line breaks as spaces, which have a width, so that it
    is wrapped with them."""
    if not _BREAKS.search(text.plain):
        return text
    spaced = text.copy()
    spaced.plain = _BREAKS.sub(" ", text.plain)
    return spaced


def _encodable(text: str, encoding: str | None) -> str:
    """Return `text` with "?" for what `encoding` does not have; None has all."""
    if encoding is None or encoding.lower().startswith("utf"):
        return text
    return text.encode(encoding, "replace").decode(encoding)


def console(*, stderr: bool = False) -> Console:
    """Return where tables are printed: as wide as the terminal, or wide enough for a
    file."""
    made = on(None, stderr=stderr)
    if made.is_terminal:
        return made
    # The variable COLUMNS goes before WIDTH.
    width, _ = shutil.get_terminal_size((WIDTH, 0))
    return on(None, stderr=stderr, width=width)


def on(file: IO[str] | None, **options: Any) -> Console:
    """Return a console that draws on `file`, None for standard output; `options` are
    those of `rich.console.Console`."""
    return _SafeConsole(
        file=file, markup=False, highlight=False, emoji=False, **options
    )


def markdown(text: str) -> Markdown:
    """Return `text` as rendered Markdown, with the address of each link to be seen."""
    return Markdown(text, hyperlinks=False)


def plain(where: Console) -> bool:
    """Return whether only ASCII can be shown there."""
    return not (where.encoding or "").lower().startswith("utf")


def say(text: str, *, err: bool = False, file: IO[str] | None = None) -> None:
    """Print `text` for people and end the line."""
    put(f"{text}\n", err=err, file=file)


def complain(text: str) -> None:
    """Print `text`, about what went wrong, on one line of standard error."""
    say(f"threadkeep: {one_line(text)}", err=True)


def put(text: str, *, err: bool = False, file: IO[str] | None = None) -> None:
    """Print `text` for people as it is, without an end of the line."""
    out = file or (sys.stderr if err else sys.stdout)
    out.write(_encodable(printable(text), getattr(out, "encoding", None)))
    out.flush()


def write(text: str) -> None:
    """Print `text`, which programs read, as it is; on a terminal, as people do."""
    through(sys.stdout).write(text)
    sys.stdout.flush()


class Writer(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> object:
        """Take in `text`."""


def through(file: IO[str]) -> Writer:
    """Return where to write what programs read: `file` itself, which is set to UTF-8,
    or, if that is a terminal, a filter that lets only text through to it."""
    if file.isatty():
        return _Filter(file)
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(encoding="utf-8")
    return file


class _Filter:
    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal

    def write(self, text: str, /) -> None:
        put(text, file=self._terminal)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as JSON and the end of a line, with escapes for all that a
    terminal would obey, so that programs read back exactly what there was."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
