"""Marks of the steps that change the tables, on SQLite and on PostgreSQL.

Rule: a step is additive if a process of the version before it can go on with the tables
as they are after it: it adds tables, indexes, and columns that are nullable or have a
default. One that does anything else has a name that ends in `_breaking`. A database
stores the names of its steps, so that an older process can tell, too.
"""

from collections.abc import Iterable

_BREAKING = "_breaking"


def is_additive(step: str) -> bool:
    """Return whether processes that do not know `step` may run after it."""
    return not step.endswith(_BREAKING)


def keeps_out(unknown: Iterable[str]) -> str | None:
    """Return the last of the steps `unknown` to a process that keeps it out, or None
    if it may run."""
    breaking = [step for step in unknown if not is_additive(step)]
    return breaking[-1] if breaking else None
