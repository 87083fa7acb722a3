"""Writes the output of a run: CSV, JSON Lines, SQLite, or a table for people.

Rule 1: a file is written completely or not at all. Rows keep their columns and order; a
row without an answer shows the reason.
Rule 2: columns of the input are never overwritten: a new column gets its own name.
"""

import contextlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from rich.table import Table
from rich.text import Text

from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.ports.archive import ResultStore, Row, Run, every
from bot.runtime import private_files, terminal
from bot.runtime.terminal import Writer
from bot.schemes.scheme import Scheme
from bot.text import csv_cells
from bot.triage.bulk import nested

CSV, JSONL, TABLE, SQLITE = "csv", "jsonl", "table", "sqlite"
FORMS = (CSV, JSONL, TABLE)

# The names of formats that are not written. A program would not open CSV in them.
_OTHERS = frozenset(
    (
        *(".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".json", ".parquet", ".html"),
        *(".htm", ".pdf", ".docx", ".xml", ".yaml", ".yml", ".zip", ".gz"),
        *(".db", ".sqlite", ".sqlite3"),
    )
)

#: The column with the reason why a row has no answer, or "". Renamed if the input has a
#: column of that name.
REASON = "not_sorted"
LEFT = messages.NOT_ASKED

#: The name of the table in SQLite.
TICKETS = "tickets"

#: The column of that table with the number of the row.
ROW = "row"
# The most columns of a row that sqlite-utils inserts: SQLITE_MAX_VARS.
MOST_IN_TABLE = 999

# The most rows that a table for people shows.
MOST_SHOWN = 100

#: Replaces the rows of a table in a SQLite file.
Tabulate = Callable[[Path, str, AsyncIterator[Mapping[str, Any]]], Any]


def form_of(path: str, form: str | None, *, terminal: bool) -> str:
    """Return the format of `path` ("-" for standard output).

    Raises ConfigError if the name of `path` is that of another format.
    """
    if form:
        return form
    if path == "-":
        return TABLE if terminal else CSV
    suffix = Path(path).suffix.lower()
    if suffix in _OTHERS:
        raise ConfigError(messages.output_of_another_format(file=path, suffix=suffix))
    if suffix in (".jsonl", ".ndjson"):
        return JSONL
    return TABLE if suffix == ".txt" else CSV


def check(outputs: Sequence[tuple[str, str]], source: str) -> None:
    """Raise ConfigError if an output cannot be written, or is `source`."""
    for path, _ in outputs:
        if path == "-":
            continue
        target = Path(path)
        if source != "-" and target.exists() and target.samefile(source):
            raise ConfigError(messages.output_is_input(file=path))
        if target.is_dir() or not os.access(target.parent, os.W_OK):
            raise ConfigError(messages.output_unwritable(file=path))


def check_width(
    outputs: Sequence[tuple[str, str]], columns: Sequence[str], scheme: Scheme
) -> None:
    """Raise ConfigError if a SQLite file among `outputs` cannot have a table with
    `columns` and the fields of `scheme`."""
    width = len(columns) + len(scheme.names) + len((ROW, REASON))
    for path, form in outputs:
        if form == SQLITE and width > MOST_IN_TABLE:
            raise ConfigError(
                messages.too_wide_for_sqlite(
                    file=path, columns=width, most=MOST_IN_TABLE
                )
            )


async def write(
    archive: ResultStore,
    run: Run,
    scheme: Scheme,
    tabulate: Tabulate,
) -> None:
    """Write all answers so far to the outputs of `run`.

    Raises ConfigError if an output cannot be written; no part of it is left then.
    """
    for path, form in run.outputs:
        rows = flat(archive, run, scheme)
        if form == SQLITE:
            await tabulate(Path(path), TICKETS, rows)
        elif form == TABLE:
            with open_result(path) as file:
                wide = terminal.on(file, width=terminal.WIDTH)
                out = terminal.console() if path == "-" else wide
                out.print(await _table(archive, run, scheme))
        else:
            with open_result(path) as file:
                end = terminal.through(file)
                await _WRITERS[form](end, _columns(run, scheme), rows)


async def flat(
    archive: ResultStore, run: Run, scheme: Scheme
) -> AsyncIterator[Mapping[str, Any]]:
    """Yield each row with the scheme's fields, and the reason if there is no answer."""
    names, reason = _names(run, scheme)
    async for row in every(partial(archive.rows, run.id)):
        values = row.answer.values if row.answer else None
        said = {
            names[name]: _cell(value)
            for name, value in (values or dict.fromkeys(scheme.names, "")).items()
        }
        yield {**row.row, **said, reason: _reason(row)}


def _reason(row: Row) -> str:
    if row.answer is None:
        return LEFT
    return row.answer.reason


def _names(run: Run, scheme: Scheme) -> tuple[dict[str, str], str]:
    """Return the column of each field, and the column of the reason, all different from
    the columns of the input."""
    taken = {*run.columns, *scheme.names}
    names = {
        name: _free(name, taken) if name in run.columns else name
        for name in scheme.names
    }
    return names, REASON if REASON not in taken else _free(REASON, taken)


def _free(name: str, taken: set[str]) -> str:
    """Return a name like `name` that is not in `taken`, and add it."""
    others = (f"triage_{name}_{nth}" for nth in itertools.count(2))
    tried = itertools.chain((f"triage_{name}",), others)
    free = next(each for each in tried if each not in taken)
    taken.add(free)
    return free


def _columns(run: Run, scheme: Scheme) -> list[str]:
    names, reason = _names(run, scheme)
    return [*run.columns, *names.values(), reason]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


@contextlib.contextmanager
def open_result(path: str) -> Iterator[IO[str]]:
    """Open a file that replaces `path` when it is complete."""
    if path == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(path)
    if target.is_symlink() and target.is_file():
        # Replace the target of a symbolic link, not the link.
        target = target.resolve()
    # A path that is not a file, such as a pipe, cannot be replaced.
    whole = not target.exists() or target.is_file()
    part = target.with_name(f".{target.name}.part") if whole else target
    try:
        with private_files.open_private(part, replace=True) as file:
            yield file
            file.flush()
            if whole:
                os.fsync(file.fileno())
        if whole:
            part.replace(target)
    except OSError as error:
        raise ConfigError(
            messages.output_failed(file=path, reason=error.strerror)
        ) from None
    finally:
        if whole:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


async def _as_csv(
    out: Writer, columns: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]
) -> None:
    out.write(csv_cells.record(columns))
    async for row in rows:
        out.write(csv_cells.record(_flat(row.get(name, "")) for name in columns))


