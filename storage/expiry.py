"""Conversations that have been kept for long enough, inside a transaction."""

from sqlite_utils import Database

from storage import settings
from storage.scope_columns import place_of

#: How many rows one transaction of a clean-up deletes at the most, or looks at: about a
#: hundredth of a second, for which others wait.
AT_ONCE = 200

# Nothing was said or answered since, and nothing is to be answered.
_OLD = """
    NOT EXISTS (SELECT 1 FROM messages WHERE thread_id = :thread AND at >= :before)
    AND NOT EXISTS (
        SELECT 1 FROM turns WHERE thread_id = :thread AND ended_at >= :before
    )
    AND NOT EXISTS (
        SELECT 1 FROM turns WHERE thread_id = :thread AND state <> 'delivered'
    )
"""


def threads(db: Database, *, before: float, after: int) -> tuple[int, int | None]:
    """Delete conversations that ended before `before`, of those with a number above
    `after`; return how many, and the number to go on from, None at the end."""
    found = db.execute(
        "SELECT * FROM threads WHERE id > ? AND created_at < ? ORDER BY id LIMIT ?",
        [after, before, AT_ONCE],
    ).fetchall()
    deleted = 0
    for row in found:
        number = {"thread": row["id"], "before": before}
        if db.execute(f"SELECT {_OLD}", number).fetchone()[0]:
            _delete(db, row["id"])
            settings.forget_kept(db, place_of(row))
            deleted += 1
    return deleted, found[-1]["id"] if len(found) == AT_ONCE else None


def _delete(db: Database, thread: int) -> None:
    """Delete a thread with all that refers to it, what refers to others first."""
    turns = "SELECT id FROM turns WHERE thread_id = ?"
    messages = "SELECT id FROM messages WHERE thread_id = ?"
    db.execute(f"DELETE FROM replies WHERE turn_id IN ({turns})", [thread])
    db.execute(f"DELETE FROM holders WHERE message_id IN ({messages})", [thread])
    db.execute("DELETE FROM messages WHERE thread_id = ?", [thread])
    db.execute("DELETE FROM turns WHERE thread_id = ?", [thread])
    db.execute("DELETE FROM threads WHERE id = ?", [thread])
