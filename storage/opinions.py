"""People's ratings of answers, for reports."""

from bot.domain.turn import Opinion
from storage.broken import calendar_time
from storage.connection import Connection
from storage.dialect import LINES_SAID
from storage.thread_queries import key_of

# For reports, so it may read the whole table.
OPINIONS = f"""
    SELECT turns.*, platform, workspace, channel, thread, (
        SELECT {LINES_SAID} FROM (
            SELECT text FROM messages
            WHERE messages.thread_id = turns.thread_id AND turn_id = turns.id
              AND asks = 1 AND deleted_at IS NULL
            ORDER BY at, id
        ) AS said
      ) AS question
    FROM turns JOIN threads ON threads.id = turns.thread_id
    WHERE feedback IS NOT NULL AND ended_at >= ?
    ORDER BY ended_at, turns.id
"""


def opinions(db: Connection, since: float) -> list[Opinion]:
    """Return the ratings of the answers that ended at or after `since`, oldest
    first."""
    rows = db.execute(OPINIONS, [since]).fetchall()
    return [
        Opinion(
            thread=key_of(row),
            turn=row["key"],
            at=calendar_time(row["ended_at"]),
            good=bool(row["feedback"]),
            model=row["model"] or "",
            prompt=row["prompt"],
            question=row["question"] or "",
            answer=row["text"],
        )
        for row in rows
    ]
