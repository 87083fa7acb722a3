"""How a place is written in a row: four columns, in every table that has one."""

from dataclasses import asdict
from sqlite3 import Row

from sqlite_utils import Database

from bot.domain.scope import Scope

#: The condition that a row is about exactly one place.
AT = (
    "platform = :platform AND workspace = :workspace "
    "AND channel = :channel AND thread = :thread"
)


def parts(place: Scope) -> dict[str, str]:
    """The parts of `place` as a statement names them."""
    return asdict(place)


def inside(place: Scope) -> str:
    """The condition that a row is about `place` or a place in it."""
    named = [name for name, value in parts(place).items() if value]
    return " AND ".join(f"{name} = :{name}" for name in named) or "1"


def place_of(row: Row) -> Scope:
    """The place that `row` is about."""
    return Scope(row["platform"], row["workspace"], row["channel"], row["thread"])


def both(place: Scope, to: Scope) -> dict[str, str]:
    """The parts of two places; those of `to` begin with "to_"."""
    return {**parts(place), **{f"to_{k}": v for k, v in parts(to).items()}}


def relocate(db: Database, table: str, place: Scope, *, to: Scope) -> None:
    """Let rows of `table` about `place` be about `to`, unless it has such already."""
    db.execute(
        f"""
        UPDATE OR IGNORE {table}
        SET platform = :to_platform, workspace = :to_workspace,
            channel = :to_channel, thread = :to_thread
        WHERE {AT}
        """,
        both(place, to),
    )
