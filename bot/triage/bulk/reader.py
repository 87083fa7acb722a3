"""Read tickets from CSV of any dialect, or JSON Lines.

Rule: rows are read one at a time, however large the file is. An unreadable row is a
ConfigError of one sentence that names it, before anything is paid for.
"""

import codecs
import contextlib
import csv
import itertools
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.messages.config import file_unreadable
from bot.text.characters import (
    replace_invalid,
    replace_invalid_json,
    replace_lone_surrogates,
)
from bot.text.csv_cells import unguarded
from bot.triage.answer import Ticket

CSV, JSONL = "csv", "jsonl"

#: Names of the column with the ticket, in order of preference.
TEXTS = ("ticket", "text", "body", "message", "description", "content", "question")
#: Names of the column that identifies a row.
IDS = ("id", "ticket_id", "ticket id", "key", "number", "nr")

_SEPARATORS = ",;\t|"
#: How many rows are read to detect the separator.
_SAMPLE = 20
#: How many column names an error lists.
_LISTED = 12

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


# Accepts lone surrogates, which some programs write into UTF-8 and UTF-16, so that they
# do not make a file unreadable.
_HALVES = "surrogatepass"


@dataclass(frozen=True)
class Source:
    """A file of tickets whose format and columns are known."""

    #: The name of the file, for people.
    name: str
    path: Path
    form: str
    encoding: str
    separator: str
    columns: tuple[str, ...]
    #: Those of `columns` that make up the ticket.
    texts: tuple[str, ...]
    #: The column that identifies a row; "" for none.
    id: str

    def tickets(self) -> Iterator[Ticket]:
        """Yield every row in order. Raises ConfigError for an unreadable one."""
        with _open(self.path, self.encoding, newline="") as file:
            rows = (
                _json_rows(file, self.name)
                if self.form == JSONL
                else _csv_rows(file, self.separator, self.columns, self.name)
            )
            for position, row in enumerate(rows, start=1):
                if missing := [name for name in self.texts if name not in row]:
                    raise ConfigError(
                        messages.no_value(
                            file=self.name, row=position, column=missing[0]
                        )
                    )
                yield Ticket(position, text_of(row, self.texts), row)


@contextlib.contextmanager
def opened(
    file: str,
    *,
    columns: Sequence[str] = (),
    id: str = "",
    stdin: IO[bytes] | None = None,
) -> Iterator[Source]:
    """Detect the format of `file` ("-" for standard input), the columns with the ticket
    (`columns`, or by their names) and the column with its `id`.

    Standard input is copied to a temporary file. Raises ConfigError.
    """
    if file != "-":
        # The name may hold bytes that are not valid UTF-8.
        yield _look(replace_lone_surrogates(file), Path(file), columns, id)
        return
    with tempfile.TemporaryDirectory(prefix="threadkeep-") as folder:
        path = Path(folder) / "tickets"
        with path.open("wb") as out:
            shutil.copyfileobj(stdin or sys.stdin.buffer, out)
        yield _look(messages.STANDARD_INPUT, path, columns, id)


def _open(path: Path, encoding: str, newline: str | None = None) -> IO[str]:
    """Open `path`, whose text may contain lone surrogates."""
    return path.open(encoding=encoding, errors=_HALVES, newline=newline)


def _look(name: str, path: Path, columns: Sequence[str], id: str) -> Source:
    # No limit: a row that is too long is marked, and must not end the run.
    csv.field_size_limit(2**31 - 1)
    try:
        encoding = _encoding(path)
        form = _form(name, path, encoding)
        if form == JSONL:
            separator, found = "", _keys(path, encoding, name)
        else:
            separator, found = _head(path, encoding, name)
    except OSError as error:
        raise ConfigError(file_unreadable(file=name, reason=error.strerror)) from None
    texts = tuple(_column(name, found, each) for each in columns) or _guess(name, found)
    known = {column.casefold(): column for column in found}
    id = (
        _column(name, found, id)
        if id
        else next((known[each] for each in IDS if each in known), "")
    )
    return Source(name, path, form, encoding, separator, found, texts, id)


def _encoding(path: Path) -> str:
    """Return the encoding of `path`: by its byte order mark, UTF-8 if it is valid, and
    otherwise what spreadsheets in western Europe write."""
    with path.open("rb") as file:
        head = file.read(4)
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")(_HALVES)
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _form(name: str, path: Path, encoding: str) -> str:
    """Return CSV or JSONL, by the name of the file or by its beginning."""
    try:
        with _open(path, encoding) as file:
            head = file.read(4096)
    except UnicodeDecodeError:
        raise ConfigError(messages.neither_csv_nor_jsonl(file=name)) from None
    if "\0" in head:
        raise ConfigError(messages.neither_csv_nor_jsonl(file=name))
    if not head.strip():
        raise ConfigError(messages.empty_file(file=name))
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson") or (
        suffix not in (".csv", ".tsv") and head.lstrip().startswith("{")
    ):
        return JSONL
    if head.lstrip().startswith("[{"):
        raise ConfigError(messages.json_list(file=name))
    return CSV


