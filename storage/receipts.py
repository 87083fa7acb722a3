"""Receipts of answers, inside a transaction; and their migration.

Rule: the table contains ids and numbers, never people's text. Values in the rows of
turns, charges and messages are read from there.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.domain.receipt import (
    AnswerSummary,
    MessageRef,
    ReadFile,
    ReadMessages,
    Receipt,
    ReceiptTexts,
    TurnTimes,
)
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Version
from bot.domain.turn import Outcome, Turn, TurnState
from storage import attachments, mcp_tables, past_requests, read_counts
from storage.broken import calendar_time, log_broken, parse
from storage.connection import Connection, Cursor, Row
from storage.dialect import has_table
from storage.files import files_of_message
from storage.past_requests import UNKNOWN
from storage.read_counts import IS_READ, SAID
from storage.scope_columns import parts
from storage.thread_queries import THREAD_ID, key_of, named, parse_ended

#: The most questions and files that a receipt names.
MOST_QUESTIONS, MOST_FILES = 10, 20

# People's messages that can be linked to, without those that a button created and
# additions to messages.
_LINKED = "role = 'user' AND substr(message, 1, 1) <> '+'"

# The index by time yields the messages in order.
FIRST, LAST = (
    f"""
    SELECT message
    FROM messages INDEXED BY idx_messages_thread_id_at
      CROSS JOIN turns ON turns.id = +turn_id
    WHERE messages.thread_id = :thread AND turn_id <= :turn AND {_LINKED} AND {IS_READ}
    ORDER BY at {order}, messages.id {order} LIMIT 1
    """
    for order in ("ASC", "DESC")
)
QUESTIONS = """
    SELECT message FROM messages
    WHERE thread_id = :thread AND turn_id = :turn AND asks = 1 AND deleted_at IS NULL
    ORDER BY +at DESC, id DESC LIMIT :most
"""

# The tables are joined by key, with at most one row of each for a turn.
RECEIPT = """
    SELECT turns.*, threads.platform, threads.workspace, threads.channel,
        threads.thread,
        receipts.turn_id IS NOT NULL AS known, receipts.*,
        charges.at AS reserved_at, charges.reserved, charges.searches,
        charges.fetches,
        charges.bounded, charges.cost AS booked, charges.ended_at AS booked_at,
        versions.id AS version, versions.number AS version_number,
        versions.who AS version_who, versions.at AS version_at,
        versions.platform AS version_platform,
        versions.workspace AS version_workspace,
        versions.channel AS version_channel, versions.thread AS version_thread
    FROM turns CROSS JOIN threads ON threads.id = turns.thread_id
      LEFT JOIN receipts ON receipts.turn_id = turns.id
      LEFT JOIN charges ON charges.turn = turns.key AND charges.turn IS NOT NULL
      LEFT JOIN versions ON versions.id = turns.prompt
    WHERE turns.key = ?
"""
# Replaces all values of an earlier attempt.
STORE = """
    INSERT INTO receipts
        (turn_id, reads_after, messages, answers, deleted, before_reset, declined, upto,
         history_failed, first, last, questions)
    VALUES (:turn_id, :reads_after, :messages, :answers, :deleted, :before_reset,
        :declined, :upto, :history_failed, :first, :last, :questions)
    ON CONFLICT (turn_id) DO UPDATE
    SET reads_after = excluded.reads_after, messages = excluded.messages,
        answers = excluded.answers, deleted = excluded.deleted,
        before_reset = excluded.before_reset, declined = excluded.declined,
        upto = excluded.upto, history_failed = excluded.history_failed,
        first = excluded.first, last = excluded.last, questions = excluded.questions,
        missing = NULL, applied = NULL, tools = '', asked = '[]', left_out = '[]'
"""
NAMED = """
    SELECT message, author, at, deleted_at FROM messages
    WHERE thread_id = :thread AND message = :message
"""
LATER = f"""
    SELECT count(*) FROM messages
    WHERE thread_id = :thread AND (id > :upto OR turn_id IS NULL) AND at <= :ended
      AND {SAID} AND deleted_at IS NULL
"""
FILES = """
    SELECT id, files FROM messages
    WHERE thread_id = :thread AND id > :after AND id <= :upto
      AND role = 'user' AND files <> '[]' AND deleted_at IS NULL
    ORDER BY at DESC, id DESC
"""
ANSWERS = f"""
    SELECT * FROM turns
    WHERE thread_id = ({THREAD_ID}) AND ended_at IS NOT NULL
    ORDER BY id DESC LIMIT :most
"""
OF_PART = """
    SELECT key, threads.* FROM replies
      CROSS JOIN turns ON turns.id = turn_id
      CROSS JOIN threads ON threads.id = turns.thread_id
    WHERE message = :message AND message IS NOT NULL
      AND platform = :platform AND workspace = :workspace
    ORDER BY channel = :channel DESC, turns.id DESC LIMIT 1
