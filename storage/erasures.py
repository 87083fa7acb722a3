"""Deletes, inside a transaction, what people deleted on their platform, wherever its
text is stored.

Rule: only people's text is deleted. The row of a message stays, so that everything else
keeps its position. The answer to the message stays too, unless people delete the
answer.
"""

from collections.abc import Sequence

from bot.domain.message import Message
from bot.domain.scope import Scope, ScopeLevel
from storage import (
    earlier_turns,
    heads,
    locks,
    names,
    posts,
    settings,
    summaries,
    tombstones,
    triage_cases,
    uploads,
)
from storage.connection import Connection
from storage.scope_columns import inside, parts

# A message may be stored in several threads: its own, and those that quote it. The
# bot's own messages have no platform id in this table.
STORED = """
    SELECT messages.id FROM messages JOIN threads ON threads.id = thread_id
    WHERE message = :message AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel)
"""

# Other messages with the same text. A forwarded message may come from another workspace
# on a platform where ids are unique.
HELD = """
    SELECT messages.id FROM holders
      CROSS JOIN messages ON messages.id = message_id
      CROSS JOIN threads ON threads.id = thread_id
    WHERE holder = :message AND platform = :platform
      AND (:channel = '' OR (workspace = :workspace AND channel = :channel))
"""

# The first message of the thread whose root is a given message. A question asked by a
# command has another id than the message that shows it.
OPENING = """
    SELECT messages.id FROM threads CROSS JOIN messages ON thread_id = threads.id
    WHERE thread = :message AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel) AND opens = 1
"""

# Delivered answers with a deleted part. `turns.mark_delivered` handles answers in
# progress.
ANSWERS = """
    SELECT turn_id FROM replies
      CROSS JOIN turns ON turns.id = turn_id
      CROSS JOIN threads ON threads.id = thread_id
    WHERE message = :message AND state = 'delivered'
      AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel)
"""


def delete_messages(
    db: Connection,
    platform: str,
    workspace: str,
    messages: Sequence[str],
    channel: str | None,
    now: float,
) -> None:
    scope = Scope(platform, workspace, channel or "")
    locks.erasing(db, scope)
    locks.threads_of(db, platform, messages)
    for message in messages:
        where = {**parts(scope), "message": message}
        tombstones.note(db, scope, message, now=now)
        gone: set[int] = set()
        for query in (STORED, HELD, OPENING):
            gone |= {number for (number,) in db.execute(query, where).fetchall()}
        for number in gone:
            _blank(db, number, now=now)
        for (turn,) in db.execute(ANSWERS, where).fetchall():
            delete_answer(db, turn, now=now)
        triage_cases.delete_cases_of(db, message, within=scope)
    posts.delete_posts(db, scope, messages)


def delete_person(db: Connection, place: Scope, person: str, now: float) -> int:
    """Delete everything that `person` wrote in the workspace of `place`, their drafts
    and their name.

    Returns the number of messages.
    """
    locks.erasing(db, place)
    where = {**parts(place), "person": person}
    written = f"""
        SELECT channel, message FROM messages JOIN threads ON threads.id = thread_id
        WHERE {inside(place)} AND role = 'user' AND author = :person
          AND message IS NOT NULL AND deleted_at IS NULL
        UNION SELECT channel, message FROM cases
        WHERE {inside(place)} AND author = :person
    """
    found = db.execute(written, where).fetchall()
    # All threads are locked at once, in their order.
    locks.threads_of(db, place.platform, [message for _, message in found])
    for channel, message in found:
        of = (place.platform, place.workspace, [message])
        delete_messages(db, *of, channel, now)
    db.execute(f"DELETE FROM drafts WHERE {inside(place)} AND who = :person", where)
    names.delete_person(db, place, person, now)
    posts.delete_person(db, place, person)
    return len(found)


def delete_scope(db: Connection, scope: Scope, now: float) -> None:
    locks.erasing(db, scope)
    locks.threads_in(db, scope)
    tombstones.note(db, scope, "", now=now)
    at = parts(scope)
    threads = f"SELECT id FROM threads WHERE {inside(scope)}"
    db.execute(
        f"""
        UPDATE messages SET text = '', files = '[]', rule = '', content = NULL,
            name = '', options = '', deleted_at = coalesce(deleted_at, :now)
        WHERE role = 'user' AND thread_id IN ({threads})
        """,
        {**at, "now": now},
    )
    summaries.delete_of_threads(db, threads, at)
    done = (
        f"SELECT id FROM turns WHERE state = 'delivered' AND thread_id IN ({threads})"
    )
    for (turn,) in db.execute(done, at).fetchall():
        delete_answer(db, turn, now=now)
    triage_cases.delete_cases_in(db, scope)
    posts.delete_in(db, scope)
    settings.delete_drafts(db, scope)


def delete_answer(db: Connection, turn: int, *, now: float) -> None:
    """Delete the answer of the delivered turn with the id `turn`, and the earlier
    answers that were written in the same messages."""
    summaries.delete_of_answer(db, turn)
    db.execute(
        f"UPDATE turns SET text = '', head = '' WHERE id IN ({earlier_turns.REPEATED})",
        {"turn": turn},
    )
    db.execute("UPDATE replies SET text = '' WHERE turn_id = ?", [turn])
    uploads.delete_of_answer(db, turn)
    db.execute(
        "UPDATE messages SET deleted_at = ?, content = NULL "
        "WHERE thread_id = (SELECT thread_id FROM turns WHERE id = ?) "
        "AND turn_id = ? AND role = 'assistant'",
        [now, turn, turn],
    )


def answer_was_deleted(db: Connection, turn: int, thread: Scope) -> bool:
    """Return whether people deleted a part of the turn's answer, or the whole thread.

    `turn` is the id of the turn.
    """
    shown = db.execute(
        "SELECT message FROM replies WHERE turn_id = ? AND message IS NOT NULL", [turn]
    ).fetchall()
    return tombstones.is_deleted(db, thread, ("", *(message for (message,) in shown)))


def add_holder(db: Connection, message: Message, holder: str, now: float) -> None:
    channel = Scope.of(message.thread).at(ScopeLevel.CHANNEL)
    locks.storing(db, channel)
    locks.threads_of(db, channel.platform, [message.message])
    where = {**parts(channel), "message": message.message}
    for (number,) in db.execute(STORED, where).fetchall():
        insert_holder(db, number, holder)
        if tombstones.is_deleted(db, channel, [holder]):
            _blank(db, number, now=now)


def insert_holder(db: Connection, message_id: int, holder: str) -> None:
    """Record that `holder` shows the text of the message with the id `message_id`."""
    db.execute(
        "INSERT INTO holders (message_id, holder) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [message_id, holder],
    )


def _blank(db: Connection, message_id: int, *, now: float) -> None:
    """Delete the contents of a message and keep its row."""
    heads.forget_of_message(db, message_id)
    summaries.delete_of_message(db, message_id)
    db.execute(
        """
        UPDATE messages SET deleted_at = ?, text = '', files = '[]', rule = '',
            content = NULL, name = '', options = ''
        WHERE id = ? AND deleted_at IS NULL
        """,
        [now, message_id],
    )
