"""Ids of what people deleted, inside a transaction.

Rule: a deletion holds whichever comes first. What was deleted is remembered by its id
for `REMEMBERED` seconds, so that a message that arrives after its own deletion, or a
text that was read before it, is not stored.
"""

from collections.abc import Iterable

from sqlite_utils import Database

from bot.domain.message import Message
from bot.domain.scope import Scope
from storage.scope_columns import parts

#: For how many seconds the ids of what was deleted are remembered. Slack repeats an
#: event for about six minutes and Discord's threads are caught up with over a day;
#: the rest is for a process that was down meanwhile.
REMEMBERED = 7 * 86_400.0

# Each half is found by the primary key.
IS_ERASED = """
    SELECT 1 FROM erased
    WHERE platform = :platform AND workspace = :workspace
      AND message = :message AND channel IN ('', :channel) AND :message <> ''
    UNION ALL
    SELECT 1 FROM erased
    WHERE platform = :platform AND workspace = :workspace
      AND message = '' AND channel = :channel AND thread IN ('', :thread)
    LIMIT 1
"""


def note(db: Database, place: Scope, message: str, *, now: float) -> None:
    """Remember that `message` was deleted; "" for all of a thread or channel."""
    db.execute(
        """
        INSERT INTO erased (platform, workspace, message, channel, thread, at)
        VALUES (:platform, :workspace, :message, :channel, :thread, :now)
        ON CONFLICT DO UPDATE SET at = excluded.at
        """,
        {**parts(place), "message": message, "now": now},
    )


def is_erased(db: Database, place: Scope, messages: Iterable[str]) -> bool:
    """Whether people deleted one of `messages`, which stand in the thread or channel
    `place`, or all of that."""
    at = parts(place)
    return any(
        db.execute(IS_ERASED, {**at, "message": message}).fetchone() is not None
        for message in messages
    )


def taken_back(db: Database, heard: Message) -> bool:
    """Whether people deleted `heard`, or what it holds the words of."""
    return is_erased(db, Scope.of(heard.thread), (heard.message, *heard.holds))


def expire(db: Database, *, now: float, most: int) -> int:
    """Delete the ids that are remembered no longer, at most `most`; return how many."""
    return int(
        db.execute(
            "DELETE FROM erased WHERE rowid IN "
            "(SELECT rowid FROM erased WHERE at < ? ORDER BY at LIMIT ?)",
            [now - REMEMBERED, most],
        ).rowcount
    )
