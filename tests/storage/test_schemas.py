"""The tables on SQLite and on PostgreSQL are the same."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlite_utils import Database

from storage.migrations import migrate
from tests.support.postgres import database, migrated

TYPES = {
    "INTEGER": "bigint",
    "REAL": "double precision",
    "TEXT": "text",
    "BLOB": "bytea",
}
# Where each notes what it has applied.
OWN = {"_sqlite_migrations", "threadkeep_steps"}

TABLES = """
    SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
"""
COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), attnotnull,
        pg_get_expr(adbin, adrelid), collname
    FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""
INDEXES = """
    SELECT relname, indisunique, indisprimary, pg_get_expr(indpred, indrelid),
        ARRAY(
            SELECT pg_get_indexdef(indexrelid, nth, true)
            FROM generate_series(1, indnkeyatts) AS nth
        )
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = %s::regclass
"""
REFERENCES = """
    SELECT attname, confrelid::regclass::text, (
        SELECT attname FROM pg_attribute
        WHERE attrelid = confrelid AND attnum = confkey[1]
    )
    FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
    WHERE conrelid = %s::regclass AND contype = 'f'
"""
TRIGGERS = (
    "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
)


@pytest.fixture(scope="module")
def lite() -> Iterator[Database]:
    with Database(memory=True) as opened:
        migrate(opened)
        yield opened


@pytest.fixture(scope="module")
def postgres() -> Iterator[psycopg.Connection[Any]]:
    with (
        database(migrated) as url,
        closing(psycopg.connect(url, autocommit=True)) as opened,
    ):
        yield opened


def plain(expression: str | None) -> str | None:
    """Return a default or condition as both write it."""
    if expression is None:
        return None
    return re.sub(r"::[a-z ]+|[()\"]", "", expression).removesuffix(" ")


def lite_tables(db: Database) -> dict[str, Any]:
    found = {}
    for table in db.table_names():
        if table in OWN:
            continue
        rows = db.execute(f"PRAGMA table_info({table})").fetchall()
        key = [name for _, name, *_, nth in sorted(rows, key=lambda r: r[5]) if nth]
        columns = [
            (name, TYPES[kind], bool(required or nth), plain(default))
            for _, name, kind, required, default, nth in rows
        ]
        indexes = {
            index.name: (
                bool(index.unique),
                index.columns,
                plain(condition[1])
                if (condition := predicate(db, index.name))
                else None,
            )
            for index in db.table(table).indexes
            if index.origin == "c"
        }
        references = {
            (key.column, key.other_table, key.other_column)
            for key in db.table(table).foreign_keys
        }
        found[table] = {
            "columns": columns,
            "key": key,
            "indexes": indexes,
            "references": references,
        }
    return found


def predicate(db: Database, index: str) -> re.Match[str] | None:
    (statement,) = db.execute(
        "SELECT sql FROM sqlite_master WHERE name = ?", [index]
    ).fetchone()
    return re.search(r"\sWHERE\s+(.*)", statement, re.DOTALL)


def postgres_tables(db: psycopg.Connection[Any]) -> dict[str, Any]:
    found = {}
    for (table,) in db.execute(TABLES).fetchall():
        if table in OWN:
            continue
        columns = db.execute(COLUMNS, [table]).fetchall()
        wrong = [name for name, kind, *_, by in columns if kind == "text" and by != "C"]
        assert not wrong, f"{table}: {wrong} do not compare by their bytes"
        indexes = [
            (*facts, [plain(part) for part in parts])
            for *facts, parts in db.execute(INDEXES, [table]).fetchall()
        ]
        found[table] = {
            "columns": [
                (name, kind, required, plain(default))
                for name, kind, required, default, _ in columns
            ],
            "key": [
                each for *_, is_key, _, parts in indexes if is_key for each in parts
            ],
            "indexes": {
                name: (unique, parts, plain(condition))
                for name, unique, is_key, condition, parts in indexes
                if not is_key
            },
            "references": set(db.execute(REFERENCES, [table]).fetchall()),
        }
    return found


def test_both_have_the_same_tables(
    lite: Database, postgres: psycopg.Connection[Any]
) -> None:
    ours, theirs = lite_tables(lite), postgres_tables(postgres)
    assert ours.keys() == theirs.keys()
    for table, facts in ours.items():
        for fact, value in facts.items():
            assert theirs[table][fact] == value, f"{table}: {fact}"


def test_both_have_the_same_triggers(
    lite: Database, postgres: psycopg.Connection[Any]
) -> None:
    ours = {(each.name, each.table) for each in lite.triggers}
    assert set(postgres.execute(TRIGGERS).fetchall()) == ours


def test_a_number_is_given_by_the_database_alone_where_sqlite_gives_one(
    lite: Database, postgres: psycopg.Connection[Any]
) -> None:
    """A number that is another row's is never given."""
    identities = postgres.execute(
        "SELECT attrelid::regclass::text, attname::text FROM pg_attribute "
        "WHERE attidentity = 'd'"
    ).fetchall()
    ours = {
        (table, "id")
        for table in lite.table_names()
        if table not in OWN and lite.table(table).columns_dict.get("id") is int
    }
    assert set(identities) == ours
