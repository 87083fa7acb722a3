"""What is asked of the tables, and how rows become values.

Rule: what a turn waits for is found through an index, and in its order; a test
reads SQLite's plans.
"""

import json
from itertools import groupby
from operator import itemgetter
from sqlite3 import Row

from sqlite_utils import Database

from bot.values import (
    Ended,
    Heard,
    Said,
    Shown,
    Spending,
    Spoken,
    State,
    ThreadKey,
    ThreadSummary,
    Turn,
    Usage,
)

# How much of a thread's first message names it in a list.
TITLE_CHARS = 80

THREAD_ID = """
    SELECT id FROM threads
    WHERE platform = :platform AND channel = :channel
      AND workspace = :workspace AND thread = :thread
"""

# CROSS JOIN keeps SQLite from turning the join round, whatever its statistics say:
# read from this side, the index yields the rows in order and nothing is sorted.
CONVERSATION = f"""
    SELECT messages.turn_id, role, content, preface
    FROM messages CROSS JOIN turns ON turns.id = messages.turn_id
    WHERE messages.thread_id = ({THREAD_ID})
      AND content IS NOT NULL
      AND ended IS NOT 'refused'
    ORDER BY messages.turn_id, place
"""

NEXT_TURN = f"""
    SELECT * FROM turns
    WHERE thread_id = ({THREAD_ID}) AND state <> 'delivered'
    ORDER BY id LIMIT 1
"""

# Told which index to use, for SQLite would rather group by one that holds every
# turn there ever was.
OPEN_THREADS = """
    SELECT platform, workspace, channel, thread
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered'
    GROUP BY thread_id
    ORDER BY min(asked_at), min(turns.id)
"""

# The + keeps SQLite to the index by turn, and lets it sort a handful of rows. By
# the index in order of time it would look at the whole thread.
MESSAGES = """
    SELECT * FROM messages
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
      AND turn_id = :turn AND role = 'user'
    ORDER BY +at, id
"""

TRANSCRIPT = f"""
    SELECT author, iif(role = 'user', messages.text, turns.text) AS said
    FROM messages LEFT JOIN turns ON turns.id = messages.turn_id
    WHERE messages.thread_id = ({THREAD_ID}) AND (role = 'user' OR said <> '')
    ORDER BY at, messages.id
"""

THREADS = """
    SELECT platform, workspace, channel, thread,
      (
        SELECT text FROM messages WHERE thread_id = threads.id ORDER BY at, id LIMIT 1
      ) AS title,
      (SELECT count(*) FROM turns WHERE thread_id = threads.id) AS turns,
      max(
        (SELECT max(at) FROM messages WHERE thread_id = threads.id),
        (SELECT coalesce(max(ended_at), 0) FROM turns WHERE thread_id = threads.id)
      ) AS last
    FROM threads
    WHERE platform = ? AND channel = ?
    ORDER BY last DESC, id DESC
"""

SPENDING = """
    SELECT date(ended_at, 'unixepoch') AS day,
      platform, workspace, channel, thread, model,
      count(*) AS turns,
      sum(input) AS input,
      sum(cache_write_5m) AS cache_write_5m,
      sum(cache_write_1h) AS cache_write_1h,
      sum(cache_read) AS cache_read,
      sum(output) AS output,
      total(cost) AS cost,
      sum(cost IS NULL) AS unpriced
    FROM turns JOIN threads ON threads.id = thread_id
    WHERE ended_at >= ?
    GROUP BY day, thread_id, model
    ORDER BY day, thread_id, model
"""


def thread(db: Database, key: ThreadKey) -> Row | None:
    """The row of thread `key`, if it is known."""
    found: Row | None = db.execute(
        f"SELECT * FROM threads WHERE id = ({THREAD_ID})", named(key)
    ).fetchone()
    return found


def messages(db: Database, turn: Turn) -> list[Row]:
    """The rows of what people said in `turn`, in the platform's order."""
    return db.execute(MESSAGES, {"turn": turn.id}).fetchall()


def spoken(db: Database, turn: Turn) -> list[Spoken]:
    return [
        Spoken(
            Heard(
                thread=turn.thread,
                message=row["message"],
                at=row["at"],
                author=row["author"],
                text=row["text"],
                addressed=bool(row["addressed"]),
                opens=bool(row["opens"]),
                automated=bool(row["automated"]),
                files=tuple(json.loads(row["files"])),
            ),
            content=row["content"],
        )
        for row in messages(db, turn)
    ]


def unread(db: Database, key: ThreadKey) -> bool:
    row = thread(db, key)
    return row is not None and bool(row["unread"])


def open_threads(db: Database) -> list[ThreadKey]:
    return [_key(row) for row in db.execute(OPEN_THREADS)]


def next_turn(db: Database, key: ThreadKey) -> Turn | None:
    row = db.execute(NEXT_TURN, named(key)).fetchone()
    if row is None:
        return None
    replies = db.execute(
        "SELECT * FROM replies WHERE turn_id = ? ORDER BY part", [row["id"]]
    )
    return Turn(
        id=row["id"],
        key=row["key"],
        thread=key,
        state=State(row["state"]),
        attempts=row["attempts"],
        touched=row["touched"],
        text=row["text"],
        ended=Ended(row["ended"]) if row["ended"] else None,
        note=row["note"],
        shown=tuple(
            Shown(each["part"], each["message"], each["text"]) for each in replies
        ),
    )


def conversation(db: Database, key: ThreadKey) -> list[Said]:
    said = []
    rows = db.execute(CONVERSATION, named(key))
    for (_, role, preface), entry in groupby(
        rows, itemgetter("turn_id", "role", "preface")
    ):
        lines = [row["content"] for row in entry]
        if preface and role == "user":
            lines.insert(0, preface)
        said.append(Said(role, "\n".join(lines)))
    return said


def transcript(db: Database, key: ThreadKey) -> list[tuple[str, str]]:
    rows = db.execute(TRANSCRIPT, named(key))
    return [(row["author"], row["said"]) for row in rows]


def threads(db: Database, platform: str, channel: str) -> list[ThreadSummary]:
    return [
        ThreadSummary(_key(row), title(row["title"]), row["turns"], row["last"])
        for row in db.execute(THREADS, [platform, channel])
    ]


def spending(db: Database, since: float) -> list[Spending]:
    return [
        Spending(
            day=row["day"],
            thread=_key(row),
            model=row["model"],
            turns=row["turns"],
            usage=Usage(
                input=row["input"],
                cache_write_5m=row["cache_write_5m"],
                cache_write_1h=row["cache_write_1h"],
                cache_read=row["cache_read"],
                output=row["output"],
            ),
            cost=row["cost"],
            unpriced=row["unpriced"],
        )
        for row in db.execute(SPENDING, [since])
    ]


def title(text: str) -> str:
    """The beginning of `text`, on one line."""
    return " ".join(text.split())[:TITLE_CHARS]


def named(key: ThreadKey) -> dict[str, str]:
    """The parts of `key` as a statement names them."""
    return {
        "platform": key.platform,
        "workspace": key.workspace,
        "channel": key.channel,
        "thread": key.thread,
    }


def _key(row: Row) -> ThreadKey:
    return ThreadKey(row["platform"], row["workspace"], row["channel"], row["thread"])
