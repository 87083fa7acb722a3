"""Summaries that the model reads in place of the older part of a thread, inside a
transaction; and their migration.

Rule 1: the first turn that has read nothing when a summary is stored is the first to
use it. Every attempt at a turn therefore reads the same content.
Rule 2: a summary is deleted together with any text from which it was made. The previous
summary, or the thread itself, is then read again.
"""

from collections.abc import Sequence
from dataclasses import asdict

from sqlite_utils import Database

from bot.domain.completion import Usage
from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn, Summary
from bot.domain.turn import Turn
from storage import locks
from storage.broken import calendar_time
from storage.connection import Connection, Row
from storage.conversation import turns_read
from storage.thread_queries import THREAD_ID, named

WAITING = f"""
    SELECT 1 FROM summaries
    WHERE thread_id = ({THREAD_ID}) AND used_by IS NULL LIMIT 1
"""

# The newest summary of a thread. With a key, the summary that this turn was the first
# to use.
SUMMARY = f"""
    SELECT * FROM summaries
    WHERE thread_id = ({THREAD_ID}) AND (
        :turn = '' OR used_by = (
            SELECT id FROM turns WHERE key = :turn AND thread_id = ({THREAD_ID})
        )
      )
    ORDER BY until DESC LIMIT 1
"""


def m017_summaries(db: Database) -> None:
    """Add the summaries of threads. Never edited."""
    used = dict.fromkeys(
        ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output"), int
    )
    db.table("summaries").create(
        {
            "id": int,
            "thread_id": int,
            # The summary covers the messages of this turn and of all turns before it,
            # back to the beginning or the last reset of the thread.
            "until": int,
            # The first turn that reads the summary; NULL while it waits for that turn.
            "used_by": int,
            "messages": int,
            "model": str,
            "at": float,
            **used,
            "cost": float,
            # The text that the model reads. Never changes.
            "content": str,
            "text": str,
        },
        pk="id",
        not_null={
            *("thread_id", "until", "messages", "model", "at"),
            *(*used, "content", "text"),
        },
        foreign_keys=[("thread_id", "threads", "id"), ("used_by", "turns", "id")],
        strict=True,
    )
    db.table("summaries").create_index(["thread_id", "until"], unique=True)
    db.table("summaries").create_index(["used_by"])


def m035_blocks(db: Database) -> None:
    """Add the content blocks of summaries made by the API's compaction. Never
    edited."""
    db.table("summaries").add_column("block", str)


def read_turns(db: Connection, thread: ThreadKey) -> list[ReadTurn]:
    if db.execute(WAITING, named(thread)).fetchone():
        return []
    return turns_read(db, thread)


def store_summary(
    db: Connection, thread: ThreadKey, covered: Sequence[ReadTurn], summary: Summary
) -> bool:
    locks.thread(db, thread)
    if not covered or read_turns(db, thread)[: len(covered)] != list(covered):
        return False
    usage = asdict(summary.usage)
    del usage["searches"], usage["fetches"]
    db.execute(
        f"""
        INSERT INTO summaries
            (thread_id, until, messages, model, at, {", ".join(usage)}, cost, content,
             text, block)
        SELECT id, :until, :messages, :model, :at,
            {", ".join(f":{column}" for column in usage)}, :cost, :content, :text,
            :block
        FROM threads WHERE id = ({THREAD_ID})
        """,
        {
            **named(thread),
            **usage,
            "until": covered[-1].turn,
            "messages": summary.messages,
            "model": summary.model,
            "at": summary.at,
            "cost": summary.cost,
            "content": summary.content,
            "text": summary.text,
            "block": summary.block or None,
        },
    )
    return True


def summary(db: Connection, thread: ThreadKey, turn: str = "") -> Summary | None:
    row = db.execute(SUMMARY, {**named(thread), "turn": turn}).fetchone()
    return _summary(row) if row else None


def use(db: Connection, turn: Turn) -> None:
    """Make `turn` and all later turns read the waiting summary.

    Does nothing if `turn` has already read something.
    """
    db.execute(
        """
        UPDATE summaries SET used_by = :turn
        WHERE used_by IS NULL AND thread_id = (
            SELECT thread_id FROM turns
            WHERE id = :turn AND preface IS NULL AND state IN ('waiting', 'answering')
        )
        """,
        {"turn": turn.id},
    )


def move(db: Connection, turn: int, *, to: int) -> None:
    """Let the turn with the id `to`, which repeats `turn`, use the same summary."""
    db.execute("UPDATE summaries SET used_by = ? WHERE used_by = ?", [to, turn])


def delete_of_message(db: Connection, message_id: int) -> None:
    """Delete the summaries made from the message with the id `message_id`."""
    db.execute(
        """
        DELETE FROM summaries WHERE id IN (
            SELECT summaries.id FROM messages CROSS JOIN summaries
              ON summaries.thread_id = messages.thread_id AND until >= turn_id
            WHERE messages.id = ?
        )
        """,
        [message_id],
    )


def delete_of_answer(db: Connection, turn: int) -> None:
    """Delete the summaries made from the answer of the turn with the id `turn`."""
    db.execute(
        "DELETE FROM summaries WHERE until >= :turn "
        "AND thread_id = (SELECT thread_id FROM turns WHERE id = :turn)",
        {"turn": turn},
    )


def delete_of_threads(
    db: Connection, threads: str, values: Sequence[int] | dict[str, str]
) -> None:
    """Delete the summaries of the threads whose ids the query `threads` returns for
    `values`."""
    db.execute(f"DELETE FROM summaries WHERE thread_id IN ({threads})", values)


def _summary(row: Row) -> Summary:
    columns = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    return Summary(
        text=row["text"],
        content=row["content"],
        messages=row["messages"],
        model=row["model"],
        at=calendar_time(row["at"]),
        usage=Usage(**{column: row[column] for column in columns}),
        cost=row["cost"],
        block=row["block"] or "",
    )
