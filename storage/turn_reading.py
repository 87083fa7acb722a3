"""Reads turns with their related rows, inside a transaction.

Rule: all queries are sent before any result is read, so that they take one round trip
on PostgreSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.answer_file import Upload
from bot.domain.reply import PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn, TurnState
from storage.broken import calendar_time
from storage.connection import Connection, Cursor, Row
from storage.thread_queries import ASKERS, THREAD_ID, message_of, named, parse_ended

# Every write of a turn is checked against these columns.
OWNER = """(SELECT epoch FROM threads WHERE threads.id = thread_id) AS epoch,
      (SELECT owner FROM threads WHERE threads.id = thread_id) AS owner"""

# The id of the turn to answer next. INDEXED BY, because SQLite would otherwise read and
# sort the index of all turns of the thread.
NEXT_TURN = f"""
    SELECT id FROM turns INDEXED BY idx_turns_open
    WHERE thread_id = ({THREAD_ID}) AND state <> 'delivered'
    ORDER BY id LIMIT 1
"""

# True for a turn that answers the root of its thread.
BEGINS = """
    (SELECT follows FROM threads WHERE threads.id = thread_id) = 1 AND NOT EXISTS (
      SELECT 1 FROM messages
      WHERE messages.thread_id = turns.thread_id
        AND turn_id < turns.id AND role = 'user'
    )
"""

# A turn with its related values. `turn` is an expression for its id.
TURN = f"SELECT *, {OWNER}, {{begins}} AS begins FROM turns WHERE id = {{turn}}"

REPLIES = "SELECT * FROM replies WHERE turn_id = {turn} ORDER BY part"

# Reads only the beginning of the index by time.
OPENING = """
    SELECT messages.*, platform, workspace, channel, thread
    FROM messages CROSS JOIN threads ON threads.id = thread_id
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = {turn})
      AND asks = 1 AND deleted_at IS NULL
    ORDER BY at, messages.id LIMIT 1
"""

# The numbers of pages of a turn's files on whose price people must decide.
WAITING = """
    SELECT pages FROM messages CROSS JOIN message_files ON message_id = messages.id
      CROSS JOIN file_contents USING (digest)
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = {turn})
      AND turn_id = {turn} AND files <> '[]' AND reason = 'waiting' AND refused = 0
    ORDER BY messages.id, position
"""

UPLOADS = "SELECT * FROM uploads WHERE turn_id = {turn} ORDER BY batch, position"

SUMMARISED = "SELECT messages FROM summaries WHERE used_by = {turn}"


def next_turn(db: Connection, thread: ThreadKey) -> Turn | None:
    return read_turn(ask_turn(db, NEXT_TURN, named(thread), begins=BEGINS), thread)


def find_next_turn(db: Connection, thread: ThreadKey) -> Turn | None:
    """Return the next turn of `thread`, with one query in the usual case of no open
    turn."""
    found = ask_next(db, thread).fetchone()
    if found is None:
        return None
    # By id. Otherwise, each of the queries would search for the turn again.
    return read_turn(
        ask_turn(db, ":turn", {"turn": found["id"]}, begins=BEGINS), thread
    )


def ask_next(db: Connection, thread: ThreadKey) -> Cursor:
    """Send the query for the id of the next turn of `thread`."""
    return db.execute(NEXT_TURN, named(thread))


@dataclass(frozen=True, slots=True)
class AskedTurn:
    """The results from which a turn is made."""

    turn: Cursor
    replies: Cursor
    opening: Cursor
    askers: Cursor
    summary: Cursor
    waiting: Cursor
    uploads: Cursor


def ask_turn(
    db: Connection, query: str, values: dict[str, Any], *, begins: str = "0"
) -> AskedTurn:
    """Send the queries for the turn whose id `query` returns for `values`.

    The expression `begins` says whether the turn answers the root of its thread.
    """
    turn = f"({query})"
    return AskedTurn(
        turn=db.execute(TURN.format(turn=turn, begins=begins), values),
        replies=db.execute(REPLIES.format(turn=turn), values),
        opening=db.execute(OPENING.format(turn=turn), values),
        askers=db.execute(ASKERS.format(turn=turn), values),
        summary=db.execute(SUMMARISED.format(turn=turn), values),
        waiting=db.execute(WAITING.format(turn=turn), values),
        uploads=db.execute(UPLOADS.format(turn=turn), values),
    )


def read_turn(asked: AskedTurn, thread: ThreadKey) -> Turn | None:
    """Return the turn of `thread` from the result of `ask_turn`, or None."""
    row = asked.turn.fetchone()
    if row is None:
        return None
    opening, askers = asked.opening.fetchone(), asked.askers.fetchall()
    return Turn(
        id=row["id"],
        key=row["key"],
        thread=thread,
        state=TurnState(row["state"]),
        attempts=row["attempts"],
        epoch=row["epoch"],
        owner=row["owner"],
        touched=calendar_time(row["touched"]),
        received=calendar_time(row["created_at"]),
        text=row["text"],
        ended=parse_ended(row),
        head=row["head"],
        note=row["note"],
        shown=tuple(
            PostedPart(each["part"], each["message"], each["text"])
            for each in asked.replies
        ),
        begins=bool(row["begins"]),
        opening=message_of(opening) if opening else None,
        asker=askers[0]["author"] if askers else "",
        stop_reason=row["stop_reason"],
        calls=row["calls"],
        summarised=count_summarised(asked.summary),
        waiting=tuple(each["pages"] for each in asked.waiting),
        uploads=_uploads(asked.uploads.fetchall()),
        is_stopped=row["stopping"] == "stop",
    )


def ask_summarised(db: Connection, turn: int) -> Cursor:
    """Send the query whose result `count_summarised` reads, for the turn with the id
    `turn`."""
    return db.execute(SUMMARISED.format(turn=":turn"), {"turn": turn})


def count_summarised(asked: Cursor) -> int:
    """Return the number of messages in the summary that the turn is the first to use.

    0 without such a summary. `asked` is the result of `ask_summarised`.
    """
    row = asked.fetchone()
    return int(row["messages"]) if row else 0


def _uploads(rows: Sequence[Row]) -> tuple[Upload, ...]:
    return tuple(
        Upload(
            *(row["batch"], row["position"], row["name"], row["digest"], row["file"]),
            is_shown=bool(row["shown"]),
        )
        for row in rows
    )
