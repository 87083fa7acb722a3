"""People's changes to stored threads and messages, inside a transaction. Deletions are
in `erasures`.

Rule 1: no row is deleted. A message that is no longer read keeps its position and its
id, so that it is not stored again.
Rule 2: only content that people changed is changed. All other content that the model
was given stays byte for byte. The prompt cache is lost from the change on.
"""

import secrets

from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from storage import (
    attachments,
    heads,
    ledger,
    locks,
    settings,
    summaries,
    thread_queries,
    tombstones,
    uploads,
)
from storage.connection import Connection
from storage.dialect import LAST_ID, insert, next_id
from storage.turn_reading import next_turn

# A message may be stored in several threads: its own, and those that quote it. The
# bot's own messages have no platform id in this table.
_STORED = """
    message = :message
    AND deleted_at IS NULL
    AND EXISTS (
        SELECT 1 FROM threads
        WHERE threads.id = messages.thread_id
          AND platform = :platform AND workspace = :workspace
          AND (channel = :channel OR :channel IS NULL)
    )
"""


def move_thread(db: Connection, thread: ThreadKey, to: ThreadKey) -> None:
    locks.storing(db, Scope.of(to))
    locks.both(db, thread, to)
    # The target thread may already exist.
    moved = db.execute(
        f"""
        UPDATE threads
        SET platform = :to_platform, workspace = :to_workspace,
            channel = :to_channel, thread = :to_thread
        WHERE id = ({thread_queries.THREAD_ID}) AND NOT EXISTS (
            SELECT 1 FROM threads AS there
            WHERE there.platform = :to_platform AND there.channel = :to_channel
              AND there.workspace = :to_workspace AND there.thread = :to_thread
        )
        """,
        {
            **thread_queries.named(thread),
            **{f"to_{part}": value for part, value in thread_queries.named(to).items()},
        },
    )
    if moved.rowcount:
        settings.move(db, Scope.of(thread), to=Scope.of(to))
        ledger.move(db, Scope.of(thread), to=Scope.of(to))


def edit_message(db: Connection, message: Message, content: str, now: float) -> None:
    where = {**thread_queries.named(message.thread), "message": message.message}
    locks.threads_of(db, message.thread.platform, [message.message])
    found = db.execute(f"SELECT id FROM messages WHERE {_STORED}", where).fetchall()
    for (number,) in found:
        summaries.delete_of_message(db, number)
    # The prompt of a turn in state ANSWERING may be under construction from the old
    # text. `store_prompt` prefers the content stored here.
    db.execute(
        f"""
        UPDATE messages
        SET text = :text, files = :files, edited_at = :now,
            content = CASE
                WHEN content IS NOT NULL
                OR (SELECT state FROM turns WHERE turns.id = turn_id) = 'answering'
                THEN :content
            END
        WHERE {_STORED}
        """,
        {
            **where,
            "text": message.text,
            "files": attachments.encode(message.files),
            "content": content,
            "now": now,
        },
    )


def reset_context(db: Connection, thread: ThreadKey) -> bool:
    locks.thread(db, thread)
    # The newest id of any thread will do, because ids only grow.
    reset = db.execute(
        f"""
        UPDATE threads
        SET unread = 0, reads_after = {LAST_ID.format("messages")}
        WHERE id = ({thread_queries.THREAD_ID})
        """,
        thread_queries.named(thread),
    )
    summaries.delete_of_threads(
        db, thread_queries.THREAD_ID, thread_queries.named(thread)
    )
    # The thread starts over with the settings that apply now.
    settings.unpin(db, Scope.of(thread))
    return reset.rowcount > 0


def retry_turn(db: Connection, thread: ThreadKey, turn: str, now: float) -> bool:
    row = locks.thread(db, thread)
    if row is None or next_turn(db, thread):
        return False
    last, name, asked_at, preface = db.execute(
        "SELECT id, key, asked_at, preface FROM turns WHERE thread_id = ? "
        "ORDER BY id DESC LIMIT 1",
        [row["id"]],
    ).fetchone() or (0, None, 0.0, None)
    if name != turn or not thread_queries.messages(db, last):
        return False
    # VALUES, not SELECT: with SELECT, SQLite would search for messages of the new turn.
    added = insert(
        db,
        f"""
        INSERT INTO turns
            (id, thread_id, key, state, touched, asked_at, created_at, preface)
        VALUES
            ({next_id("turns")}, :thread, :key, 'waiting', :now, :asked_at, :now,
             :preface)
        """,
        {
            "thread": row["id"],
            "key": secrets.token_hex(8),
            "now": now,
            "asked_at": asked_at,
            "preface": preface,
        },
    )
    turns = {"thread": row["id"], "last": last, "turn": added}
    db.execute(
        "UPDATE messages SET turn_id = :turn "
        "WHERE thread_id = :thread AND turn_id = :last AND role = 'user'",
        turns,
    )
    # Only the answer is left in the old turn, and it is no longer visible.
    db.execute(
        "UPDATE messages SET deleted_at = :now, content = NULL "
        "WHERE thread_id = :thread AND turn_id = :last",
        {**turns, "now": now},
    )
    _move_replies(db, Scope.of(thread), last, to=turns["turn"])
    heads.move(db, last, to=turns["turn"])
    summaries.move(db, last, to=turns["turn"])
    uploads.move(db, last, to=turns["turn"])
    return True


def _move_replies(db: Connection, thread: Scope, turn: int, *, to: int) -> None:
    """Move the messages of an answer to the turn that repeats it, without those that
    people deleted."""
    rows = db.execute(
        "SELECT message, text FROM replies WHERE turn_id = ? ORDER BY part", [turn]
    ).fetchall()
    db.execute("DELETE FROM replies WHERE turn_id = ?", [turn])
    kept = [
        row
        for row in rows
        if not (row["message"] and tombstones.is_deleted(db, thread, [row["message"]]))
    ]
    for part, row in enumerate(kept):
        db.execute(
            "INSERT INTO replies (turn_id, part, message, text) VALUES (?, ?, ?, ?)",
            [to, part, row["message"], row["text"]],
        )
