"""Marks schema steps as additive or breaking, for SQLite and PostgreSQL.

Rule: a step is additive if a process of the previous version can continue with the
tables after the step. An additive step adds tables, indexes, and columns that are
nullable or have a default. The name of any other step ends in `_breaking`. A database
stores the names of its steps, so that an older process can read the mark too.
"""

from collections.abc import Iterable

_BREAKING = "_breaking"


def is_additive(step: str) -> bool:
    """Return whether processes that do not know `step` may run after it."""
    return not step.endswith(_BREAKING)


def keeps_out(unknown: Iterable[str]) -> str | None:
    """Return the last breaking step of `unknown`, or None if the process may run.

    `unknown` are the steps that the process does not know.
    """
    breaking = [step for step in unknown if not is_additive(step)]
    return breaking[-1] if breaking else None
