"""Deletes data at the end of its retention, in many small transactions."""

from collections.abc import Callable
from functools import partial

from bot.domain.retention import DAY, Retention
from storage import (
    channel_moves,
    locks,
    names,
    notices,
    outages,
    posts,
    refusals,
    settings,
    summaries,
    tombstones,
    triage_cases,
    write_rates,
)
from storage.connection import Connection
from storage.scope_columns import scope_of

#: The most rows that one transaction deletes or reads. That many block other writes for
#: about 10 ms.
AT_ONCE = 200

# No recent message, no recent answer, and no open turn.
_OLD = """
    NOT EXISTS (SELECT 1 FROM messages WHERE thread_id = :thread AND at >= :before)
    AND NOT EXISTS (
        SELECT 1 FROM turns WHERE thread_id = :thread AND ended_at >= :before
    )
    AND NOT EXISTS (
        SELECT 1 FROM turns WHERE thread_id = :thread AND state <> 'delivered'
    )
"""


def steps(retention: Retention, now: float) -> dict[str, Callable[[Connection], int]]:
    """Return the deletions for everything but threads, by kind.

    Each deletion removes at most AT_ONCE rows and returns their number. Repeat it until
    it returns 0.
    """
    return {
        **_posts(retention, now),
        "refusals": partial(
            refusals.expire, before=now - retention.refusals, most=AT_ONCE
        ),
        "cases": partial(
            triage_cases.expire,
            before=now - retention.cases,
            corrected_before=now - retention.corrections,
            most=AT_ONCE,
        ),
        "drafts": partial(settings.expire_drafts, now=now, most=AT_ONCE),
        "names": partial(names.expire, before=now - retention.names, most=AT_ONCE),
        "notices": partial(notices.expire, now=now, most=AT_ONCE),
        "outages": partial(outages.expire, before=now - 2 * DAY, most=AT_ONCE),
        "tombstones": partial(tombstones.expire, now=now, most=AT_ONCE),
        "moves": partial(
            channel_moves.expire, before=now - channel_moves.REMEMBERED, most=AT_ONCE
        ),
        "rates": partial(write_rates.expire, before=now - DAY, most=AT_ONCE),
    }


def _posts(retention: Retention, now: float) -> dict[str, Callable[[Connection], int]]:
    if retention.threads is None:
        return {}
    before = now - retention.threads
    return {"posts": partial(posts.expire, before=before, most=AT_ONCE)}


def threads(db: Connection, *, before: float, after: int) -> tuple[int, int | None]:
    """Delete expired threads among the next rows with an id above `after`.

    A thread is expired if nothing happened in it since `before`. Returns the number of
    deleted threads and the id to continue after, or None at the end.
    """
    found = db.execute(
        "SELECT * FROM threads WHERE id > ? AND created_at < ? ORDER BY id LIMIT ?",
        [after, before, AT_ONCE],
    ).fetchall()
    deleted = 0
    for row in found:
        locks.threads(db, [row["id"]])
        number = {"thread": row["id"], "before": before}
        if db.execute(f"SELECT {_OLD}", number).fetchone()[0]:
            delete_thread(db, row["id"])
            settings.unpin(db, scope_of(row))
            posts.delete_in(db, scope_of(row))
            deleted += 1
    return deleted, found[-1]["id"] if len(found) == AT_ONCE else None


def delete_thread(db: Connection, thread: int) -> None:
    """Delete a thread and all rows that reference it, in the order of references."""
    summaries.delete_of_threads(db, "?", [thread])
    turns = "SELECT id FROM turns WHERE thread_id = ?"
    messages = "SELECT id FROM messages WHERE thread_id = ?"
    db.execute(f"DELETE FROM replies WHERE turn_id IN ({turns})", [thread])
    db.execute(f"DELETE FROM uploads WHERE turn_id IN ({turns})", [thread])
    db.execute(f"DELETE FROM receipts WHERE turn_id IN ({turns})", [thread])
    db.execute(f"DELETE FROM holders WHERE message_id IN ({messages})", [thread])
    db.execute("DELETE FROM messages WHERE thread_id = ?", [thread])
    db.execute("DELETE FROM turns WHERE thread_id = ?", [thread])
    db.execute("DELETE FROM threads WHERE id = ?", [thread])
