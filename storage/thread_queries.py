"""Queries for threads, turns and messages, and conversion of their rows.

Rule: a query for which a turn waits uses an index, in the order of the index. A test
checks SQLite's plans.
"""

from bot.domain.attachment import Attachment
from bot.domain.message import LOOP_SECONDS, Message, Origin, ThreadFacts
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import (
    Ended,
    ThreadSummary,
    TurnFacts,
    TurnMessage,
    TurnState,
)
from storage import answer_options, attachments
from storage.broken import calendar_time, log_broken, parse
from storage.connection import Connection, Cursor, Row
from storage.dialect import GREATEST
from storage.scope_columns import inside, parts

# The length of a thread's title, which is the beginning of its first message.
TITLE_CHARS = 80
#: The most messages that `said` returns.
MOST_SAID = 1_000

THREAD_ID = """
    SELECT id FROM threads
    WHERE platform = :platform AND channel = :channel
      AND workspace = :workspace AND thread = :thread
"""

# The + makes SQLite use the index by time.
AUTOMATED = f"""
    SELECT count(*) FROM messages
    WHERE thread_id = ({THREAD_ID}) AND at > :since AND at <= :at AND +automated = 1
"""

# The people whose messages a turn answers, in the order of asking.
ASKERS = """
    SELECT author, deleted_at FROM messages
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = {turn})
      AND turn_id = {turn} AND asks = 1
    ORDER BY deleted_at IS NOT NULL, at, id
"""

# INDEXED BY, because SQLite would otherwise group by an index of all turns.
OPEN_THREADS = """
    SELECT platform, workspace, channel, thread
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered'
    GROUP BY threads.id
    ORDER BY min(asked_at), min(turns.id)
"""

# The + makes SQLite use the index by turn and sort a few rows. With the index by time,
# it would read the whole thread.
MESSAGES = """
    SELECT messages.*, platform, workspace, channel, thread
    FROM messages CROSS JOIN threads ON threads.id = thread_id
    WHERE thread_id = (SELECT thread_id FROM turns WHERE turns.id = :turn)
      AND turn_id = :turn AND role = 'user'
      AND deleted_at IS NULL AND messages.id > reads_after
    ORDER BY +at, messages.id
"""

TRANSCRIPT = f"""
    SELECT author, CASE role WHEN 'user' THEN messages.text ELSE turns.text END AS said
    FROM messages LEFT JOIN turns ON turns.id = messages.turn_id
    WHERE messages.thread_id = ({THREAD_ID}) AND deleted_at IS NULL
      AND (role = 'user' OR turns.text <> '')
      AND substr(coalesce(message, ''), 1, 2) <> '+:'
    ORDER BY at, messages.id
"""

THREADS = f"""
    SELECT platform, workspace, channel, thread,
      (
        SELECT text FROM messages
        WHERE thread_id = threads.id AND role = 'user' AND deleted_at IS NULL
        ORDER BY at, id LIMIT 1
      ) AS title,
      (SELECT count(*) FROM turns WHERE thread_id = threads.id) AS turns,
      {GREATEST}(
        (SELECT max(at) FROM messages WHERE thread_id = threads.id),
        (SELECT coalesce(max(ended_at), 0) FROM turns WHERE thread_id = threads.id)
      ) AS last
    FROM threads
    WHERE platform = ? AND channel = ?
    ORDER BY last DESC, id DESC
"""

# A deleted message counts, because the platform delivered everything up to it.
NEWEST = """
    SELECT platform, workspace, channel, thread, message
    FROM threads CROSS JOIN messages ON messages.id = (
      SELECT id FROM messages AS said
      WHERE said.thread_id = threads.id AND role = 'user'
        AND substr(message, 1, 1) <> '+'
      ORDER BY at DESC, id DESC LIMIT 1
    )
    WHERE platform = ? AND at >= ?
    ORDER BY at, threads.id
"""


def thread(db: Connection, key: ThreadKey) -> Row | None:
    """Return the row of thread `key`."""
    found: Row | None = db.execute(
        f"SELECT * FROM threads WHERE id = ({THREAD_ID})", named(key)
    ).fetchone()
    return found


def ask_automated(db: Connection, key: ThreadKey, at: float) -> Cursor:
    """Send the query whose result `thread_facts` reads."""
    within = {"since": at - LOOP_SECONDS, "at": at}
    return db.execute(AUTOMATED, {**named(key), **within})


def thread_facts(thread: Row, asked: Cursor) -> ThreadFacts:
    """Return the facts about a thread that matter to a message.

    `asked` is the result of `ask_automated`.
    """
    (automated,) = asked.fetchone()
    return ThreadFacts(follows=bool(thread["follows"]), automated=automated)


def messages(db: Connection, turn: int) -> list[Row]:
    """Return the rows of the messages that the turn with the id `turn` reads.

    In the platform's order. Empty if no message that needs an answer is left.
    """
    return read_messages(ask_messages(db, turn))


