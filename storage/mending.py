"""Ends, when a database is opened, what rows that nobody of us wrote would keep open.

Rule: only what a start takes up is looked at, which is little, and each row that is
mended is said to the log once, since it is whole from then on.
"""

from sqlite_utils import Database

from bot.domain.turn import Ended, TurnState
from storage import ledger, thread_queries
from storage.broken import LAST_ID, MOST_USD, tell
from storage.scope_columns import place_of

REASON = "given up: its row is broken"

# More often than this nothing is tried, by far.
MOST_TRIES = 1_000

_STATES = ", ".join(f"'{each.value}'" for each in TurnState)
_ENDED = ", ".join(f"'{each.value}'" for each in Ended)

# Turns that no code of ours could take to their end. The partial index of open turns
# finds them.
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

# The threads of open turns; those whose names are no text are not found by them.
OPEN = """
    SELECT DISTINCT threads.* FROM turns JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered'
"""

# Counters that would never come to their end, or that SQLite could not add to.
ATTEMPTS = """
    UPDATE turns SET attempts = :most, failures = 0
    WHERE state <> 'delivered'
      AND NOT (attempts BETWEEN 0 AND :most AND failures BETWEEN 0 AND :most)
    RETURNING id
"""
TRIES = """
    UPDATE cases SET tries = 0
    WHERE auto AND NOT shown AND NOT tries BETWEEN 0 AND :most
    RETURNING id
"""

# A thread of which Claude would never read anything again.
READING = f"""
    UPDATE threads SET reads_after = {LAST_ID.format("messages")}
    WHERE reads_after > {LAST_ID.format("messages")}
    RETURNING id
"""

# Money that no sum could be made of. What became of such a call, nobody knows.
CHARGES = """
    UPDATE charges SET reserved = 0
    WHERE ended_at IS NULL AND NOT reserved BETWEEN 0 AND :most_usd
    RETURNING id
"""


def mend(db: Database, *, now: float) -> None:
    """End what cannot be taken up, and close the calls that an earlier process left."""
    given = {
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
        for row in db.execute(statement, given).fetchall():
            tell(table, row["id"])
    for row in db.execute(OPEN).fetchall():
        if thread_queries.thread(db, place_of(row).key) is None:
            tell("threads", row["id"])
            db.execute(f"{END} thread_id = :thread", {**given, "thread": row["id"]})
    ledger.abandon(db, now=now)
