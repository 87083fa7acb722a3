"""The lines above and below answers that name files, inside a transaction; and the
migration for those above.

Rule: the name of a file is a person's text. These lines are deleted with the last
message that has the file.
"""

from sqlite_utils import Database

from storage.connection import Connection

# Turns that have a deleted message and whose answer names files.
OF_DELETED = """
    SELECT EXISTS (
        SELECT 1 FROM messages
        WHERE thread_id = turns.thread_id AND turn_id = turns.id
          AND role = 'user' AND deleted_at IS NOT NULL
    )
    FROM turns WHERE id = ? AND head <> ''
"""


def m027_heads(db: Database) -> None:
    """Add the line above an answer that names unread files. Never edited."""
    db.table("turns").add_column("head", str, not_null_default="")


def forget_of_message(db: Connection, message_id: int) -> None:
    """Delete the lines that name files from the answer to a message, if the message had
    files."""
    row = db.execute(
        "SELECT turn_id FROM messages "
        "WHERE id = ? AND files <> '[]' AND turn_id IS NOT NULL",
        [message_id],
    ).fetchone()
    if row is not None:
        forget(db, row["turn_id"])


def forget_of_deleted(db: Connection, turn: int) -> None:
    """Delete the lines that name files from the answer of the turn with the id `turn`.

    Only if a message was deleted while the answer was being written.
    """
    row = db.execute(OF_DELETED, [turn]).fetchone()
    if row is not None and row[0]:
        forget(db, turn)


def move(db: Connection, turn: int, *, to: int) -> None:
    """Move the lines that name files from `turn` to the turn that replaces it.

    The messages and posted parts of `turn` move in the same way.
    """
    db.execute(
        "UPDATE turns SET (head, note) = (SELECT head, note FROM turns WHERE id = ?) "
        "WHERE id = ?",
        [turn, to],
    )
    db.execute("UPDATE turns SET head = '', note = '' WHERE id = ?", [turn])


def forget(db: Connection, turn: int) -> None:
    """Delete the head and the note of the turn with the id `turn`."""
    row = db.execute("SELECT head, note FROM turns WHERE id = ?", [turn]).fetchone()
    if row["note"]:
        db.execute(
            "UPDATE replies SET text = rtrim(replace(text, ?, ''), ?) "
            "WHERE turn_id = ?",
            [row["note"], "\n", turn],
        )
    if row["head"]:
        # The head is the first paragraph, perhaps with its mentions escaped. An earlier
        # attempt may have shown another head.
        db.execute(
            """
            UPDATE replies SET text = iif(
                instr(text, :gap) > 0, substr(text, instr(text, :gap) + 2), ''
            )
            WHERE turn_id = :turn AND part = 0
              AND substr(text, 1, :begin) = substr(:head, 1, :begin)
            """,
            {"turn": turn, "head": row["head"], "gap": "\n\n", "begin": 8},
        )
    db.execute("UPDATE turns SET head = '', note = '' WHERE id = ?", [turn])
