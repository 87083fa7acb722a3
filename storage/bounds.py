"""A step of `storage.migrations`: which charges are bounds, and which questions."""

from sqlite_utils import Database


def m008_bounds(db: Database) -> None:
    """Which costs are the most that a call can have cost, and which calls are
    questions of a person."""
    db.table("charges").add_column("bounded", bool, not_null_default=0)
    db.table("charges").add_column("asks", bool, not_null_default=0)
    db.execute("UPDATE charges SET asks = kind IN ('answer', 'try', 'triage')")
