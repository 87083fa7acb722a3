"""The step by which failures of turns and cases came to be counted."""

from sqlite_utils import Database


def m007_tries(db: Database) -> None:
    """How often what a start takes up has failed, so that it is not tried for ever."""
    db.table("turns").add_column("failures", int, not_null_default=0)
    db.table("cases").add_column("tries", int, not_null_default=0)
