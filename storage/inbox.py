"""Stores people's messages, inside a transaction.

Rule: a message is stored once. Its id stays known after the message was deleted.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.message import Disposition, Message, Verdict
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn, TurnMessage, TurnState
from bot.ports.inbox import Judge
from storage import (
    answer_options,
    attachments,
    channel_moves,
    erasures,
    locks,
    settings,
    thread_queries,
    tombstones,
)
from storage.connection import Connection, Cursor
from storage.dialect import LEAST, insert_thread, next_id

KNOWN = f"""
    SELECT 1 FROM messages
    WHERE thread_id = ({thread_queries.THREAD_ID}) AND message = :message
"""

#: The newest WAITING turn of a thread. INDEXED BY as in `turn_reading.NEXT_TURN`.
WAITING_TURN = """
    SELECT max(id) FROM turns INDEXED BY idx_turns_open
    WHERE thread_id = {thread} AND state <> 'delivered' AND state = 'waiting'
"""

NEXT_TURN = next_id("turns")
NEXT_MESSAGE = next_id("messages")


#: The verdict on a message that is already known or was deleted.
IGNORED = Verdict(Disposition.IGNORE)


def receive(
    db: Connection, message: Message, judge: Judge, now: float, owner: str = ""
) -> Verdict:
    """Implement `InboxStore.receive`. A new thread belongs to the process `owner`,
    unless that is ""."""
    locks.storing(db, Scope.of(message.thread))
    # All queries are sent before any result is read: on PostgreSQL, this takes one
    # round trip.
    moved = channel_moves.ask_current(db, Scope.of(message.thread))
    held = locks.ask_thread(db, message.thread)
    deleted, facts = tombstones.ask_of(db, message), None
    at = {**thread_queries.named(message.thread), "message": message.message}
    known = db.execute(KNOWN, at)
    automated = thread_queries.ask_automated(db, message.thread, message.at)
    waiting = ask_waiting(db, message.thread)
    stored = settings.ask_stored(db, Scope.of(message.thread))
    for (current,) in moved.fetchall():
        return replace(IGNORED, moved_to=current)
    thread = held.fetchone()
    if thread:
        if known.fetchone():
            return IGNORED
        facts = thread_queries.thread_facts(thread, automated)
    if tombstones.any_deleted(deleted):
        return IGNORED
    verdict = judge(message, facts, settings.read_stored(stored))
    answers = verdict.disposition is Disposition.ANSWER
    if verdict.disposition is Disposition.IGNORE:
        return verdict
    if not (thread or answers or verdict.begins):
        return replace(verdict, disposition=Disposition.IGNORE)
    if thread is None:
        new = not message.opens
        here, thread_id = _add_thread(db, message.thread, owner, unread=new, now=now)
    else:
        here, thread_id = ":thread_id", thread["id"]
    if answers:
        (turn,) = waiting.fetchone()
        queue_turn(db, thread_id, message, now=now, waiting=turn, here=here)
    _add(
        *(db, thread_id, message),
        here=here,
        asks=answers,
        rule=verdict.rule,
        is_left=True,
    )
    if verdict.change is not None:
        settings.change_settings(db, [verdict.change], who=message.author, now=now)
    return verdict


#: Value of `unread` for a thread whose stored history the model has not been given yet.
BACKFILLED = 2

# Messages sent before a question but received after it, and kept for the next turn.
OVERTAKEN = """
    UPDATE messages SET turn_id = :turn
    WHERE thread_id = :thread AND turn_id IS NULL AND at <= :newest
