"""Creates and changes the tables on PostgreSQL in steps.

Rule 1: a step is a file in `steps/`. It is appended and never edited, because some
database has taken it. A step and the record of its name are one transaction.
Rule 2: after all steps, the tables, columns, keys and indexes are those of SQLite after
its migrations. `tests/storage/test_schemas.py` compares them.
Rule 3: any problem is a ConfigError of one sentence that names the database and a
remedy. Nothing is repaired.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from psycopg import errors

from bot.errors import ConfigError
from bot.messages import postgres_schema as messages
from storage.postgres.connection import Connection
from storage.postgres.lock_numbers import SCHEMA
from storage.postgres.locks import locked, wait_at_most
from storage.step_marks import keeps_out

# Time that a starting process waits for another that changes the schema, in seconds.
WAIT = 60.0

# Time that a step waits for a lock on a table, the number of attempts, and the pause
# between them. Statements that arrive after a waiting step wait with it, so the pause
# lets them go first. In seconds.
LOCK_WAIT = 2.0
TRIES = 5
PAUSE = 0.5

_TABLE = re.compile(r"^(CREATE|DROP) TABLE (\w+)", re.MULTILINE)

# Without the tables of extensions and of the engine.
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace(current_schema()) AND relkind IN ('r', 'p')
      AND relname NOT LIKE 'procrastinate\\_%'
      AND NOT EXISTS (
        SELECT 1 FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
      )
"""


class Step(NamedTuple):
    """A change of the schema. `name` is stored."""

    name: str
    sql: str


STEPS = tuple(
    Step(file.stem, file.read_text("utf-8"))
    for file in sorted((Path(__file__).parent / "steps").glob("s*.sql"))
)


def apply(
    db: Connection,
    steps: Sequence[Step] = STEPS,
    *,
    wait: float = WAIT,
    lock_wait: float = LOCK_WAIT,
    moving: bool = False,
) -> None:
    """Take the steps that the database of `db` lacks, excluding all other starting
    processes.

    With `moving`, also accept a database on which a move is incomplete. Raises
    ConfigError if the database cannot be brought up to date.
    """
    with _lock_schema(db, wait):
        for step in _pending(db, steps, moving=moving):
            _take(db, step, lock_wait)


def pending(db: Connection, steps: Sequence[Step] = STEPS) -> list[str]:
    """Return the names of the steps that the database of `db` lacks. An empty one lacks
    all.

    Raises ConfigError if it is not a Threadkeep database or does not fit this version.
    """
    with _lock_schema(db, WAIT, shared=True):
        return [step.name for step in _pending(db, steps)]


@contextmanager
def _lock_schema(
    db: Connection, wait: float, *, shared: bool = False
) -> Iterator[None]:
    with locked(db, SCHEMA, wait, shared=shared) as alone:
        if not alone:
            raise ConfigError(messages.migrating(name=db.raw.info.dbname))
        yield


def require_right_to_create(db: Connection) -> None:
    """Raise ConfigError if the role of `db` may not create tables."""
    [(may,)] = db.execute(
        # NULL if the role may not even use the schema.
        "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
    ).fetchall()
    if not may:
        name, role = db.raw.info.dbname, db.raw.info.user
        raise ConfigError(messages.may_not_create(name=name, role=role))


def unknown(db: Connection, steps: Sequence[Step] = STEPS) -> list[str]:
    """Return the names of the steps that the database of `db` has taken but `steps`
    lacks.

    Steps of the engine's tables (`storage.engine.schema`) are left out.
    """
    known = {step.name for step in steps}
    return [
        name
        for name in _applied_steps(db)
        if name not in known and not name.startswith("e")
    ]


def _pending(
    db: Connection, steps: Sequence[Step], *, moving: bool = False
) -> list[Step]:
    name = db.raw.info.dbname
    tables = {table for (table,) in db.execute(_TABLES)}
    if "threadkeep_steps" not in tables:
        if tables:
            raise ConfigError(messages.foreign(name=name, table=min(tables)))
        return list(steps)
    if "threadkeep_move" in tables and not moving:
        raise ConfigError(messages.half_moved(name=name))
    applied = _applied_steps(db)
    known = {step.name for step in steps}
    if newer := keeps_out(each for each in applied if each not in known):
        raise ConfigError(messages.newer(name=name, version=newer))
    taken = [step for step in steps if step.name in applied]
    left = [step for step in steps if step.name not in applied]
    # A step before the last one taken, or a table that somebody removed.
    missing = [step.name for step in steps[: len(taken)] if step in left]
    missing += sorted(_tables_after(taken) - tables)
    if missing:
        raise ConfigError(messages.half(name=name, missing=missing[0]))
    return left


def _applied_steps(db: Connection) -> list[str]:
    rows = db.execute("SELECT name FROM threadkeep_steps ORDER BY at, name")
    return [name for (name,) in rows]


def _tables_after(steps: Sequence[Step]) -> set[str]:
    """Return the tables that exist after `steps`."""
    found = [each for step in steps for each in _TABLE.findall(step.sql)]
    return {table for table, verb in {t: v for v, t in found}.items() if verb != "DROP"}


def _take(db: Connection, step: Step, lock_wait: float) -> None:
    name = db.raw.info.dbname
    for tries_left in reversed(range(TRIES)):
        try:
            with db.raw.transaction():
                wait_at_most(db, lock_wait)
                db.raw.execute(step.sql.encode())
                db.execute(
                    "INSERT INTO threadkeep_steps (name) VALUES (?)", [step.name]
                )
        except (errors.InsufficientPrivilege, errors.InvalidSchemaName):
            require_right_to_create(db)
            # The role may create tables, so the existing ones belong to another role.
            raise
        except errors.LockNotAvailable as error:
            if not tries_left:
                raise ConfigError(messages.tables_locked(name=name)) from error
            time.sleep(PAUSE)
        else:
            return
