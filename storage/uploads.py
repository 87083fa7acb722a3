"""The files of answers, inside a transaction; and the migration that adds them.

Rule: what a file holds is in the text of its answer and nowhere else, so it is deleted
with that. Here are the names, which are words of the answer, and what is needed to
delete a file on its platform.
"""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.domain.answer_file import Upload
from bot.domain.turn import Turn
from storage.connection import Connection


def m025_uploads(db: Database) -> None:
    """Add the files of answers."""
    db.table("uploads").create(
        {
            "turn_id": int,
            # Files that are shown together have the same number.
            "batch": int,
            "position": int,
            "name": str,
            # The SHA-256 of the file; "" for one of an answer that is written again.
            "digest": str,
            # The platform's id of the file, or of the message with it; "" for none yet.
            "file": str,
            # Whether readers are known to see it.
            "shown": bool,
        },
        pk=("turn_id", "batch", "position"),
        not_null={"turn_id", "batch", "position", "name", "digest", "file", "shown"},
        foreign_keys=[("turn_id", "turns", "id")],
        strict=True,
    )


def store_uploads(db: Connection, turn: Turn, uploads: Sequence[Upload]) -> None:
    for each in uploads:
        db.execute(
            """
            INSERT INTO uploads (turn_id, batch, position, name, digest, file, shown)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (turn_id, batch, position) DO UPDATE
            SET name = excluded.name, digest = excluded.digest, file = excluded.file,
                shown = excluded.shown
            """,
            [
                *(turn.id, each.batch, each.position, each.name, each.digest),
                *(each.id, each.is_shown),
            ],
        )


def forget_uploads(db: Connection, turn: Turn, batch: int) -> None:
    db.execute("DELETE FROM uploads WHERE turn_id = ? AND batch = ?", [turn.id, batch])


def move(db: Connection, turn: int, *, to: int) -> None:
    """Give the files of a turn to the one that repeats it, as files to be replaced."""
    db.execute(
        "UPDATE uploads SET turn_id = ?, digest = '' WHERE turn_id = ?", [to, turn]
    )


def delete_of_answer(db: Connection, turn: int) -> None:
    """Delete what the files of an answer are called."""
    db.execute("UPDATE uploads SET name = '', digest = '' WHERE turn_id = ?", [turn])
