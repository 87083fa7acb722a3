"""Migration: why a message was answered or not. As the others in `migrations`, it is
never edited."""

from sqlite_utils import Database


def m011_rules_of_messages(db: Database) -> None:
    """Add the rule that held for a message; "" for one that nothing was decided
    about."""
    db.table("messages").add_column("rule", str, not_null_default="")
