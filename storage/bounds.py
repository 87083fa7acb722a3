"""Migrations: upper bounds and questions among charges, and the number of fetched
pages."""

from sqlite_utils import Database


def m008_bounds(db: Database) -> None:
    """Add whether a cost is an upper bound, and whether a call counts as a question."""
    db.table("charges").add_column("bounded", bool, not_null_default=0)
    db.table("charges").add_column("asks", bool, not_null_default=0)
    db.execute("UPDATE charges SET asks = kind IN ('answer', 'try', 'triage')")


def m021_fetches(db: Database) -> None:
    """Add the number of pages that a call fetched."""
    db.table("charges").add_column("fetches", int, not_null_default=0)
