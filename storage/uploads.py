"""The files of answers, inside a transaction; and their migration.

Rule: the content of a file is only in the text of its answer, so it is deleted with the
text. This table contains the names, which are part of the answer, and the data needed
to delete a file on its platform.
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
            # The SHA-256 of the file, or "" for a file of an answer that is written
            # again.
            "digest": str,
            # The platform's id of the file, or of the message with the file; "" for
            # none yet.
            "file": str,
            # True once it is known that readers see the file.
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
    """Move the files of `turn` to the turn that repeats it, as files to be replaced."""
    db.execute(
        "UPDATE uploads SET turn_id = ?, digest = '' WHERE turn_id = ?", [to, turn]
    )


def delete_of_answer(db: Connection, turn: int) -> None:
    """Delete the names and digests of an answer's files."""
    db.execute("UPDATE uploads SET name = '', digest = '' WHERE turn_id = ?", [turn])
