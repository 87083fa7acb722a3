"""Migration: counts of failures of turns and cases."""

from sqlite_utils import Database


def m007_tries(db: Database) -> None:
    """Add the number of failures of a turn or case, so that neither is resumed for
    ever."""
    db.table("turns").add_column("failures", int, not_null_default=0)
    db.table("cases").add_column("tries", int, not_null_default=0)
