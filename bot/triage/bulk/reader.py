"""Reads tickets from CSV of any dialect, or JSON.

Rule 1: rows are read one at a time, so a file may have any size.
Rule 2: content that may be misread stops the reading before anything is paid for, with
one sentence that names the line; `force` reads it anyway.
Rule 3: everything that was detected or guessed is in the `Source`, to be shown.
"""

import contextlib
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from bot.errors import ConfigError
from bot.messages import ticket_files as messages
from bot.runtime import encodings
from bot.runtime.encodings import Damage, Encoding, Places
from bot.text.characters import is_blank, replace_lone_surrogates
from bot.triage.answer import UNREADABLE, Ticket
from bot.triage.bulk import columns, file_kinds, json_rows, nested, tables
from bot.triage.bulk.columns import Choice, Unclear
from bot.triage.bulk.json_rows import Document, Repeated
from bot.triage.bulk.tables import Dialect, Record
from bot.triage.bulk.ticket_text import text_of

CSV, JSONL, JSON = "CSV", "JSON Lines", "JSON"

#: Chooses among the candidates if the columns are unclear; an exception from it ends
#: the reading.
Ask = Callable[[Unclear], Sequence[str]]

# The most different columns of JSON rows.
_MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class Options:
    """Command-line options about a file."""

    columns: Sequence[str] = ()
    id: str = ""
    encoding: str = ""
    header: bool = True
    #: Whether to read content that may be misread.
    force: bool = False


@dataclass
class Findings:
    """Counts and damage found in the rows while they were read."""

    rows: int = 0
    #: Rows without visible text in their ticket.
    empty: int = 0
    #: Rows without any value, which are left out.
    blank: int = 0
    #: Lines that repeat the header row, which are left out.
    heads: Places = field(default_factory=Places)
    unreadable: Places = field(default_factory=Places)
    damage: Damage = field(default_factory=Damage)
    repeated: Repeated = field(default_factory=Repeated)