def ask_messages(db: Connection, turn: int) -> Cursor:
    """Send the query whose result `read_messages` reads."""
    return db.execute(MESSAGES, {"turn": turn})


def read_messages(asked: Cursor) -> list[Row]:
    """Return the rows from the result of `ask_messages`. Empty if none needs an
    answer."""
    rows = asked.fetchall()
    return rows if any(row["asks"] for row in rows) else []


def turn_messages(asked: Cursor) -> list[TurnMessage]:
    """Return the messages from the result of `ask_messages`, as a turn reads them."""
    return [
        TurnMessage(
            message_of(row),
            # Without a place, the model was not given the message.
            content=row["content"] if row["place"] else None,
            is_signed=row["sign"] > 0,
        )
        for row in read_messages(asked)
    ]


def open_threads(db: Connection) -> list[ThreadKey]:
    return [key_of(row) for row in db.execute(OPEN_THREADS)]


def turn_facts(db: Connection, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
    row = db.execute(
        f"""
        SELECT *, NOT EXISTS (
            SELECT 1 FROM turns AS later
            WHERE later.thread_id = turns.thread_id AND later.id > turns.id
          ) AS newest
        FROM turns
        WHERE thread_id = ({THREAD_ID}) AND (:turn = '' OR key = :turn)
        ORDER BY id DESC LIMIT 1
        """,
        {**named(thread), "turn": turn},
    ).fetchone()
    if row is None:
        return None
    asked = db.execute(ASKERS.format(turn=":turn"), {"turn": row["id"]})
    questions = asked.fetchall()
    return TurnFacts(
        key=row["key"],
        state=TurnState(row["state"]),
        ended=parse_ended(row),
        stop_reason=row["stop_reason"],
        has_text=bool(row["text"].strip()),
        askers=frozenset(each["author"] for each in questions),
        withdrawn=all(each["deleted_at"] for each in questions),
        newest=bool(row["newest"]),
    )


def askers(db: Connection, thread: ThreadKey) -> frozenset[str]:
    rows = db.execute(
        f"SELECT author FROM messages WHERE thread_id = ({THREAD_ID}) AND asks = 1",
        named(thread),
    )
    return frozenset(row["author"] for row in rows)


def transcript(db: Connection, thread: ThreadKey) -> list[tuple[str, str]]:
    rows = db.execute(TRANSCRIPT, named(thread))
    return [(row["author"], row["said"]) for row in rows]


def list_threads(db: Connection, platform: str, channel: str) -> list[ThreadSummary]:
    return [
        ThreadSummary(
            key_of(row),
            title(row["title"] or ""),
            row["turns"],
            calendar_time(row["last"]),
        )
        for row in db.execute(THREADS, [platform, channel])
    ]


def newest_messages(
    db: Connection, platform: str, since: float
) -> list[tuple[ThreadKey, str]]:
    rows = db.execute(NEWEST, [platform, since])
    return [(key_of(row), row["message"]) for row in rows]


def said(db: Connection, place: Scope, since: float) -> list[Message]:
    rows = db.execute(
        f"""
        SELECT messages.*, platform, workspace, channel, thread
        FROM threads JOIN messages ON thread_id = threads.id
        WHERE {inside(place)} AND role = 'user' AND at >= :since
          AND message IS NOT NULL AND deleted_at IS NULL
        ORDER BY at DESC LIMIT {MOST_SAID}
        """,
        {**parts(place), "since": since},
    )
    return [message_of(row) for row in rows.fetchall()]


def title(text: str) -> str:
    """Return the beginning of `text` on one line."""
    return " ".join(text.split())[:TITLE_CHARS]


def named(key: ThreadKey) -> dict[str, str]:
    """Return the parts of `key` by column."""
    return {
        "platform": key.platform,
        "workspace": key.workspace,
        "channel": key.channel,
        "thread": key.thread,
    }


def parse_ended(row: Row) -> Ended | None:
    """Return how the turn in `row` ended, or FAILED if the value cannot be read."""
    if row["ended"] in (None, *(each.value for each in Ended)):
        return Ended(row["ended"]) if row["ended"] else None
    log_broken("turns", row["id"])
    return Ended.FAILED


def message_of(row: Row) -> Message:
    return Message(
        thread=key_of(row),
        message=row["message"],
        at=calendar_time(row["at"]),
        author=row["author"],
        text=row["text"],
        addressed=bool(row["addressed"]),
        opens=bool(row["opens"]),
        automated=bool(row["automated"]),
        origin=Origin(row["origin"]),
        files=files_of(row),
        name=row["name"],
        options=answer_options.decode(row),
    )


def files_of(row: Row) -> tuple[Attachment, ...]:
    """Return the files of the message in `row`."""
    files = parse(row["files"], list)
    if files is None:
        log_broken("messages", row["id"])
    return attachments.decode(files or ())


def key_of(row: Row) -> ThreadKey:
    """Return the key of the thread in `row`."""
    return ThreadKey(row["platform"], row["workspace"], row["channel"], row["thread"])