def _flat(value: Any) -> Any:
    """Return `value` from a JSON row as the text of a cell."""
    plain = value if isinstance(value, list) else [value]
    if all(isinstance(each, str | int | float | None) for each in plain):
        is_switch = isinstance(value, bool)
        return json.dumps(value) if is_switch else value
    return json.dumps(value, ensure_ascii=False)


async def _as_jsonl(
    out: Writer, columns: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]
) -> None:
    async for row in rows:
        out.write(terminal.as_json(row))


_WRITERS = {CSV: _as_csv, JSONL: _as_jsonl}


async def _table(archive: ResultStore, run: Run, scheme: Scheme) -> Table:
    names, reason = _names(run, scheme)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(run.id_column or "row", no_wrap=True)
    for name in scheme.names:
        table.add_column(name, overflow="fold")
    shown = 0
    async for row in flat(archive, run, scheme):
        shown += 1
        if shown > MOST_SHOWN:
            table.caption = messages.more_rows(rows=run.rows)
            break
        id = nested.value(row, run.id_column) if run.id_column else None
        first = str(id or shown)
        cells = [str(row[names[name]]) for name in scheme.names]
        if row[reason]:
            cells[-1] = f"({row[reason]})"
        table.add_row(Text(first), *map(Text, cells))
    return table
