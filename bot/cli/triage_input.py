"""Questions and warnings about a file of tickets, before its triage costs money."""

import signal
import sys
from collections.abc import Iterable, Sequence

import click
from rich.table import Table
from rich.text import Text

from bot.errors import ConfigError
from bot.messages import plurals
from bot.messages import ticket_files as messages
from bot.runtime import terminal
from bot.triage.bulk.columns import Unclear
from bot.triage.bulk.reader import CSV, Ask, Findings, Source

# The number of characters of an example that are shown.
_EXAMPLE = 60


def asker(file: str) -> Ask | None:
    """Return a function that asks at the terminal; None if nobody can answer there."""
    answers = file != "-" and sys.stdin.isatty()
    return _ask if answers and terminal.console(stderr=True).is_terminal else None


def _ask(unclear: Unclear) -> Sequence[str]:
    """Ask for the columns that contain the ticket. Raises ConfigError without an
    answer."""
    terminal.say(messages.WHICH_COLUMN, err=True)
    candidates = unclear.candidates
    for nth, each in enumerate(candidates, start=1):
        example = terminal.one_line(each.example)
        shown = example if len(example) <= _EXAMPLE else f"{example[:_EXAMPLE]}…"
        terminal.say(f"  {nth}  {terminal.one_line(each.name)}: {shown}", err=True)
    said = [each.strip() for each in _line(messages.NUMBER_OR_NAME).split(",")]
    numbers = {str(nth): each.name for nth, each in enumerate(candidates, start=1)}
    picked = [numbers.get(each, each) for each in said if each]
    if not picked:
        raise ConfigError(messages.NO_COLUMN_CHOSEN)
    return picked


def _line(prompt: str) -> str:
    """Return a line of standard input.

    Raises click.Abort on Ctrl-C. The handler of the event loop would delay Ctrl-C until
    the end of the line.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        terminal.put(prompt, err=True)
        return sys.stdin.readline()
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        signal.signal(signal.SIGINT, before)


def show(source: Source, found: Findings) -> None:
    """Print how `source` was read, and warnings about possible mistakes in it."""
    err = terminal.console(stderr=True)
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(source, found):
        facts.add_row(name, Text(value))
    err.print(facts)
    for warning in _warnings(source, found):
        shown = terminal.one_line(messages.warning(text=warning))
        terminal.say(shown, err=True)


def _facts(source: Source, found: Findings) -> Iterable[tuple[str, str]]:
    form = source.form
    if form == CSV:
        form = messages.csv(
            separator=source.dialect.separator_name,
            header="" if source.header else messages.WITHOUT_HEADER_ROW,
            quotes=messages.BACKSLASHES if source.dialect.backslash else "",
        )
    yield messages.FILE, messages.file_format(file=source.name, format=form)
    encoding = source.encoding
    shown = messages.fact(value=encoding.name, why=encoding.evidence)
    yield messages.ENCODING, shown
    skipped = []
    if found.blank:
        skipped.append(messages.blank_rows(rows=plurals.ROWS(found.blank)))
    if found.empty:
        skipped.append(messages.empty_tickets(count=found.empty))
    if found.unreadable.count:
        skipped.append(messages.unreadable_tickets(count=found.unreadable.count))
    yield messages.ROWS, "; ".join([f"{found.rows:,}", *skipped])
    texts = ", ".join(source.texts)
    yield messages.TICKET, messages.fact(value=texts, why=source.choice.why)
    yield messages.ID, source.id or messages.ROWS_NUMBERED


def _warnings(source: Source, found: Findings) -> Iterable[str]:
    encoding = source.encoding
    if encoding.guessed:
        some = ", ".join(encoding.words)
        words = messages.so_that_it_says(words=some) if some else ""
        yield messages.encoding_guessed(encoding=encoding.name, words=words)
    if (invalid := found.damage.invalid).count:
        size = plurals.BYTES(invalid.count)
        yield messages.bytes_replaced(
            count=size, encoding=encoding.name, places=invalid
        )
    if (nul := found.damage.nul).count:
        size = plurals.NUL_BYTES(nul.count)
        yield messages.nul_bytes_replaced(count=size, places=nul)
    if found.unreadable.count:
        yield messages.rows_unreadable(places=found.unreadable)
    if found.heads.count:
        yield messages.header_row_repeated(places=found.heads)
    if found.repeated.places.count:
        repeated = found.repeated
        yield messages.key_repeated(key=repeated.key, places=repeated.places)
