"""Standard output and standard error. All output to a terminal goes through here.

Rule 1: text from the model, a ticket, a name or a file is printed literally. Only our
own code moves the cursor, sets a colour or a title, or makes a link.
Rule 2: text is filtered when it is drawn, so that no caller can forget the filter.
Output for programs is unchanged, unless it goes to a terminal.
"""

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import IO, Any, Protocol

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

# The width of tables in files and pipes.
WIDTH = 140
# Wider than any table.
_ENOUGH = 10_000

# Characters that a terminal interprets: control characters except line feed and tab
# (C0, delete, C1), and characters that embed, override or isolate text direction, with
# their deprecated forms. Also lone surrogates, which cannot be encoded.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)

# Characters that only some programs treat as line breaks; each becomes a space.
_BREAK = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_BREAKS = re.compile(f"[{_BREAK}]")
_HALVES = range(0xD800, 0xE000)


# White and the bright colours, by their numbers in COLORFGBG.
_LIGHT = {"7", *map(str, range(9, 16))}

# Rich's own style for code is cyan on black, a black box on a light terminal.
_STYLES = Theme({"markdown.code": "bold cyan", "markdown.code_block": "cyan"})


def printable(text: str) -> str:
    """Return `text` without characters that a terminal interprets.

    Line feeds and tabs are kept. Rare line breaks become spaces, and lone surrogates
    become U+FFFD. The result is never longer than `text`.
    """
    return _UNSAFE.sub(_harmless, text)


def one_line(text: str) -> str:
    """Return `text` on one line, filtered as by `printable`."""
    return " ".join(printable(text).split())


def _harmless(found: re.Match[str]) -> str:
    if found[0] in _BREAK:
        return " "
    return "\ufffd" if ord(found[0]) in _HALVES else ""


class _SafeConsole(Console):
    """A console that filters everything it draws."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield filtered segments.

        Everything is rendered through here. The cells of a table are filtered before
        the table is laid out.
        """
        if isinstance(renderable, Text):
            renderable = _with_spaces(renderable)
        for segment in super().render(renderable, options):
            # Control segments come from our own code; text never becomes one.
            yield segment if segment.control else self._safe(segment)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError again, as for all other output."""
        raise

    def _safe(self, segment: Segment) -> Segment:
        style = segment.style
        if style is not None and style.link:
            # A link style would hide the address.
            style = style.update_link(None)
        return Segment(_encodable(printable(segment.text), self.encoding), style)


def _with_spaces(text: Text) -> Text:
    """Replace rare line breaks in `text` by spaces, so that they have a width."""
    if not _BREAKS.search(text.plain):
        return text
    spaced = text.copy()
    spaced.plain = _BREAKS.sub(" ", text.plain)
    return spaced


def _encodable(text: str, encoding: str | None) -> str:
    """Replace characters that `encoding` lacks by "?". None means all of Unicode."""
    if encoding is None or encoding.lower().startswith("utf"):
        return text
    return text.encode(encoding, "replace").decode(encoding)


def console(*, stderr: bool = False) -> Console:
    """Return a console for tables: as wide as the terminal, or `WIDTH` for a file."""
    made = on(None, stderr=stderr)
    if made.is_terminal:
        return made
    # COLUMNS takes precedence over WIDTH.
    width, _ = shutil.get_terminal_size((WIDTH, 0))
    return on(None, stderr=stderr, width=width)


def width_of(drawn: RenderableType) -> int:
    """Return the width that `drawn` takes if it has enough space, in columns."""
    wide = on(io.StringIO(), width=_ENOUGH)
    return wide.measure(drawn).maximum


def on(file: IO[str] | None, **options: Any) -> Console:
    """Return a console that draws on `file`; None means standard output.

    `options` are those of `rich.console.Console`.
    """
    return _SafeConsole(
        file=file,
        markup=False,
        highlight=False,
        emoji=False,
        theme=_STYLES,
        **options,
    )


def is_light(colours: str) -> bool:
    """Return whether the terminal has a light background, according to COLORFGBG.

    `colours` is the value of that variable: the numbers of two colours, such as "0;15",
    with the background last; "" if it is not set.
    """
    return colours.rpartition(";")[2] in _LIGHT


def plain(where: Console) -> bool:
    """Return True if `where` can show only ASCII."""
    return not (where.encoding or "").lower().startswith("utf")


def say(text: str, *, err: bool = False, file: IO[str] | None = None) -> None:
    """Print a line for people."""
    put(f"{text}\n", err=err, file=file)


def complain(text: str) -> None:
    """Print an error on one line of standard error."""
    say(f"threadkeep: {one_line(text)}", err=True)


def put(text: str, *, err: bool = False, file: IO[str] | None = None) -> None:
    """Print `text` for people without ending the line."""
    out = file or (sys.stderr if err else sys.stdout)
    out.write(_encodable(printable(text), getattr(out, "encoding", None)))
    out.flush()


def write(text: str) -> None:
    """Print output for programs, unchanged; on a terminal, it is filtered."""
    through(sys.stdout).write(text)
    sys.stdout.flush()


def discard() -> None:
    """Discard all further output, after its reader has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Writer(Protocol):
    """A destination of text."""

    def write(self, text: str, /) -> object:
        """Write `text`."""


def through(file: IO[str]) -> Writer:
    """Return a writer of output for programs to `file`.

    The writer is `file` itself, set to UTF-8, or a filter if `file` is a terminal.
    """
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
    """Return `value` as a line of JSON.

    Characters that a terminal interprets are escaped, so programs still read the exact
    value.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
