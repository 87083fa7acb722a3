"""The engine's own tables, created by the engine's own schema, and the triggers that
fill them.

Rule: a step is appended and never edited. It runs once, in one transaction with the
record of its name. The version of the engine is pinned; a newer version needs a step of
its own.
"""

from pathlib import Path

from procrastinate.schema import SchemaManager

from bot.errors import ConfigError
from bot.messages import postgres_schema as messages
from storage.postgres.connection import Connection
from storage.postgres.lock_numbers import SCHEMA
from storage.postgres.locks import locked
from storage.postgres.schema import WAIT, Step

HERE = Path(__file__).parent

STEPS = (
    Step("e001_procrastinate_3_10", SchemaManager.get_schema()),
    Step("e002_wakeups", (HERE / "wakeups.sql").read_text("utf-8")),
    Step("e003_rounds", (HERE / "rounds.sql").read_text("utf-8")),
    Step("e004_holding", (HERE / "holding.sql").read_text("utf-8")),
    Step("e005_asking", (HERE / "asking.sql").read_text("utf-8")),
)


def apply(db: Connection) -> None:
    """Run the steps that the database of `db` lacks. The database has all of our
    tables.

    Raises ConfigError if another process is migrating the database.
    """
    with locked(db, SCHEMA, WAIT) as alone:
        if not alone:
            raise ConfigError(messages.migrating(name=db.raw.info.dbname))
        applied = {name for (name,) in db.execute("SELECT name FROM threadkeep_steps")}
        for step in STEPS:
            if step.name not in applied:
                with db.raw.transaction():
                    db.raw.execute(step.sql.encode())
                    db.execute(
                        "INSERT INTO threadkeep_steps (name) VALUES (?)", [step.name]
                    )
