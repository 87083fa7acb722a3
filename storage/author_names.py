"""Migration: names of authors that come with messages. Like all migrations, never
edited."""

from sqlite_utils import Database


def m013_author_names(db: Database) -> None:
    """Add the author's name that the platform sent with a message, or "".

    It is used for authors whose names the platform does not return on request.
    """
    db.table("messages").add_column("name", str, not_null_default="")
