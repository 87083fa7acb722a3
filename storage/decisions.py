"""Decisions on messages and their reasons, inside a transaction."""

from bot.domain.message import Decision
from bot.domain.scope import ThreadKey
from storage.connection import Connection
from storage.thread_queries import THREAD_ID, named

# Reads only the end of the index by time.
DECISION = f"""
    SELECT message, author, asks, rule FROM messages
    WHERE thread_id = ({THREAD_ID}) AND at <= :at
      AND rule <> '' AND rule <> :but AND deleted_at IS NULL
      AND (:message = '' OR message = :message)
    ORDER BY at DESC, id DESC LIMIT 1
"""


def decision(
    db: Connection, thread: ThreadKey, at: float, but: str, message: str = ""
) -> Decision | None:
    row = db.execute(
        DECISION, {**named(thread), "at": at, "but": but, "message": message}
    ).fetchone()
    if row is None:
        return None
    return Decision(row["message"], row["author"], bool(row["asks"]), row["rule"])