"""


def backfill(
    db: Connection, turn: Turn, history: Sequence[Message]
) -> list[TurnMessage]:
    thread_id, state, unread = db.execute(
        "SELECT thread_id, state, unread "
        "FROM turns JOIN threads ON threads.id = thread_id WHERE turns.id = ?",
        [turn.id],
    ).fetchone()
    # The context may have been reset while the platform was asked for the history.
    if unread:
        # A turn that has ended reads nothing more; the next turn will.
        ended = TurnState(state) not in (TurnState.WAITING, TurnState.ANSWERING)
        turn_id = None if ended else turn.id
        # The bot's own messages are answers of turns or notices.
        asked = [(m, tombstones.ask_of(db, m)) for m in history if not m.echo]
        for message, deleted in asked:
            is_left = not tombstones.any_deleted(deleted)
            _add(db, thread_id, message, turn_id=turn_id, is_left=is_left)
        if asked and not ended:
            newest = max(message.at for message, _ in asked)
            db.execute(
                OVERTAKEN, {"turn": turn.id, "thread": thread_id, "newest": newest}
            )
        # `store_prompt` completes the backfill: a crash before that must not lose the
        # note about missing history.
        left = 0 if ended else BACKFILLED
        db.execute("UPDATE threads SET unread = ? WHERE id = ?", [left, thread_id])
    return thread_queries.turn_messages(thread_queries.ask_messages(db, turn.id))


def _add_thread(
    db: Connection, key: ThreadKey, owner: str, *, unread: bool, now: float
) -> tuple[str, int]:
    """Insert a thread. Returns an expression for its id, and the value of its
    `:thread_id`."""
    return insert_thread(
        db,
        """
        INSERT INTO threads
            (platform, workspace, channel, thread, follows, unread, created_at, owner)
        VALUES (:platform, :workspace, :channel, :thread, 0, :unread, :now, :owner)
        """,
        {**thread_queries.named(key), "unread": unread, "now": now, "owner": owner},
    )


def ask_waiting(db: Connection, key: ThreadKey) -> Cursor:
    """Send the query for the waiting turn that `queue_turn` extends."""
    thread = f"({thread_queries.THREAD_ID})"
    return db.execute(WAITING_TURN.format(thread=thread), thread_queries.named(key))


def queue_turn(
    db: Connection,
    thread_id: int,
    message: Message,
    *,
    now: float,
    waiting: int | None,
    here: str = ":thread_id",
) -> None:
    """Queue a question in a turn of the thread: the WAITING turn `waiting`, or a new
    one.

    `here` is an expression for the thread's id. The time of asking of an existing turn
    moves back to that of `message`.
    """
    if waiting is not None:
        db.execute(
            f"UPDATE turns SET asked_at = {LEAST}(asked_at, :at) WHERE id = :turn",
            {"at": message.at, "turn": waiting},
        )
        return
    # VALUES, not SELECT: with SELECT, SQLite would search for messages of the new turn.
    db.execute(
        f"""
        INSERT INTO turns (id, thread_id, key, state, touched, asked_at, created_at)
        VALUES ({NEXT_TURN}, {here}, :key, 'waiting', :at, :at, :now)
        """,
        {
            "thread_id": thread_id,
            "key": secrets.token_hex(8),
            "at": message.at,
            "now": now,
        },
    )


def _add(
    db: Connection,
    thread_id: int,
    message: Message,
    *,
    here: str = ":thread_id",
    turn_id: int | None = None,
    asks: bool = False,
    rule: str = "",
    is_left: bool = False,
) -> None:
    """Store the messages that `message` quotes, and then `message`, unless they are
    known.

    `here` is an expression for the thread's id. With `asks`, the messages are assigned
    to the newest WAITING turn.
    """
    for quoted in message.quotes:
        if not quoted.echo:
            add_message(
                *(db, thread_id, quoted), here=here, turn_id=turn_id, waits=asks
            )
    add_message(
        *(db, thread_id, message),
        here=here,
        turn_id=turn_id,
        waits=asks,
        asks=asks,
        rule=rule,
        is_left=is_left,
    )
    # The root decides, even if it arrives after a reply to it. A quoted root did not
    # open this thread.
    if message.opens and message.addressed:
        at = {"thread_id": thread_id}
        db.execute(f"UPDATE threads SET follows = 1 WHERE id = {here}", at)


def add_message(
    db: Connection,
    thread_id: int,
    message: Message,
    *,
    here: str = ":thread_id",
    turn_id: int | None = None,
    waits: bool = False,
    asks: bool = False,
    rule: str = "",
    is_left: bool = False,
) -> None:
    """Store `message` in the thread, unless it is known or was deleted.

    `here` is an expression for the thread's id. With `waits`, the message is assigned
    to the newest WAITING turn. `is_left` says that the caller knows the message was not
    deleted.
    """
    if not is_left and tombstones.was_deleted(db, message):
        return
    turn = f"({WAITING_TURN.format(thread=here)})" if waits else ":turn_id"
    added = db.execute(
        f"""
        INSERT INTO messages
            (id, thread_id, turn_id, message, role, author, at, addressed, opens,
             automated, asks, rule, origin, files, text, name, options)
        VALUES
            ({NEXT_MESSAGE}, {here}, {turn}, :message, 'user', :author, :at,
             :addressed, :opens, :automated, :asks, :rule, :origin, :files,
             :text, :name, :options)
        ON CONFLICT (thread_id, message) DO NOTHING
        RETURNING id
        """,
        {
            "thread_id": thread_id,
            "turn_id": turn_id,
            "message": message.message,
            "author": message.author,
            "at": message.at,
            "addressed": message.addressed,
            "opens": message.opens,
            "automated": message.automated,
            "asks": asks,
            "rule": rule,
            "origin": message.origin.value,
            "files": attachments.encode(message.files),
            "text": message.text,
            "name": message.name,
            "options": answer_options.encode(message.options),
        },
    )
    if message.holds:
        for (number,) in added.fetchall():
            for holder in message.holds:
                erasures.insert_holder(db, number, holder)
