"""Messages that show a sign while they wait behind another answer, inside a
transaction; and their migration."""

from sqlite_utils import Database

from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from storage import locks, thread_queries
from storage.connection import Connection

# The most attempts to remove a sign. The bot may have lost the permission for good.
MOST_TRIES = 5

SIGNS = """
    SELECT platform, workspace, channel, thread, message
    FROM messages INDEXED BY idx_messages_sign
    JOIN threads ON threads.id = messages.thread_id
    WHERE sign > 0
    ORDER BY messages.id
"""
_SHOWN = """
    SELECT platform, workspace, channel, thread, message
    FROM messages INDEXED BY idx_messages_sign
    JOIN threads ON threads.id = messages.thread_id
    LEFT JOIN turns ON turns.id = turn_id
    WHERE sign > 0
      AND (deleted_at IS NOT NULL OR coalesce(state, '') <> 'waiting')
"""
_HERE = f"messages.thread_id = ({thread_queries.THREAD_ID})"


def m014_waiting_signs(db: Database) -> None:
    """Add the number of attempts left to remove the waiting sign from a message.

    0 for a message without a sign. Never edited.
    """
    db.table("messages").add_column("sign", int, not_null_default=0)
    db.execute("CREATE INDEX idx_messages_sign ON messages (thread_id) WHERE sign > 0")


def claim_sign(db: Connection, message: Message) -> bool:
    # Locked, because nobody would remove a sign that is added while the turn begins.
    locks.thread(db, message.thread)
    claimed = db.execute(
        f"""
        UPDATE messages SET sign = :tries
        WHERE {_HERE} AND message = :message AND deleted_at IS NULL
          AND (SELECT state FROM turns WHERE turns.id = turn_id) = 'waiting'
        """,
        {
            **thread_queries.named(message.thread),
            "message": message.message,
            "tries": MOST_TRIES,
        },
    )
    return claimed.rowcount > 0


def signs(db: Connection) -> list[tuple[ThreadKey, str]]:
    rows = db.execute(SIGNS).fetchall()
    return [(ThreadKey(*row[:4]), row["message"]) for row in rows]


def past_signs(
    db: Connection, thread: ThreadKey | None = None
) -> list[tuple[ThreadKey, str]]:
    here = "" if thread is None else f"AND {_HERE}"
    rows = db.execute(
        f"{_SHOWN} {here} ORDER BY messages.id",
        {} if thread is None else thread_queries.named(thread),
    )
    return [(ThreadKey(*row[:4]), row["message"]) for row in rows.fetchall()]


def forget_sign(
    db: Connection, thread: ThreadKey, message: str, tried: bool = False
) -> None:
    db.execute(
        f"""
        UPDATE messages SET sign = CASE
            WHEN :tried = 1 AND sign > 0 THEN sign - 1 ELSE 0
        END
        WHERE {_HERE} AND message = :message
        """,
        {**thread_queries.named(thread), "message": message, "tried": tried},
    )
