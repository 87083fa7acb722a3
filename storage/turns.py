"""The life of a turn, inside a transaction.

Rule 1: a turn only moves forward: WAITING, ANSWERING, UNDELIVERED, DELIVERED. Only
`release_turn` and `late_writes.deliver_again` set a turn back. Once a turn has ended,
its text does not change.
Rule 2: content that the model was given never changes and never moves. `content`,
`preface` and `place` are written only where they are NULL, except when people edit
(`message_edits`) or delete (`erasures`) messages.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope, ThreadKey
from bot.domain.thread_state import StoredPrompt
from bot.domain.turn import Outcome, Turn, TurnMessage
from storage import (
    erasures,
    heads,
    ledger,
    receipts,
    settings,
    summaries,
    thread_queries,
    turn_reading,
)
from storage.connection import Connection
from storage.conversation import conversation
from storage.dialect import GREATEST, LEAST, insert
from storage.inbox import BACKFILLED, NEXT_MESSAGE

# Messages stay without a turn until a turn has a question.
TAKE_IN = """
    UPDATE messages SET turn_id = :turn
    WHERE thread_id = (
        SELECT thread_id FROM turns WHERE id = :turn AND state = 'answering'
      ) AND turn_id IS NULL AND EXISTS (
        SELECT 1 FROM messages AS questions
          CROSS JOIN threads ON threads.id = questions.thread_id
        WHERE questions.thread_id = (
            SELECT thread_id FROM turns WHERE turns.id = :turn
          )
          AND questions.turn_id = :turn AND role = 'user' AND asks = 1
          AND deleted_at IS NULL AND questions.id > reads_after
      )
