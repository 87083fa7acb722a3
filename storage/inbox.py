"""Stores the messages of people, inside a transaction.

Rule: a message is stored once. Its id stays known after it was deleted.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.message import Disposition, Message, Verdict
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn, TurnMessage, TurnState
from bot.ports.inbox import Judge
from storage import (
    answer_options,
    attachments,
    erasures,
    locks,
    settings,
    thread_queries,
    tombstones,
)
from storage.connection import Connection
from storage.dialect import LEAST, insert, next_id

KNOWN = "SELECT 1 FROM messages WHERE thread_id = ? AND message = ?"

NEXT_TURN = next_id("turns")
NEXT_MESSAGE = next_id("messages")


#: The decision on a message that is known, or was deleted.
IGNORED = Verdict(Disposition.IGNORE)


def receive(
    db: Connection, message: Message, judge: Judge, now: float, owner: str = ""
) -> Verdict:
    """Do what `InboxStore.receive` says; a new thread is the process `owner`'s, if that
    is the only one."""
    locks.storing(db, Scope.of(message.thread))
    thread = locks.thread(db, message.thread)
    # All are asked for before any is read: on PostgreSQL one round trip brings them.
    deleted, facts = tombstones.ask_of(db, message), None
    if thread:
        known = db.execute(KNOWN, [thread["id"], message.message])
        automated = thread_queries.ask_automated(db, thread, message.at)
        if known.fetchone():
            return IGNORED
        facts = thread_queries.thread_facts(thread, automated)
    if tombstones.any_deleted(deleted):
        return IGNORED
    verdict = judge(message, facts)
    answers = verdict.disposition is Disposition.ANSWER
    if verdict.disposition is Disposition.IGNORE:
        return verdict
    if not (thread or answers or verdict.begins):
        return replace(verdict, disposition=Disposition.IGNORE)
    if thread is None:
        unread = not message.opens
        thread_id = _add_thread(db, message.thread, owner, unread=unread, now=now)
    else:
        thread_id = thread["id"]
    turn_id = waiting_turn(db, thread_id, message, now=now) if answers else None
    _add(
        *(db, thread_id, message),
        turn_id=turn_id,
        asks=answers,
        rule=verdict.rule,
        is_left=True,
    )
    if verdict.change is not None:
        settings.change_settings(db, [verdict.change], who=message.author, now=now)
    return verdict


#: `unread` of a thread whose history is stored, but not as Claude reads it.
BACKFILLED = 2


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
        # A turn that has ended reads no more; the next one will.
        ended = TurnState(state) not in (TurnState.WAITING, TurnState.ANSWERING)
        for message in history:
            # The bot's own messages are answers of turns, or notices.
            if not message.echo:
                _add(db, thread_id, message, turn_id=None if ended else turn.id)
        # `store_prompt` completes it: a crash before that must not lose the note about
        # what is missing.
        left = 0 if ended else BACKFILLED
        db.execute("UPDATE threads SET unread = ? WHERE id = ?", [left, thread_id])
    return thread_queries.turn_messages(thread_queries.ask_messages(db, turn.id))


def _add_thread(
    db: Connection, key: ThreadKey, owner: str, *, unread: bool, now: float
) -> int:
    return insert(
        db,
        """
        INSERT INTO threads
            (platform, workspace, channel, thread, follows, unread, created_at, owner)
        VALUES (:platform, :workspace, :channel, :thread, 0, :unread, :now, :owner)
        """,
        {**thread_queries.named(key), "unread": unread, "now": now, "owner": owner},
    )


def waiting_turn(
    db: Connection, thread_id: int, message: Message, *, now: float
) -> int:
    """Return the id of the newest turn in state WAITING, of a new one if there is
    none; move its time of asking back to that of `message`."""
    waiting = db.execute(
        f"""
        UPDATE turns SET asked_at = {LEAST}(asked_at, :at)
        WHERE id = (
            SELECT max(id) FROM turns
            WHERE thread_id = :thread AND state <> 'delivered' AND state = 'waiting'
        )
        RETURNING id
        """,
        {"thread": thread_id, "at": message.at},
    ).fetchall()
    if waiting:
        return _id(waiting[0]["id"])
    return insert(
        db,
        f"""
        INSERT INTO turns (id, thread_id, key, state, touched, asked_at, created_at)
        VALUES ({NEXT_TURN}, :thread, :key, 'waiting', :at, :at, :now)
        """,
        {
            "thread": thread_id,
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
    turn_id: int | None = None,
    asks: bool = False,
    rule: str = "",
    is_left: bool = False,
) -> None:
    """Store the messages that `message` quotes and then `message`, unless known."""
    for quoted in message.quotes:
        if not quoted.echo:
            add_message(db, thread_id, quoted, turn_id=turn_id, asks=False)
    add_message(
        *(db, thread_id, message),
        turn_id=turn_id,
        asks=asks,
        rule=rule,
        is_left=is_left,
    )
    # The root decides, also if it arrives after a reply to it. A quoted root did not
    # open this thread.
    if message.opens and message.addressed:
        db.execute("UPDATE threads SET follows = 1 WHERE id = ?", [thread_id])


def add_message(
    db: Connection,
    thread_id: int,
    message: Message,
    *,
    turn_id: int | None,
    asks: bool,
    rule: str = "",
    is_left: bool = False,
) -> None:
    """Store `message` unless it is known or was deleted; `is_left` if the caller knows
    that it was not."""
    if not is_left and tombstones.was_deleted(db, message):
        return
    added = db.execute(
        f"""
        INSERT INTO messages
            (id, thread_id, turn_id, message, role, author, at, addressed, opens,
             automated, asks, rule, origin, files, text, name, options)
        VALUES
            ({NEXT_MESSAGE}, :thread_id, :turn_id, :message, 'user', :author, :at,
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
            "files": attachments.encoded(message.files),
            "text": message.text,
            "name": message.name,
            "options": answer_options.encoded(message.options),
        },
    )
    if message.holds:
        for (number,) in added.fetchall():
            for holder in message.holds:
                erasures.insert_holder(db, number, holder)


def _id(value: Any) -> int:
    assert isinstance(value, int)
    return value
