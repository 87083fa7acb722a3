"""Adds the new content of later versions to stored messages, inside a transaction.

Rule: content that the model was given stays byte for byte. Additions to it are a
separate message, which the next turn reads.
"""

from dataclasses import replace

from bot.domain.message import Message, StoredMessage
from bot.domain.reply import ADDED
from bot.domain.scope import Scope, ThreadKey
from storage import attachments, erasures, inbox, locks, thread_queries
from storage.connection import Connection

STORED = f"""
    SELECT messages.*, platform, workspace, channel, thread, reads_after,
      (SELECT state FROM turns WHERE turns.id = turn_id) AS state,
      (SELECT key FROM turns WHERE turns.id = turn_id AND asks = 1) AS asked
    FROM messages CROSS JOIN threads ON threads.id = thread_id
    WHERE thread_id = ({thread_queries.THREAD_ID}) AND message = :message
      AND deleted_at IS NULL
"""


def stored_message(
    db: Connection, thread: ThreadKey, message: str
) -> StoredMessage | None:
    where = {**thread_queries.named(thread), "message": message}
    row = db.execute(STORED, where).fetchone()
    if row is None:
        return None
    return StoredMessage(
        thread_queries.message_of(row),
        edited=row["edited_at"] is not None,
        asked=row["asked"] or "",
    )


def supplement(
    db: Connection, before: Message, after: Message, content: str, addition: Message
) -> None:
    locks.storing(db, Scope.of(before.thread))
    locks.thread(db, before.thread)
    where = {**thread_queries.named(before.thread), "message": before.message}
    row = db.execute(STORED, where).fetchone()
    if row is None or thread_queries.message_of(row) != before:
        return
    given = row["place"] is not None
    # While a turn begins, its prompt may be under construction from the old text.
    # `store_prompt` prefers the content stored here.
    replaced = content if row["state"] == "answering" else None
    db.execute(
        "UPDATE messages SET text = ?, files = ?, content = ? WHERE id = ?",
        [
            after.text,
            attachments.encode(after.files),
            row["content"] if given else replaced,
            row["id"],
        ],
    )
    for holder in after.holds:
        erasures.insert_holder(db, row["id"], holder)
    # Messages before a reset are no longer read.
    if given and row["id"] > row["reads_after"]:
        prefix = f"{ADDED}{before.message}:"
        (count,) = db.execute(
            "SELECT count(*) FROM messages "
            "WHERE thread_id = ? AND message >= ? AND message < ?",
            [row["thread_id"], prefix, f"{prefix}\uffff"],
        ).fetchone()
        added = replace(
            addition,
            message=f"{prefix}{count}",
            holds=(before.message, *after.holds),
        )
        inbox.add_message(db, row["thread_id"], added)