"""
OF_QUESTION = """
    SELECT key, threads.* FROM messages
      CROSS JOIN turns ON turns.id = turn_id
      CROSS JOIN threads ON threads.id = turns.thread_id
    WHERE message = :message AND message IS NOT NULL AND asks = 1
      AND platform = :platform AND workspace = :workspace
    ORDER BY channel = :channel DESC, turns.id DESC LIMIT 1
"""


def m018_receipts(db: Database) -> None:
    """Add the content of a turn's request, in numbers. Never edited."""
    counts = ("messages", "answers", "deleted", "before_reset", "declined")
    db.table("receipts").create(
        {
            "turn_id": int,
            # The messages that the turn could read have ids above `reads_after`, up to
            # `upto`.
            "reads_after": int,
            "upto": int,
            **dict.fromkeys(counts, int),
            "history_failed": bool,
            # Platform ids: the first and last message read, and as JSON those of the
            # question.
            "first": str,
            "last": str,
            "questions": str,
            # Stored when the turn ends. NULL before, and -1 for an unknown number.
            "missing": int,
            # As JSON; NULL until it ends.
            "applied": str,
        },
        pk="turn_id",
        not_null={
            *("turn_id", "reads_after", "upto", *counts),
            *("history_failed", "first", "last", "questions"),
        },
        foreign_keys=[("turn_id", "turns", "id")],
        strict=True,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Results that are needed before the texts of a request are stored."""

    thread: Cursor
    counts: read_counts.Asked


def ask_prompt(db: Connection, turn: Turn) -> Asked:
    """Send the queries that `record_prompt` needs for the thread of `turn`."""
    thread = db.execute(
        "SELECT * FROM threads WHERE id = (SELECT thread_id FROM turns WHERE id = ?)",
        [turn.id],
    )
    return Asked(thread, read_counts.ask(db, turn.id))


def record_prompt(db: Connection, turn: Turn, asked: Asked) -> Callable[[], None]:
    """Query the content of the request of `turn`, in the transaction that stores its
    texts.

    Returns a function that stores it. Another attempt replaces it.
    """
    thread = asked.thread.fetchone()
    at = {"thread": thread["id"], "turn": turn.id, "after": thread["reads_after"]}
    ends = [db.execute(query, at) for query in (FIRST, LAST)]
    questions = db.execute(QUESTIONS, {**at, "most": MOST_QUESTIONS})
    counts = read_counts.ask_counts(db, thread, turn.id, asked.counts)

    def store() -> None:
        first, last = (each.fetchone() for each in ends)
        named = [row["message"] for row in questions.fetchall()]
        db.execute(
            STORE,
            {
                "turn_id": turn.id,
                "reads_after": thread["reads_after"],
                **counts(),
                "history_failed": bool(thread["unread"]),
                "first": first["message"] if first else "",
                "last": last["message"] if last else "",
                "questions": json.dumps(named[::-1]),
            },
        )

    return store


def record_outcome(db: Connection, turn: Turn, outcome: Outcome) -> None:
    """Store the values of the request of `turn` that are known only after it has
    ended."""
    if not outcome.applied:
        return
    applied = [
        [each.name, each.value, each.level.value, each.who, each.kept]
        for each in outcome.applied
    ]
    missing = UNKNOWN if outcome.missing is None else outcome.missing
    messages, answers = outcome.sent or (None, None)
    db.execute(
        """
        UPDATE receipts
        SET missing = :missing, applied = :applied, tools = :tools, asked = :asked,
            left_out = :left_out,
            messages = coalesce(:messages, messages),
            answers = coalesce(:answers, answers)
        WHERE turn_id = :turn
        """,
        {
            "missing": missing,
            "applied": json.dumps(applied),
            "messages": messages,
            "answers": answers,
            "turn": turn.id,
            **mcp_tables.columns(outcome),
        },
    )


def receipt(db: Connection, thread: ThreadKey, turn: str) -> Receipt | None:
    receipt = find(db, turn)
    return receipt if receipt is not None and receipt.thread == thread else None


def find(db: Connection, turn: str) -> Receipt | None:
    """Return the receipt of the turn with the key `turn`, in any thread."""
    row = db.execute(RECEIPT, [turn]).fetchone()
    if row is None:
        return None
    booked = row["booked_at"] is not None
    return Receipt(
        turn=row["key"],
        thread=key_of(row),
        state=TurnState(row["state"]),
        ended=parse_ended(row),
        times=_times(row),
        attempts=row["attempts"],
        model=row["model"] or "",
        effort=row["effort"] or "",
        prompt=_prompt(row),
        usage=past_requests.usage_of(row),
        # The cost that counts against budgets. For an unknown cost, it is the reserve.
        cost=row["booked"] if booked else row["cost"],
        bounded=bool(row["bounded"]),
        held=row["reserved"] or 0.0,
        read=_read(db, row) if row["known"] else None,
        applied=past_requests.applied_settings(row),
        tools=row["tools"] or "",
        asked=mcp_tables.asked(row),
        left_out=mcp_tables.failed_servers(row),
        before=past_requests.before(db, row) if row["known"] else None,
        stop_reason=row["stop_reason"] or "",
        request_id=row["request_id"] or "",
        reason=row["reason"] or "",
    )


def found(db: Connection, turn: str) -> tuple[Receipt, ReceiptTexts] | None:
    """Return the receipt of the turn with the key `turn` in any thread, and its texts.

    None if there is no such turn, or in a database without the table of receipts.
    """
    receipt = find(db, turn) if has_table(db, "receipts") else None
    return None if receipt is None else (receipt, _texts(db, turn))


def _texts(db: Connection, turn: str) -> ReceiptTexts:
    row = db.execute("SELECT * FROM turns WHERE key = ?", [turn]).fetchone()
    asked = db.execute(
        "SELECT text FROM messages WHERE thread_id = ? AND turn_id = ? AND asks = 1 "
        "AND deleted_at IS NULL ORDER BY +at, id",
        [row["thread_id"], row["id"]],
    )
    return ReceiptTexts("\n".join(text for (text,) in asked), row["text"])


def answers(db: Connection, thread: ThreadKey, most: int) -> list[AnswerSummary]:
    return [
        AnswerSummary(
            *(row["key"], calendar_time(row["asked_at"]), TurnState(row["state"])),
            *(parse_ended(row), row["model"] or "", row["cost"]),
        )
        for row in db.execute(ANSWERS, {**named(thread), "most": most})
    ]


def turn_of_message(
    db: Connection, place: Scope, message: str
) -> tuple[ThreadKey, str] | None:
    for query in (OF_PART, OF_QUESTION):
        row = db.execute(query, {**parts(place), "message": message}).fetchone()
        if row is not None:
            return key_of(row), row["key"]
    return None


def _times(row: Row) -> TurnTimes:
    times = (
        *("asked_at", "created_at", "started_at", "reserved_at"),
        *("first_text_at", "ended_at", "delivered_at"),
    )
    asked, stored, *later = (row[name] for name in times)
    known = [None if at is None else calendar_time(at) for at in later]
    return TurnTimes(calendar_time(asked), calendar_time(stored), *known)


def _prompt(row: Row) -> Version | None:
    if row["version"] is None:
        return None
    scope = ("platform", "workspace", "channel", "thread")
    place = Scope(*(row[f"version_{part}"] for part in scope))
    number, who = row["version_number"], row["version_who"]
    at = calendar_time(row["version_at"])
    return Version(row["version"], place, number, "", who, at)


def _read(db: Connection, row: Row) -> ReadMessages:
    thread = row["thread_id"]
    questions = parse(row["questions"], list)
    if questions is None:
        log_broken("receipts", row["id"])
    files = _files(db, row)
    later = 0
    if row["ended_at"] is not None:
        at = {"thread": thread, "upto": row["upto"], "ended": row["ended_at"]}
        (later,) = db.execute(LATER, at).fetchone()
    return ReadMessages(
        messages=row["messages"],
        answers=row["answers"],
        first=_message_ref(db, thread, row["first"]),
        last=_message_ref(db, thread, row["last"]),
        questions=tuple(
            found
            for each in questions or ()
            if (found := _message_ref(db, thread, each))
        ),
        deleted=row["deleted"],
        before_reset=row["before_reset"],
        declined=row["declined"],
        history_failed=bool(row["history_failed"]),
        missing=past_requests.missing(row),
        is_complete=row["applied"] is not None,
        later=later,
        summarised=past_requests.count_summarised(db, row),
        compacted_by=past_requests.compacted_by(db, row),
        files=tuple(files[:MOST_FILES]),
        more_files=max(0, len(files) - MOST_FILES),
    )


def _message_ref(db: Connection, thread: int, message: object) -> MessageRef | None:
    row = db.execute(NAMED, {"thread": thread, "message": str(message)}).fetchone()
    if row is None:
        return None
    at, is_deleted = calendar_time(row["at"]), row["deleted_at"] is not None
    return MessageRef(row["message"], row["author"], at, is_deleted)


def _files(db: Connection, row: Row) -> list[ReadFile]:
    """Return the files of the messages that the turn in `row` read, newest message
    first."""
    at = {
        "thread": row["thread_id"],
        "after": row["reads_after"],
        "upto": row["upto"],
    }
    found: list[ReadFile] = []
    for each in db.execute(FILES, at):
        listed: Sequence[object] | None = parse(each["files"], list)
        if listed is None:
            log_broken("messages", each["id"])
        decoded = attachments.decode(listed or ())
        if decoded:
            stored = {file.key: file for file in files_of_message(db, each["id"])}
            found += [ReadFile(f.name, f.size, stored.get(f.key)) for f in decoded]
    return found
