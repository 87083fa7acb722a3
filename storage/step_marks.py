"""Marks of the steps that change the tables, on SQLite and on PostgreSQL.

Rule: a step is additive if a process of the version before it can go on with the tables
as they are after it: it adds tables, indexes, and columns that are nullable or have a
default. One that does anything else has a name that ends in `_breaking`. A database
stores the names of its steps, so that an older process can tell, too.
"""

from collections.abc import Collection, Iterable

_BREAKING = "_breaking"


def is_additive(step: str) -> bool:
    """Return whether processes that do not know `step` may run after it."""
    return not step.endswith(_BREAKING)


def keeps_out(applied: Iterable[str], known: Collection[str]) -> str | None:
    """Return the last of the `applied` steps that keeps out a process which only knows
    the steps `known`, or None."""
    unknown = [step for step in applied if step not in known and not is_additive(step)]
    return unknown[-1] if unknown else None
