"""The tables that a move copies, and the digest that compares two copies."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from graphlib import TopologicalSorter
from hashlib import blake2b
from typing import Any

from sqlite_utils import Database

from storage.migrations import migrate
from storage.postgres.adaptation import NUL_MARK

Row = tuple[Any, ...]

#: The tables that record migrations, and those that matter only while processes run.
LEFT_OUT = {
    *("_sqlite_migrations", "threadkeep_steps"),
    *("processes", "shard_ranges", "slots", "write_rates"),
}

_TYPES = {"INTEGER": "int8", "REAL": "float8", "TEXT": "text", "BLOB": "bytea"}

# The digest of a table is the sum of the digests of its rows, so that it does not
# depend on their order.
_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)

# NUL_MARK as `ascii` writes it, and the NUL for which it stands on PostgreSQL.
_MARK, _NUL = ascii(NUL_MARK)[1:-1].encode(), b"\\x00"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that both databases have.

    `types` are PostgreSQL's names. `key` contains the positions of the primary key's
    columns, in order.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[int, ...]

    @property
    def has_bytes(self) -> bool:
        """True if a row can contain many megabytes."""
        return "bytea" in self.types

    @property
    def column_list(self) -> str:
        """The columns, as SQL."""
        return ", ".join(f'"{each}"' for each in self.columns)

    @property
    def key_list(self) -> str:
        """The columns of the key, as SQL."""
        return ", ".join(f'"{self.columns[each]}"' for each in self.key)

    def key_of(self, row: Row) -> list[Any]:
        """Return the key of `row`."""
        return [row[each] for each in self.key]


@dataclass(frozen=True, slots=True)
class Sum:
    """The number of rows of a table, and their digest."""

    rows: int
    digest: int


def tables() -> list[Table]:
    """Return all tables with data to move, each after the tables that it references."""
    with closing(Database(memory=True)) as db:
        migrate(db)
        found = {name: _table(db, name) for name in {*db.table_names()} - LEFT_OUT}
        refers = {
            name: {key.other_table for key in db.table(name).foreign_keys} - {name}
            for name in sorted(found)
        }
    return [found[name] for name in TopologicalSorter(refers).static_order()]


def triggers() -> dict[str, str]:
    """Return the CREATE statement of each SQLite trigger, by name."""
    with closing(Database(memory=True)) as db:
        migrate(db)
        return {each.name: each.sql for each in db.triggers}


def sum_rows(table: Table, rows: Iterable[Row]) -> Sum:
    """Return the sum of `rows` of `table`."""
    count = total = 0
    for row in rows:
        if table.has_bytes:
            row = tuple(_short(row))
        # Not repr, which differs between Python versions with their versions of
        # Unicode.
        text = ascii(row).encode()
        if _MARK in text:
            text = text.replace(_MARK, _NUL)
        hashed = blake2b(text, digest_size=_BYTES).digest()
        total = (total + int.from_bytes(hashed, "big")) % _MODULUS
        count += 1
    return Sum(count, total)


def _short(row: Row) -> Iterator[Any]:
    for value in row:
        yield blake2b(value).digest() if isinstance(value, bytes) else value


def _table(db: Database, name: str) -> Table:
    columns = db.table(name).columns
    key = sorted((each for each in columns if each.is_pk), key=lambda each: each.is_pk)
    return Table(
        name,
        tuple(each.name for each in columns),
        tuple(_TYPES[each.type] for each in columns),
        tuple(each.cid for each in key),
    )
