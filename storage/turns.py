"""What each verb of the store that writes does inside its transaction.

What it promises is said in `bot.ports.platform.Store`; how it keeps that is said here.

Rule 1: a turn only ever moves down the list of its states, except by `hand_over`:
what comes late for a turn that has ended changes neither its state nor its words.
Rule 2: what Claude was once given never changes and never moves. `content`,
`preface` and `place` are written where they are NULL, and nowhere else; but for
what people themselves take back, which is in `corrections`.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from bot.domain.message import Disposition, Message
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Outcome, Turn, TurnMessage, TurnState
from bot.ports.store import Judge
from storage import erasures, thread_queries, tombstones
from storage.broken import NEXT_ID

NEXT_TURN = NEXT_ID.format("turns")
NEXT_MESSAGE = NEXT_ID.format("messages")


def hear(db: Database, heard: Message, *, judge: Judge, now: float) -> Disposition:
    thread = thread_queries.thread(db, heard.thread)
    if thread and _known(db, thread["id"], heard.message):
        return Disposition.IGNORE
    if tombstones.taken_back(db, heard):
        return Disposition.IGNORE
    facts = thread_queries.thread_facts(db, thread, heard.at) if thread else None
    verdict = judge(heard, facts)
    if verdict is Disposition.IGNORE:
        return verdict
    if verdict is Disposition.KEEP:
        if thread is None:
            return Disposition.IGNORE
        _remember(db, thread["id"], heard)
        return verdict
    if thread is None:
        thread_id = _add_thread(db, heard.thread, unread=not heard.opens, now=now)
    else:
        thread_id = thread["id"]
    turn_id = _wait(db, thread_id, heard, now=now)
    _remember(db, thread_id, heard, turn_id=turn_id, asks=True)
    return verdict


def backfill(
    db: Database, turn: Turn, *, history: Sequence[Message]
) -> list[TurnMessage]:
    thread_id, state, unread = db.execute(
        "SELECT thread_id, state, unread "
        "FROM turns JOIN threads ON threads.id = thread_id WHERE turns.id = ?",
        [turn.id],
    ).fetchone()
    # Whoever began anew while the platform was asked does not want it any more.
    if unread:
        # A turn that has ended reads no more; the next one will.
        ended = TurnState(state) not in (TurnState.WAITING, TurnState.ANSWERING)
        for heard in history:
            # Our own words are in our turns already, or were never meant as such.
            if not heard.echo:
                _remember(db, thread_id, heard, turn_id=None if ended else turn.id)
        db.execute("UPDATE threads SET unread = 0 WHERE id = ?", [thread_id])
    return thread_queries.spoken(db, turn)


def begin(db: Database, turn: Turn, *, now: float) -> list[TurnMessage]:
    begun = db.execute(
        """
        UPDATE turns
        SET state = 'answering', attempts = attempts + 1, touched = :now,
            started_at = coalesce(started_at, :now)
        WHERE id = :turn AND state IN ('waiting', 'answering')
        """,
        {"turn": turn.id, "now": now},
    )
    # What else was said stays for a turn that has something to answer.
    if begun.rowcount and thread_queries.messages(db, turn.id):
        db.execute(
            """
            UPDATE messages SET turn_id = :turn
            WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
              AND turn_id IS NULL
            """,
            {"turn": turn.id},
        )
    return thread_queries.spoken(db, turn)


def freeze(
    db: Database, turn: Turn, *, preface: str, contents: Mapping[str, str]
) -> None:
    # Once frozen, "" is a preface too: a later one would change the front of what
    # Claude has read.
    frozen = db.execute(
        "UPDATE turns SET preface = coalesce(preface, ?) "
        "WHERE id = ? AND state IN ('waiting', 'answering')",
        [preface, turn.id],
    )
    if not frozen.rowcount:
        return
    for row in thread_queries.messages(db, turn.id):
        if row["place"] is None and row["message"] in contents:
            # `contents` may be older than what it was meanwhile edited to read.
            edited: str | None = row["content"]
            content = contents[row["message"]] if edited is None else edited
            _place(db, turn, row["id"], content=content)


def show(db: Database, turn: Turn, *, shown: PostedPart, text: str, now: float) -> None:
    db.execute(
        """
        INSERT INTO replies (turn_id, part, message, text)
        VALUES (:turn, :index, :message, :text)
        ON CONFLICT (turn_id, part) DO UPDATE
        SET message = coalesce(excluded.message, message), text = excluded.text
        """,
        {"turn": turn.id, **asdict(shown)},
    )
    db.execute(
        """
        UPDATE turns
        SET touched = iif(:posted, :now, touched),
            text = iif(state IN ('waiting', 'answering'), :text, text)
        WHERE id = :turn
        """,
        # A post of unknown outcome is looked for from the last sign of life on, which
        # a second attempt at it must not move.
        {"turn": turn.id, "text": text, "now": now, "posted": bool(shown.message)},
    )


def unshow(db: Database, turn: Turn, *, index: int) -> None:
    db.execute("DELETE FROM replies WHERE turn_id = ? AND part = ?", [turn.id, index])


def finish(db: Database, turn: Turn, *, outcome: Outcome, now: float) -> bool:
    """Say whether it was not finished before."""
    finished = db.execute(
        """
        UPDATE turns
        SET state = 'undelivered', ended_at = :now, ended = :ended,
            touched = iif(
                EXISTS (
                    SELECT 1 FROM replies WHERE turn_id = :turn AND message IS NULL
                ),
                touched, :now
            ),
            text = :text, note = :note, reason = :reason, model = :model,
            stop_reason = :stop_reason, request_id = :request_id, input = :input,
            cache_write_5m = :cache_write_5m, cache_write_1h = :cache_write_1h,
            cache_read = :cache_read, output = :output, cost = :cost,
            first_text_at = :first_text, prompt = :prompt, effort = :effort,
            calls = :calls
        WHERE id = :turn AND state IN ('waiting', 'answering')
        """,
        {**_flat(outcome), "turn": turn.id, "now": now},
    )
    if finished.rowcount and (outcome.text or outcome.replay):
        _add_answer(db, turn, replay=outcome.replay or None)
    return finished.rowcount > 0


def feedback(db: Database, thread: ThreadKey, *, turn: str, good: bool) -> bool:
    noted = db.execute(
        f"""
        UPDATE turns SET feedback = :good
        WHERE key = :turn AND thread_id = ({thread_queries.THREAD_ID})
          AND ended_at IS NOT NULL
        """,
        {**thread_queries.named(thread), "turn": turn, "good": good},
    )
    return noted.rowcount > 0


def delivered(db: Database, turn: Turn, *, now: float) -> None:
    db.execute(
        """
        UPDATE turns SET state = 'delivered', touched = :now, delivered_at = :now
        WHERE id = :turn AND state <> 'delivered'
        """,
        {"turn": turn.id, "now": now},
    )
    # While it was being written, its text was needed to write it.
    if erasures.answer_taken_back(db, turn.id, Scope.of(turn.thread)):
        erasures.forget_answer(db, turn.id, now=now)


def hand_over(db: Database, turn: Turn) -> None:
    db.execute(
        """
        UPDATE turns
        SET failures = max(failures - (state = 'undelivered'), 0),
            state = iif(state = 'answering', 'waiting', state)
        WHERE id = ? AND state IN ('answering', 'undelivered')
        """,
        [turn.id],
    )


def record_failure(db: Database, turn: Turn, *, weight: int) -> int:
    # Not beyond what SQLite can count to.
    rows = db.execute(
        "UPDATE turns SET failures = min(failures, 1000000) + ? WHERE id = ? "
        "RETURNING failures",
        [weight, turn.id],
    ).fetchall()
    return rows[0]["failures"] if rows else 0


def abandon(db: Database, turn: Turn, *, reason: str, now: float) -> None:
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


def _known(db: Database, thread_id: int, message: str) -> bool:
    found = db.execute(
        "SELECT 1 FROM messages WHERE thread_id = ? AND message = ?",
        [thread_id, message],
    )
    return found.fetchone() is not None


def _add_thread(db: Database, key: ThreadKey, *, unread: bool, now: float) -> int:
    added = db.execute(
        """
        INSERT INTO threads
            (platform, workspace, channel, thread, follows, unread, created_at)
        VALUES (:platform, :workspace, :channel, :thread, 0, :unread, :now)
        """,
        {**thread_queries.named(key), "unread": unread, "now": now},
    )
    return _id(added.lastrowid)


def _wait(db: Database, thread_id: int, heard: Message, *, now: float) -> int:
    """The turn that waits to answer `heard`: the newest that waits, or a new one."""
    waiting = db.execute(
        """
        UPDATE turns SET asked_at = min(asked_at, :at)
        WHERE id = (
            SELECT max(id) FROM turns
            WHERE thread_id = :thread AND state <> 'delivered' AND state = 'waiting'
        )
        RETURNING id
        """,
        {"thread": thread_id, "at": heard.at},
    ).fetchall()
    if waiting:
        return _id(waiting[0]["id"])
    added = db.execute(
        f"""
        INSERT INTO turns (id, thread_id, key, state, touched, asked_at, created_at)
        VALUES ({NEXT_TURN}, :thread, :key, 'waiting', :at, :at, :now)
        """,
        {"thread": thread_id, "key": secrets.token_hex(8), "at": heard.at, "now": now},
    )
    return _id(added.lastrowid)


def _remember(
    db: Database,
    thread_id: int,
    heard: Message,
    *,
    turn_id: int | None = None,
    asks: bool = False,
) -> None:
    """Store `heard` and what it quotes, unless they are known."""
    for quoted in heard.quotes:
        if not quoted.echo:
            _add_message(db, thread_id, quoted, turn_id=turn_id, asks=False)
    _add_message(db, thread_id, heard, turn_id=turn_id, asks=asks)
    # Also when it comes after a reply to it: what counts is what the root says, not
    # when we heard it. A root that is only quoted did not begin this thread.
    if heard.opens and heard.addressed:
        db.execute("UPDATE threads SET follows = 1 WHERE id = ?", [thread_id])


def _add_message(
    db: Database, thread_id: int, heard: Message, *, turn_id: int | None, asks: bool
) -> None:
    if tombstones.taken_back(db, heard):
        return
    added = db.execute(
        f"""
        INSERT INTO messages
            (id, thread_id, turn_id, message, role, author, at, addressed, opens,
             automated, asks, files, text)
        VALUES
            ({NEXT_MESSAGE}, :thread_id, :turn_id, :message, 'user', :author, :at,
             :addressed, :opens, :automated, :asks, :files, :text)
        ON CONFLICT (thread_id, message) DO NOTHING
        RETURNING id
        """,
        {
            "thread_id": thread_id,
            "turn_id": turn_id,
            "message": heard.message,
            "author": heard.author,
            "at": heard.at,
            "addressed": heard.addressed,
            "opens": heard.opens,
            "automated": heard.automated,
            "asks": asks,
            "files": json.dumps(heard.files),
            "text": heard.text,
        },
    ).fetchall()
    for (number,) in added:
        for holder in heard.holds:
            erasures.add_holder(db, number, holder)


def _place(db: Database, turn: Turn, message_id: int, *, content: str) -> None:
    """Let Claude read `content` at the end of what it reads of `turn` so far.

    At the end, not where its time would put it: a second attempt may bring along
    a message that was said before those of the first.
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


def _add_answer(db: Database, turn: Turn, *, replay: str | None) -> None:
    """Put the answer behind the last message that it or an earlier one answers.

    Its time is that message's own, by the platform's clock. Ours may be behind,
    and what was said while the answer was being written comes after it.
    """
    # The + keeps SQLite to the index by time: it reads a row or two from its end.
    added = db.execute(
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
        _place(db, turn, _id(added.lastrowid), content=replay)


def _flat(outcome: Outcome) -> dict[str, Any]:
    """The parts of `outcome`, its usage among them, as a statement names them."""
    fields = asdict(outcome)
    usage = fields.pop("usage")
    return {**fields, **usage, "ended": outcome.ended.value}


def _id(value: Any) -> int:
    assert isinstance(value, int)
    return value
