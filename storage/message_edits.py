"""What each verb does by which people change what was said, inside its transaction.

What it promises is said in `bot.ports.platform.Store`; how it keeps that is said here.
What people delete is in `erasures`.

Rule 1: no row goes away. What was taken back is known as such, so that it cannot
come again; and it keeps its place, so that everything else keeps its own.
Rule 2: only what people change is changed. The rest of what Claude was given stays
byte for byte, though a prompt cache grows cold behind the change.
"""

import json
import secrets

from sqlite_utils import Database

from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from storage import ledger, settings, thread_queries
from storage.broken import LAST_ID, NEXT_ID

# One message may be remembered in several threads: where it was said, and where it
# was quoted. The bot's own have no id of the platform's here.
_MEANT = """
    message = :message
    AND deleted_at IS NULL
    AND EXISTS (
        SELECT 1 FROM threads
        WHERE threads.id = messages.thread_id
          AND platform = :platform AND workspace = :workspace
          AND (:channel IS NULL OR channel = :channel)
    )
"""


def move(db: Database, key: ThreadKey, *, to: ThreadKey) -> None:
    # Ignored is that there is a row of that name already.
    moved = db.execute(
        f"""
        UPDATE OR IGNORE threads
        SET platform = :to_platform, workspace = :to_workspace,
            channel = :to_channel, thread = :to_thread
        WHERE id = ({thread_queries.THREAD_ID})
        """,
        {
            **thread_queries.named(key),
            **{f"to_{part}": value for part, value in thread_queries.named(to).items()},
        },
    )
    if moved.rowcount:
        settings.move(db, Scope.of(key), to=Scope.of(to))
        ledger.move(db, Scope.of(key), to=Scope.of(to))


def amend(db: Database, heard: Message, *, content: str, now: float) -> None:
    # Claude is about to be given what is in a turn that is being answered, in words
    # that were read before this. `freeze` finds the new ones here.
    db.execute(
        f"""
        UPDATE messages
        SET text = :text, files = :files, edited_at = :now,
            content = iif(
                content IS NOT NULL
                OR (SELECT state FROM turns WHERE turns.id = turn_id) = 'answering',
                :content, NULL
            )
        WHERE {_MEANT}
        """,
        {
            **thread_queries.named(heard.thread),
            "message": heard.message,
            "text": heard.text,
            "files": json.dumps(heard.files),
            "content": content,
            "now": now,
        },
    )


def renew(db: Database, key: ThreadKey) -> bool:
    # The last message of all threads will do: ids only grow.
    renewed = db.execute(
        f"""
        UPDATE threads
        SET unread = 0, reads_after = {LAST_ID.format("messages")}
        WHERE id = ({thread_queries.THREAD_ID})
        """,
        thread_queries.named(key),
    )
    # It begins anew with what applies now.
    settings.forget_kept(db, Scope.of(key))
    return renewed.rowcount > 0


def repeat(db: Database, key: ThreadKey, *, turn: str, now: float) -> bool:
    thread = thread_queries.thread(db, key)
    if thread is None or thread_queries.next_turn(db, key):
        return False
    # SQLite takes the other columns from the row that has the greatest id.
    last, name, asked_at, preface = db.execute(
        "SELECT max(id), key, asked_at, preface FROM turns WHERE thread_id = ?",
        [thread["id"]],
    ).fetchone()
    if name != turn or not thread_queries.messages(db, last):
        return False
    # Not from a SELECT: SQLite would then plan to look for messages of the new turn.
    added = db.execute(
        f"""
        INSERT INTO turns
            (id, thread_id, key, state, touched, asked_at, created_at, preface)
        VALUES
            ({NEXT_ID.format("turns")}, :thread, :key, 'waiting', :now, :asked_at, :now,
             :preface)
        """,
        {
            "thread": thread["id"],
            "key": secrets.token_hex(8),
            "now": now,
            "asked_at": asked_at,
            "preface": preface,
        },
    )
    turns = {"thread": thread["id"], "last": last, "turn": added.lastrowid}
    db.execute(
        "UPDATE messages SET turn_id = :turn "
        "WHERE thread_id = :thread AND turn_id = :last AND role = 'user'",
        turns,
    )
    # What is left of the old turn is its answer, which nobody sees any more.
    db.execute(
        "UPDATE messages SET deleted_at = :now, content = NULL "
        "WHERE thread_id = :thread AND turn_id = :last",
        {**turns, "now": now},
    )
    db.execute("UPDATE replies SET turn_id = :turn WHERE turn_id = :last", turns)
    return True
