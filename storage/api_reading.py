"""Threads and answers for programs that use the web API, inside a transaction."""

from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import TurnState
from storage.broken import calendar_time
from storage.connection import Connection, Row
from storage.dialect import MOST_ID
from storage.thread_queries import THREAD_ID, named, parse_ended, title

# The first message decides who owns the thread, even after its text was deleted.
_COLUMNS = """
    SELECT threads.id, thread, created_at,
      (SELECT author FROM messages WHERE thread_id = threads.id AND role = 'user'
       ORDER BY id LIMIT 1) AS owner,
      (SELECT text FROM messages
       WHERE thread_id = threads.id AND role = 'user' AND deleted_at IS NULL
       ORDER BY at, id LIMIT 1) AS title,
      (SELECT count(*) FROM turns WHERE thread_id = threads.id) AS turns
    FROM threads
"""
THREADS = f"""
    SELECT * FROM (
        {_COLUMNS}
        WHERE platform = :platform AND channel = :channel AND workspace = :workspace
          AND id < :before
        ORDER BY id DESC
    ) AS found
    WHERE title IS NOT NULL AND (:owner = '' OR owner = :owner) LIMIT :most
"""
THREAD = f"""
    SELECT * FROM ({_COLUMNS} WHERE id = ({THREAD_ID})) AS found
    WHERE title IS NOT NULL
"""
MESSAGES = f"""
    SELECT role, message, author, at, messages.text AS said, key, turns.text AS answer
    FROM messages LEFT JOIN turns ON turns.id = messages.turn_id
    WHERE messages.thread_id = ({THREAD_ID}) AND deleted_at IS NULL
      AND substr(coalesce(message, ''), 1, 2) <> '+:'
      AND (role = 'user' OR turns.text <> '')
    ORDER BY at DESC, messages.id DESC LIMIT :most
"""
ANSWER = f"""
    SELECT turns.id, key, state, ended, turns.text, head, note, stop_reason
    FROM messages CROSS JOIN turns ON turns.id = turn_id
    WHERE messages.thread_id = ({THREAD_ID}) AND message = :message AND asks = 1
      AND deleted_at IS NULL
"""


def api_threads(
    db: Connection, channel: Scope, owner: str, most: int, before: int | None
) -> list[ApiThread]:
    where = {
        **named(channel.key),
        "owner": owner,
        "most": most,
        "before": MOST_ID if before is None else min(before, MOST_ID),
    }
    return [_thread(row) for row in db.execute(THREADS, where)]


def api_thread(db: Connection, thread: ThreadKey) -> ApiThread | None:
    row = db.execute(THREAD, named(thread)).fetchone()
    return _thread(row) if row else None


def api_messages(db: Connection, thread: ThreadKey, most: int) -> list[ApiMessage]:
    rows = db.execute(MESSAGES, {**named(thread), "most": most}).fetchall()
    return [
        ApiMessage(row["message"], row["author"], row["said"], calendar_time(row["at"]))
        if row["role"] == "user"
        else ApiMessage(row["key"], "", row["answer"], calendar_time(row["at"]))
        for row in reversed(rows)
    ]


def answer_so_far(
    db: Connection, thread: ThreadKey, message: str
) -> AnswerSoFar | None:
    row = db.execute(ANSWER, {**named(thread), "message": message}).fetchone()
    if row is None:
        return None
    return AnswerSoFar(
        turn=row["key"],
        state=TurnState(row["state"]),
        ended=parse_ended(row),
        text=row["text"],
        note="\n".join(filter(None, (row["head"], row["note"]))),
        stop_reason=row["stop_reason"] or "",
    )


def _thread(row: Row) -> ApiThread:
    return ApiThread(
        thread=row["thread"],
        title=title(row["title"]),
        owner=row["owner"] or "",
        turns=row["turns"],
        created=calendar_time(row["created_at"]),
        number=row["id"],
    )