"""


def begin_turn(db: Connection, turn: Turn, now: float) -> list[TurnMessage]:
    before = ledger.ask_of_turn(db, turn)
    db.execute(
        """
        UPDATE turns
        SET state = 'answering', attempts = attempts + 1, touched = :now,
            started_at = coalesce(started_at, :now)
        WHERE id = :turn AND state IN ('waiting', 'answering')
        """,
        {"turn": turn.id, "now": now},
    )
    db.execute(TAKE_IN, {"turn": turn.id})
    asked = thread_queries.ask_messages(db, turn.id)
    ledger.book_open_attempt(db, before.fetchone(), now=now)
    return thread_queries.turn_messages(asked)


def store_prompt(
    db: Connection,
    turn: Turn,
    preface: str,
    contents: Mapping[str, str],
    version: int | None = None,
    pinned: Mapping[str, str] | None = None,
) -> StoredPrompt:
    if pinned is not None:
        settings.pin_settings(db, turn.thread, pinned)
    summaries.use(db, turn)
    # A stored preface of "" stays: another preface would change the beginning of the
    # content that the model has read.
    stored = db.execute(
        "UPDATE turns SET preface = coalesce(preface, ?) "
        "WHERE id = ? AND state IN ('waiting', 'answering')",
        [preface, turn.id],
    )
    db.execute(
        "UPDATE threads SET unread = 0 WHERE unread = ? AND id = ("
        "SELECT thread_id FROM turns WHERE id = ? "
        "AND state IN ('waiting', 'answering'))",
        [BACKFILLED, turn.id],
    )
    asked = thread_queries.ask_messages(db, turn.id)
    receipt = receipts.ask_prompt(db, turn)
    record: Callable[[], None] | None = None
    if stored.rowcount:
        for row in thread_queries.read_messages(asked):
            if row["place"] is None and row["message"] in contents:
                # A content exists if the message was edited after `contents` was made.
                edited: str | None = row["content"]
                content = contents[row["message"]] if edited is None else edited
                _append(db, turn, row["id"], content=content)
        record = receipts.record_prompt(db, turn, receipt)
    used = turn_reading.ask_summarised(db, turn.id)
    system = settings.ask_version(db, version) if version is not None else None
    read = conversation(db, turn.thread)
    if record is not None:
        record()
    return StoredPrompt(
        conversation=read,
        summarised=turn_reading.count_summarised(used),
        version=settings.version_of(system) if system is not None else None,
    )


def store_part(
    db: Connection,
    turn: Turn,
    part: PostedPart | None,
    text: str,
    now: float,
    head: str = "",
) -> None:
    is_posted = part is None or part.message is not None
    if part is not None:
        db.execute(
            """
            INSERT INTO replies (turn_id, part, message, text)
            VALUES (:turn, :index, :message, :text)
            ON CONFLICT (turn_id, part) DO UPDATE
            SET message = coalesce(excluded.message, replies.message),
                text = excluded.text
            """,
            {"turn": turn.id, **asdict(part)},
        )
    db.execute(
        """
        UPDATE turns
        SET touched = CASE :posted WHEN 1 THEN :now ELSE touched END,
            text = CASE WHEN state IN ('waiting', 'answering') THEN :text ELSE text END,
            head = CASE WHEN state IN ('waiting', 'answering') THEN :head ELSE head END
        WHERE id = :turn
        """,
        # Recovery searches for a post of unknown outcome from `touched` on, so a second
        # attempt at the post must not change `touched`.
        {
            "turn": turn.id,
            "text": text,
            "head": head,
            "now": now,
            "posted": is_posted,
        },
    )


def forget_part(db: Connection, turn: Turn, index: int) -> None:
    db.execute("DELETE FROM replies WHERE turn_id = ? AND part = ?", [turn.id, index])


def finish_turn(
    db: Connection,
    turn: Turn,
    outcome: Outcome,
    now: float,
    caps: BudgetLimits = NO_LIMITS,
) -> list[Alert]:
    finished = db.execute(
        """
        UPDATE turns
        SET state = 'undelivered', ended_at = :now, ended = :ended,
            touched = CASE
                WHEN EXISTS (
                    SELECT 1 FROM replies WHERE turn_id = :turn AND message IS NULL
                )
                THEN touched ELSE :now
            END,
            text = :text, head = :head, note = :note, reason = :reason, model = :model,
            stop_reason = :stop_reason, request_id = :request_id, input = :input,
            cache_write_5m = :cache_write_5m, cache_write_1h = :cache_write_1h,
            cache_read = :cache_read, output = :output, cost = :cost,
            first_text_at = :first_text, prompt = :prompt, effort = :effort,
            calls = :calls
        WHERE id = :turn AND state IN ('waiting', 'answering')
        """,
        {**_columns(outcome), "turn": turn.id, "now": now},
    )
    if not finished.rowcount:
        return []
    receipts.record_outcome(db, turn, outcome)
    if outcome.text or outcome.replay:
        _add_answer(db, turn, replay=outcome.replay or None)
    return ledger.book_turn(db, turn, outcome=outcome, now=now, caps=caps)


def record_feedback(db: Connection, thread: ThreadKey, turn: str, good: bool) -> bool:
    noted = db.execute(
        f"""
        UPDATE turns SET feedback = :good
        WHERE key = :turn AND thread_id = ({thread_queries.THREAD_ID})
          AND ended_at IS NOT NULL
        """,
        {**thread_queries.named(thread), "turn": turn, "good": good},
    )
    return noted.rowcount > 0


def mark_delivered(db: Connection, turn: Turn, now: float) -> bool:
    # A server that was replaced by its replica may have lost the outcome. The turn is
    # then still open, and is answered again.
    db.execute(
        """
        UPDATE turns SET state = 'delivered', touched = :now,
            delivered_at = coalesce(delivered_at, :now)
        WHERE id = :turn AND state <> 'delivered' AND ended IS NOT NULL
        """,
        {"turn": turn.id, "now": now},
    )
    open_turns = turn_reading.ask_next(db, turn.thread)
    _forget_deleted(db, turn, now=now)
    return open_turns.fetchone() is not None


def release_turn(db: Connection, turn: Turn) -> None:
    db.execute(
        f"""
        UPDATE turns
        SET failures = CASE
                WHEN state = 'undelivered' AND failures > 0 THEN failures - 1
                ELSE {GREATEST}(failures, 0)
            END,
            state = CASE state WHEN 'answering' THEN 'waiting' ELSE state END
        WHERE id = ? AND state IN ('answering', 'undelivered')
        """,
        [turn.id],
    )


def record_failure(db: Connection, turn: Turn, weight: int = 1) -> int:
    # Bounded, so that the sum still fits SQLite's integers.
    rows = db.execute(
        f"UPDATE turns SET failures = {LEAST}(failures, 1000000) + ? WHERE id = ? "
        "RETURNING failures",
        [weight, turn.id],
    ).fetchall()
    return rows[0]["failures"] if rows else 0


def abandon_turn(db: Connection, turn: Turn, reason: str, now: float) -> None:
    db.execute(
        """
        UPDATE turns
        SET state = 'delivered', ended = coalesce(ended, 'failed'),
            reason = coalesce(reason, :reason), ended_at = coalesce(ended_at, :now),
            delivered_at = :now, touched = :now
        WHERE id = :turn AND state <> 'delivered'
        """,
        {"turn": turn.id, "reason": reason, "now": now},
    )
    ledger.book_reserve(db, turn, now=now)
    _forget_deleted(db, turn, now=now)


def _forget_deleted(db: Connection, turn: Turn, *, now: float) -> None:
    """Delete of a turn that has ended what people deleted while it was open.

    Not earlier, because writing the reply needs the texts.
    """
    heads.forget_of_deleted(db, turn.id)
    if erasures.answer_was_deleted(db, turn.id, Scope.of(turn.thread)):
        erasures.delete_answer(db, turn.id, now=now)


def _append(db: Connection, turn: Turn, message_id: int, *, content: str) -> None:
    """Append `content` to the model's content of `turn`.

    It goes to the end, not in order of time: a second attempt may add a message that is
    older than those of the first.
    """
    db.execute(
        """
        UPDATE messages SET content = :content, place = (
            SELECT coalesce(max(place), 0) + 1 FROM messages AS others
            WHERE others.thread_id = messages.thread_id AND others.turn_id = :turn
        )
        WHERE id = :message
        """,
        {"content": content, "turn": turn.id, "message": message_id},
    )


def _add_answer(db: Connection, turn: Turn, *, replay: str | None) -> None:
    """Insert the answer after the last message that this turn or an earlier one covers.

    The answer gets the time of that message, by the platform's clock. Our clock may be
    behind, and messages that arrived while the answer was being written must come after
    it.
    """
    # The + makes SQLite use the index by time, of which it reads only the last row or
    # two.
    added = insert(
        db,
        f"""
        INSERT INTO messages (id, thread_id, turn_id, role, author, text, at)
        SELECT {NEXT_MESSAGE}, thread_id, id, 'assistant', '', '', coalesce(
            (
                SELECT at FROM messages
                WHERE messages.thread_id = turns.thread_id AND +turn_id <= turns.id
                ORDER BY at DESC LIMIT 1
            ),
            asked_at
        )
        FROM turns WHERE id = :turn
        """,
        {"turn": turn.id},
    )
    if replay is not None:
        _append(db, turn, added, content=replay)


def _columns(outcome: Outcome) -> dict[str, Any]:
    """Return the fields of `outcome` and of its usage, by column."""
    # `asdict` would copy every setting and every call of a tool, which takes most of a
    # millisecond.
    own = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    return {**own, **asdict(outcome.usage), "ended": outcome.ended.value}
