"""Migration: counts of failures of turns and cases."""

from sqlite_utils import Database


def m007_tries(db: Database) -> None:
    """Add how often a turn or case failed, so that it is not resumed for ever."""
    db.table("turns").add_column("failures", int, not_null_default=0)
    db.table("cases").add_column("tries", int, not_null_default=0)