@dataclass(frozen=True)
class Source:
    """A file of tickets whose format and columns are known."""

    #: The file's name, for people.
    name: str
    path: Path
    #: `CSV`, `JSONL` or `JSON`.
    form: str
    encoding: Encoding
    columns: tuple[str, ...]
    #: The columns that make up the ticket, and why.
    choice: Choice
    #: The column that identifies a row; "" for none.
    id: str
    dialect: Dialect = field(default_factory=lambda: Dialect(tables.NONE))
    #: Whether the first record has the names of the columns.
    header: bool = True
    document: Document = field(default_factory=Document)
    force: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that make up the ticket."""
        return self.choice.texts

    def tickets(self, found: Findings | None = None) -> Iterator[Ticket]:
        """Yield every row in order, and count in `found`.

        Raises ConfigError for content that may be misread, unless `force` is set.
        """
        found = found or Findings()
        lines = encodings.lines(self.path, self.encoding, found.damage)
        try:
            rows = (
                self._csv(lines, found)
                if self.form == CSV
                else self._json(lines, found)
            )
            for position, (line, row, problem, raw) in enumerate(rows, start=1):
                found.rows = position
                if problem:
                    found.unreadable.add(line)
                    reason = messages.unreadable_row(
                        reason=UNREADABLE, line=line, problem=problem
                    )
                    yield Ticket(position, raw, row, reason)
                    continue
                text = text_of(row, self.texts)
                found.empty += not text
                yield Ticket(position, text, row)
        except OSError as error:
            raise _unreadable_file(self.name, error) from None
        if not found.rows:
            raise ConfigError(messages.no_rows(file=self.name))
        if found.unreadable.count > found.rows / 2:
            raise ConfigError(
                messages.mostly_unreadable(
                    file=self.name,
                    count=found.unreadable.count,
                    rows=found.rows,
                    format=self.form,
                    line=found.unreadable.lines[0],
                )
            )

    def _csv(
        self, lines: Iterator[str], found: Findings
    ) -> Iterator[tuple[int, Mapping[str, Any], str, str]]:
        records = tables.records(lines, self.dialect)
        head = next(records, None) if self.header else None
        width = len(self.columns)
        for nth, record in enumerate(records, start=1):
            cells = record.cells
            if width > 1 and not record.problem and all(map(is_blank, cells)):
                found.blank += 1
                continue
            if head is not None and cells == head.cells:
                found.heads.add(record.line)
                continue
            problem = record.problem or self._too_wide(nth, record)
            if problem and not self.force:
                quotes = bool(record.problem)
                advice = messages.FORCE_QUOTES if quotes else messages.FORCE_ROWS
                raise ConfigError(
                    messages.wrong_row(file=self.name, problem=problem, advice=advice)
                )
            row = dict(itertools.zip_longest(self.columns, cells[:width], fillvalue=""))
            raw = self.dialect.separator.join(cells)
            yield record.line, row, problem, raw

    def _too_wide(self, nth: int, record: Record) -> str:
        if not any(record.cells[len(self.columns) :]):
            return ""
        return messages.too_many_fields(
            row=nth,
            fields=len(record.cells),
            columns=len(self.columns),
            line=record.line,
        )

    def _json(
        self, lines: Iterator[str], found: Findings
    ) -> Iterator[tuple[int, Mapping[str, Any], str, str]]:
        repeated = found.repeated
        rows = (
            json_rows.rows_of_lines(lines, repeated)
            if self.form == JSONL
            else json_rows.rows_of_document(lines, self.document, repeated)
        )
        for row in rows:
            yield row.line, row.values, row.problem, row.raw


@contextlib.contextmanager
def open_source(
    file: str,
    options: Options | None = None,
    *,
    ask: Ask | None = None,
    stdin: IO[bytes] | None = None,
) -> Iterator[Source]:
    """Detect the format of `file` ("-" for standard input), and the columns that hold
    the ticket and its id.

    Standard input is copied to a temporary file. `ask` chooses the columns of the
    ticket if they are unclear. Raises ConfigError.
    """
    options = options or Options()
    if file != "-":
        # The name may contain bytes that are not valid UTF-8.
        name = replace_lone_surrogates(file)
        yield _Inspection(name, Path(file), options, ask).source()
        return
    with tempfile.TemporaryDirectory(prefix="threadkeep-") as folder:
        path = Path(folder) / "tickets"
        with path.open("wb") as out:
            shutil.copyfileobj(stdin or sys.stdin.buffer, out)
        yield _Inspection(messages.STANDARD_INPUT, path, options, ask).source()


def _unreadable_file(name: str, error: OSError) -> ConfigError:
    return ConfigError(messages.unreadable(file=name, reason=error.strerror))


@dataclass
class _Inspection:
    """Inspects a file before its rows are read."""

    name: str
    path: Path
    options: Options
    ask: Ask | None

    def source(self) -> Source:
        try:
            encoding = self._encoding()
            sample = self._sample(encoding)
            first = [line for line in sample if not is_blank(line)]
            if not first:
                raise ConfigError(messages.empty(file=self.name))
            if json_rows.is_json("".join(first[:2])):
                return self._json(encoding, first)
            if self.options.header and (
                found := file_kinds.foreign_text("".join(first))
            ):
                raise self._foreign(*found)
            return self._csv(encoding, sample)
        except OSError as error:
            raise _unreadable_file(self.name, error) from None

    def _encoding(self) -> Encoding:
        with self.path.open("rb") as file:
            head = file.read(1 << 16)
        if found := file_kinds.binary(head.removeprefix(b"\xef\xbb\xbf")):
            raise self._foreign(*found)
        if not head.strip(b" \t\r\n\0"):
            raise ConfigError(messages.empty(file=self.name))
        if self.options.encoding:
            return encodings.named(self.options.encoding)
        found_encoding = encodings.detect(self.path)
        if encodings.is_binary(head, found_encoding):
            raise self._foreign(
                messages.A_BINARY_FILE, messages.EXPORT_AS_CSV_OR_JSON_LINES
            )
        return found_encoding

    def _foreign(self, what: str, advice: str) -> ConfigError:
        return ConfigError(
            messages.not_tickets(file=self.name, what=what, advice=advice)
        )

    def _lines(self, encoding: Encoding) -> Iterator[str]:
        return encodings.lines(self.path, encoding, Damage())

    def _sample(self, encoding: Encoding) -> list[str]:
        lines, chars = [], 0
        for line in itertools.islice(self._lines(encoding), tables.SAMPLE_LINES):
            lines.append(line)
            chars += len(line)
            if chars > tables.SAMPLE_CHARS:
                break
        return lines

    def _json(self, encoding: Encoding, first: list[str]) -> Source:
        form, document = JSONL, Document()
        try:
            lines = json_rows.is_lines(first)
            if not lines or len(first) == 1:
                document = json_rows.find_rows(self._lines(encoding), self.name)
                form = JSONL if lines and not document.listed else JSON
            keys: dict[str, None] = {}
            rows: list[Mapping[str, Any]] = []
            found = Source(
                *(self.name, self.path, form, encoding, ()),
                Choice((), ""),
                "",
                document=document,
            )
            for _, row, problem, _ in found._json(self._lines(encoding), Findings()):
                if not problem:
                    keys.update(dict.fromkeys(row))
                    rows += [row] if len(rows) < columns.SAMPLE else []
                if len(keys) > _MOST_COLUMNS:
                    raise ConfigError(messages.too_many_keys(most=_MOST_COLUMNS))
        except Unclear:
            raise
        except ConfigError as error:
            text = str(error)
            if text.startswith(self.name):
                raise
            raise ConfigError(
                messages.unreadable_content(file=self.name, sentence=text)
            ) from None
        if not keys:
            raise ConfigError(messages.no_json_tickets(file=self.name))
        if (
            len(rows) == 1
            and not self.options.columns
            and file_kinds.is_api_error(keys)
        ):
            raise self._foreign(messages.AN_API_ERROR, messages.CHOOSE_TICKETS)
        return self._with_columns(found, tuple(keys), rows)

    def _csv(self, encoding: Encoding, sample: list[str]) -> Source:
        dialect = tables.find_dialect(sample, 0.0 if self.options.header else 0.9)
        if file_kinds.foreign_text("".join(sample)):
            # The person said that its lines are tickets.
            dialect = replace(dialect, separator=tables.NONE)
        if self.options.force:
            dialect = self._force_dialect(encoding, dialect)
        looked = replace(dialect, lenient=True)
        records = tables.records(sample, looked)
        table = [r.cells for r in itertools.islice(records, columns.SAMPLE)]
        if not table:
            raise ConfigError(messages.no_rows(file=self.name))
        header = self.options.header and self._has_head(table)
        names = (
            tables.column_names(table[0])
            if header
            else tuple(
                messages.column_number(number=n)
                for n in range(1, max(map(len, table)) + 1)
            )
        )
        rows = [dict(zip(names, cells, strict=False)) for cells in table[header:]]
        if not any(any(row.values()) for row in rows):
            raise ConfigError(messages.no_rows(file=self.name))
        found = Source(
            *(self.name, self.path, CSV, encoding, names),
            Choice((), ""),
            "",
            dialect=dialect,
            header=header,
            force=self.options.force,
        )
        return self._with_columns(found, names, rows)

    def _force_dialect(self, encoding: Encoding, dialect: Dialect) -> Dialect:
        """Return a dialect that reads a table with wrong quotes."""
        if not any(r.problem for r in tables.records(self._lines(encoding), dialect)):
            return dialect
        if tables.escapes_quotes(self._lines(encoding), dialect):
            return replace(dialect, backslash=True)
        return replace(dialect, lenient=True)

    def _has_head(self, table: list[list[str]]) -> bool:
        """Return True if the first record has the column names. Raises ConfigError if
        that is unclear."""
        head, *rows = table
        fitting = sum(len(row) == len(head) for row in rows)
        named = columns.usual_names(head) or (
            fitting >= len(rows) / 2 and not any(map(columns.holds_time, head))
        )
        if len(head) > 1 and named:
            return not any(map(columns.is_data, head))
        first = " ".join(head).strip()[:40]
        second = rows[0][0] if rows else ""
        for sign in tables.SEPARATORS:
            if columns.usual_names(second.split(sign)) > 1:
                raise ConfigError(
                    messages.header_row_below(file=self.name, first=first)
                )
        if len(head) > 1 or not columns.is_name(head[0]):
            raise ConfigError(messages.no_header_row(file=self.name, first=first))
        return True

    def _with_columns(
        self, found: Source, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
    ) -> Source:
        described = columns.describe_columns(names, rows)
        inner = columns.describe_columns(nested.names(rows), rows)
        all_names = (*names, *(each.name for each in inner))
        wanted = self.options.columns
        if not wanted:
            try:
                choice = columns.choose(self.name, described, inner)
            except Unclear as unclear:
                if self.ask is None:
                    raise
                asked = self.ask(unclear)
                picked = columns.choose_columns(self.name, all_names, asked)
                choice = replace(picked, why=messages.AS_YOU_CHOSE)
        else:
            choice = columns.choose_columns(self.name, all_names, wanted)
        id = self.options.id
        id = (
            columns.column(self.name, all_names, id)
            if id
            else columns.choose_id(described)
        )
        return replace(found, columns=names, choice=choice, id=id)
