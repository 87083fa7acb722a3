"""Migration: why a message was answered or not. Like all migrations, never edited."""

from sqlite_utils import Database


def m011_rules_of_messages(db: Database) -> None:
    """Add the rule that decided about a message, or "" if nothing was decided."""
    db.table("messages").add_column("rule", str, not_null_default="")
