"""Migration: the names that come beside messages. As the others in `migrations`, it is
never edited."""

from sqlite_utils import Database


def m013_author_names(db: Database) -> None:
    """Add the name of the author that the platform gave with a message, for those whom
    it does not name when it is asked; "" for none."""
    db.table("messages").add_column("name", str, not_null_default="")
