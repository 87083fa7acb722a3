"""Repairs broken rows that would prevent work from resuming, when a database is opened.

Rule: only the few rows that a start resumes are checked. Each repaired row is logged.
"""

from bot.domain.turn import Ended, TurnState
from storage import ledger, thread_queries
from storage.broken import MOST_USD, log_broken
from storage.connection import Connection
from storage.dialect import LAST_ID
from storage.scope_columns import scope_of

REASON = "given up: its row is broken"

# Above any real number of attempts.
MOST_TRIES = 1_000

_STATES = ", ".join(f"'{each.value}'" for each in TurnState)
_ENDED = ", ".join(f"'{each.value}'" for each in Ended)

# Turns that could never end. Uses the partial index of open turns.
END = """
    UPDATE turns
    SET state = 'delivered', ended = 'failed', reason = :reason,
        ended_at = coalesce(ended_at, :now), delivered_at = :now
    WHERE state <> 'delivered' AND
"""
TURNS = f"""
    {END} (
        state NOT IN ({_STATES}) OR ended NOT IN ({_ENDED})
        OR thread_id NOT IN (SELECT id FROM threads)
    )
    RETURNING id
"""

# The threads of open turns. A thread cannot be looked up by a key that is not text.
OPEN = """
    SELECT DISTINCT threads.* FROM turns JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered'
"""

# Counters that would never reach their limit, or that SQLite could not increment.
ATTEMPTS = """
    UPDATE turns SET attempts = :most, failures = 0
    WHERE state <> 'delivered'
      AND NOT (attempts BETWEEN 0 AND :most AND failures BETWEEN 0 AND :most)
    RETURNING id
"""
TRIES = """
    UPDATE cases SET tries = 0
    WHERE auto = 1 AND shown = 0 AND NOT tries BETWEEN 0 AND :most
    RETURNING id
"""

# Threads in which the model would never read another message.
READING = f"""
    UPDATE threads SET reads_after = {LAST_ID.format("messages")}
    WHERE reads_after > {LAST_ID.format("messages")}
    RETURNING id
"""

# Reserves that cannot be summed. The cost of such a call is unknown.
CHARGES = """
    UPDATE charges SET reserved = 0
    WHERE ended_at IS NULL AND NOT reserved BETWEEN 0 AND :most_usd
    RETURNING id
"""


def mend(db: Connection, *, now: float) -> None:
    """End turns that cannot be resumed, and close charges left open by an ended
    process."""
    values = {
        "reason": REASON,
        "now": now,
        "most": MOST_TRIES,
        "most_usd": MOST_USD,
    }
    for table, statement in (
        ("turns", TURNS),
        ("turns", ATTEMPTS),
        ("cases", TRIES),
        ("threads", READING),
        ("charges", CHARGES),
    ):
        for row in db.execute(statement, values).fetchall():
            log_broken(table, row["id"])
    for row in db.execute(OPEN).fetchall():
        if thread_queries.thread(db, scope_of(row).key) is None:
            log_broken("threads", row["id"])
            db.execute(f"{END} thread_id = :thread", {**values, "thread": row["id"]})
    ledger.book_interrupted(db, now=now)
