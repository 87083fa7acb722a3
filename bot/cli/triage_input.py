"""What the command line asks and says about a file of tickets before it is paid for."""

import signal
import sys
from collections.abc import Iterable, Sequence

import click
from rich.table import Table
from rich.text import Text

from bot.errors import ConfigError
from bot.runtime import terminal
from bot.triage.bulk.columns import Unclear
from bot.triage.bulk.reader import CSV, Ask, Findings, Source
from bot.ui.formatting import count

# How many characters of an example are shown.
_EXAMPLE = 60


def asker(file: str) -> Ask | None:
    """Return what asks at the terminal, or None if nobody can answer there."""
    answers = file != "-" and sys.stdin.isatty()
    return _ask if answers and terminal.console(stderr=True).is_terminal else None


def _ask(unclear: Unclear) -> Sequence[str]:
    """Ask which columns hold the ticket. Raises ConfigError without an answer."""
    terminal.say("Which column holds the ticket?", err=True)
    candidates = unclear.candidates
    for nth, each in enumerate(candidates, start=1):
        example = terminal.one_line(each.example)
        shown = example if len(example) <= _EXAMPLE else f"{example[:_EXAMPLE]}…"
        terminal.say(f"  {nth}  {terminal.one_line(each.name)}: {shown}", err=True)
    terminal.put("Number or name, several with a comma; Enter stops: ", err=True)
    said = [each.strip() for each in _line().split(",")]
    numbers = {str(nth): each.name for nth, each in enumerate(candidates, start=1)}
    picked = [numbers.get(each, each) for each in said if each]
    if not picked:
        raise ConfigError("No column was chosen, and nothing was sent.")
    return picked


def _line() -> str:
    """Return a line of standard input. Raises click.Abort for Ctrl-C, which the event
    loop would keep until the line is there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline()
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        signal.signal(signal.SIGINT, before)


def show(source: Source, found: Findings) -> None:
    """Print how `source` was read, and everything in it that may be wrong."""
    err = terminal.console(stderr=True)
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(source, found):
        facts.add_row(name, Text(value))
    err.print(facts)
    for warning in _warnings(source, found):
        terminal.say(terminal.one_line(f"Warning: {warning}"), err=True)


def _facts(source: Source, found: Findings) -> Iterable[tuple[str, str]]:
    form = source.form
    if form == CSV:
        head = "" if source.header else ", without a head"
        form = f"CSV, separator: {source.dialect.separator_name}{head}"
        if source.dialect.backslash:
            form += ", quotes escaped by a backslash"
    yield "File", f"{source.name}: {form}"
    yield "Encoding", f"{source.encoding.name} ({source.encoding.evidence})"
    skipped = []
    if found.blank:
        skipped.append(f"{count(found.blank, 'row')} without any value left out")
    if found.empty:
        skipped.append(f"{found.empty:,} with an empty ticket not sent")
    if found.unreadable.count:
        skipped.append(f"{found.unreadable.count:,} unreadable not sent")
    yield "Rows", "; ".join([f"{found.rows:,}", *skipped])
    texts = ", ".join(source.texts)
    yield "Ticket", f"{texts} ({source.choice.why})"
    yield "Id", source.id or "none: rows are numbered"


def _warnings(source: Source, found: Findings) -> Iterable[str]:
    encoding = source.encoding
    if encoding.guessed:
        words = (
            f", so that it says {', '.join(encoding.words)}" if encoding.words else ""
        )
        yield (
            f"the encoding is a guess ({encoding.name}{words}). If that is wrong, pass "
            "--encoding, or save the file as UTF-8."
        )
    if (invalid := found.damage.invalid).count:
        yield (
            f"{count(invalid.count, 'byte')} not valid in {encoding.name} became � "
            f"({invalid})."
        )
    if (nul := found.damage.nul).count:
        yield f"{count(nul.count, 'NUL byte')} became � ({nul})."
    if found.unreadable.count:
        yield f"{found.unreadable} cannot be read: marked in the output."
    if found.heads.count:
        yield f"the head is repeated ({found.heads}), and left out there."
    if found.repeated.places.count:
        yield (
            f"`{found.repeated.key}` stands twice in one object "
            f"({found.repeated.places}); the last value counts."
        )