def _keys(path: Path, encoding: str, name: str) -> tuple[str, ...]:
    with _open(path, encoding) as file:
        sample = itertools.islice(_json_rows(file, name), _SAMPLE)
        return tuple(dict.fromkeys(key for row in sample for key in row))


def _json_rows(file: IO[str], name: str) -> Iterator[Mapping[str, Any]]:
    read = 0
    try:
        for line in file:
            read += 1
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError
                yield replace_invalid_json(row)
    except (ValueError, RecursionError):
        # Invalid bytes fail before their line is counted.
        raise ConfigError(
            messages.not_a_json_object(file=name, line=max(read, 1))
        ) from None


def _head(path: Path, encoding: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the separator and the column names."""
    best: tuple[float, int, str] = (0.0, 0, ",")
    rows: list[list[str]] = []
    for separator in _SEPARATORS:
        with _open(path, encoding, newline="") as file:
            found = [
                row
                for row in itertools.islice(_records(file, separator, name), _SAMPLE)
            ]
        widths = Counter(len(row) for row in found if row)
        width = len(found[0]) if found else 0
        # The right separator makes the rows as wide as the head.
        share = widths[width] / max(1, widths.total()) if width > 1 else 0.0
        if (share, width) > best[:2]:
            best = (share, width, separator)
        rows = rows or found
    with _open(path, encoding, newline="") as file:
        head = next(_records(file, best[2], name), [])
    names: list[str] = []
    for nth, each in enumerate(head, start=1):
        column = " ".join(each.split()) or f"column {nth}"
        names.append(column if column not in names else f"{column} ({nth})")
    if len(rows) < 2:
        raise ConfigError(messages.no_rows(file=name))
    return best[2], tuple(names)


def _records(file: IO[str], separator: str, name: str) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=separator)
    try:
        for record in reader:
            if record:
                # Guards that a spreadsheet or our own export added.
                yield [replace_invalid(unguarded(each)) for each in record]
    except (csv.Error, UnicodeDecodeError) as error:
        why = error if isinstance(error, csv.Error) else messages.WRONG_ENCODING
        line = reader.line_num
        raise ConfigError(
            messages.unreadable_line(file=name, line=line, why=why)
        ) from None


def _csv_rows(
    file: IO[str], separator: str, columns: Sequence[str], name: str
) -> Iterator[Mapping[str, Any]]:
    records = _records(file, separator, name)
    next(records, None)
    for nth, record in enumerate(records, start=1):
        if any(record[len(columns) :]):
            raise ConfigError(
                messages.fields_differ(
                    file=name, row=nth, fields=len(record), columns=len(columns)
                )
            )
        record += [""] * (len(columns) - len(record))
        yield dict(zip(columns, record, strict=False))


def _column(name: str, found: Sequence[str], wanted: str) -> str:
    """Return the column named `wanted`. Raises ConfigError."""
    if wanted in found:
        return wanted
    for column in found:
        if column.casefold() == wanted.casefold():
            return column
    raise ConfigError(
        messages.no_column_of(file=name, column=wanted, columns=_listing(found))
    )


def _guess(name: str, found: Sequence[str]) -> tuple[str, ...]:
    known = {column.casefold(): column for column in found}
    for each in TEXTS:
        if each in known:
            return (known[each],)
    if len(found) == 1:
        return (found[0],)
    raise ConfigError(messages.which_column(file=name, columns=_listing(found)))


def _listing(found: Sequence[str]) -> str:
    shown = ", ".join(f"`{column}`" for column in found[:_LISTED])
    more = len(found) - _LISTED
    if more > 0:
        shown += messages.and_more(count=more)
    return messages.it_has(columns=shown)


def text_of(row: Mapping[str, Any], texts: Sequence[str]) -> str:
    """Return the ticket in `row`, its columns separated by blank lines."""
    parts = [_text(row[name]) for name in texts]
    return "\n\n".join(part for part in parts if part)


def _text(value: Any) -> str:
    if value is None:
        return ""
    try:
        return (value if isinstance(value, str) else json.dumps(value)).strip()
    except RecursionError:
        raise ConfigError(messages.TICKET_TOO_DEEP) from None
