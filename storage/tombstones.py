"""Ids of deleted messages, inside a transaction.

Rule: a deletion applies whichever arrives first, it or the message. Ids of deleted
messages are kept for `REMEMBERED` seconds. A message that arrives after its own
deletion, or a text that was read before the deletion, is therefore not stored.
"""

from collections.abc import Iterable, Sequence

from bot.domain.message import Message
from bot.domain.scope import Scope
from storage.connection import Connection, Cursor
from storage.dialect import ROW
from storage.scope_columns import parts

#: Retention of the ids of deleted messages, in seconds. Slack repeats an event for
#: about six minutes, and the bot catches up with Discord's threads over a day. The rest
#: covers a process that was down in the meantime.
REMEMBERED = 7 * 86_400.0

# Both halves use the primary key.
IS_DELETED = """
    SELECT 1 FROM erased
    WHERE platform = :platform AND workspace = :workspace
      AND message = :message AND channel IN ('', :channel) AND :message <> ''
    UNION ALL
    SELECT 1 FROM erased
    WHERE platform = :platform AND workspace = :workspace
      AND message = '' AND channel = :channel AND thread IN ('', :thread)
    LIMIT 1
"""


def note(db: Connection, scope: Scope, message: str, *, now: float) -> None:
    """Record that `message` was deleted. "" means all of `scope`."""
    db.execute(
        """
        INSERT INTO erased (platform, workspace, message, channel, thread, at)
        VALUES (:platform, :workspace, :message, :channel, :thread, :now)
        ON CONFLICT (platform, workspace, message, channel, thread)
        DO UPDATE SET at = excluded.at
        """,
        {**parts(scope), "message": message, "now": now},
    )


def is_deleted(db: Connection, scope: Scope, messages: Iterable[str]) -> bool:
    """Return whether people deleted one of `messages`, or all of `scope`.

    `scope` is the thread or channel of the messages.
    """
    return any_deleted(ask(db, scope, messages))


def ask(db: Connection, scope: Scope, messages: Iterable[str]) -> list[Cursor]:
    """Send the queries whose results `any_deleted` reads."""
    at = parts(scope)
    return [db.execute(IS_DELETED, {**at, "message": message}) for message in messages]


def any_deleted(asked: Sequence[Cursor]) -> bool:
    """Return whether one of the messages was deleted. `asked` is the result of
    `ask`."""
    return any(each.fetchone() is not None for each in asked)


def ask_of(db: Connection, message: Message) -> list[Cursor]:
    """Send the queries for `message` and the messages that show its text.

    `any_deleted` reads the results.
    """
    scope = Scope.of(message.thread)
    return ask(db, scope, (message.message, *message.holds))


def was_deleted(db: Connection, message: Message) -> bool:
    """Return whether people deleted `message`, or a message that shows its text."""
    return any_deleted(ask_of(db, message))


def expire(db: Connection, *, now: float, most: int) -> int:
    """Delete at most `most` expired ids; return their number."""
    return int(
        db.execute(
            f"DELETE FROM erased WHERE {ROW} IN "
            f"(SELECT {ROW} FROM erased WHERE at < ? ORDER BY at LIMIT ?)",
            [now - REMEMBERED, most],
        ).rowcount
    )
