"""Counts of the messages that a thread's turns read, inside a transaction; and their
migration.

Rule: each turn counts only new messages. The sums of the ended turns before it are
cached until one of their messages changes in a way that affects the counts. The next
turn then counts them again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from storage.connection import Connection, Cursor, Row

# People's messages, without additions to messages.
SAID = "role = 'user' AND substr(message, 1, 2) <> '+:'"

IS_READ = """
    messages.id > :after AND place IS NOT NULL AND deleted_at IS NULL
    AND coalesce(ended, '') <> 'refused'
"""

COUNTED = ("messages", "answers", "deleted", "before_reset", "declined")
_SUMS = ", ".join((*COUNTED, "upto"))
_PLACES = ", ".join(f":{name}" for name in (*COUNTED, "upto"))
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in (*COUNTED, "upto"))

COUNTS = f"""
    SELECT
        count(*) FILTER (WHERE {SAID} AND {IS_READ}) AS messages,
        count(*) FILTER (WHERE role = 'assistant' AND {IS_READ}) AS answers,
        count(*) FILTER (
            WHERE {SAID} AND messages.id > :after AND deleted_at IS NOT NULL
        ) AS deleted,
        count(*) FILTER (
            WHERE {SAID} AND messages.id <= :after AND deleted_at IS NULL
        ) AS before_reset,
        count(*) FILTER (
            WHERE {SAID} AND messages.id > :after AND deleted_at IS NULL
              AND NOT ({IS_READ})
        ) AS declined,
        coalesce(max(messages.id), 0) AS upto
    FROM messages CROSS JOIN turns ON turns.id = messages.turn_id
    WHERE messages.thread_id = :thread AND turn_id > :behind AND turn_id <= :turn
"""
_THREAD = "(SELECT thread_id FROM turns WHERE id = :turn)"

KEPT = f"""
    SELECT * FROM read_counts
    WHERE thread_id = {_THREAD} AND turn_id < :turn
      AND reads_after = (SELECT reads_after FROM threads WHERE id = {_THREAD})
"""
KEEP = f"""
    INSERT INTO read_counts (thread_id, turn_id, reads_after, {_SUMS})
    VALUES (:thread_id, :turn_id, :reads_after, {_PLACES})
    ON CONFLICT (thread_id) DO UPDATE
    SET turn_id = excluded.turn_id, reads_after = excluded.reads_after, {_REPLACED}
"""
# Queries the messages, which have an index for this.
BEFORE = f"""
    SELECT max(turn_id) FROM messages WHERE thread_id = {_THREAD} AND turn_id < :turn
"""


def m030_read_counts(db: Database) -> None:
    """Add the sums over the turns of each thread, up to one turn. Never edited."""
    db.table("read_counts").create(
        {
            "thread_id": int,
            # The last counted turn, and the reset from which messages are counted.
            "turn_id": int,
            "reads_after": int,
            **dict.fromkeys((*COUNTED, "upto"), int),
        },
        pk="thread_id",
        not_null={"thread_id", "turn_id", "reads_after", *COUNTED, "upto"},
        strict=True,
    )
    # A message that joins an open turn, or gets a place in it, comes after the counted
    # turns.
    db.execute(
        """
        CREATE TRIGGER read_counts_of_changed_message
        AFTER UPDATE OF deleted_at, turn_id, place, thread_id ON messages BEGIN
            DELETE FROM read_counts
            WHERE thread_id IN (OLD.thread_id, NEW.thread_id) AND turn_id >= min(
                coalesce(OLD.turn_id, NEW.turn_id), coalesce(NEW.turn_id, OLD.turn_id)
            );
        END
        """
    )
    db.execute(
        """
        CREATE TRIGGER read_counts_of_deleted_message AFTER DELETE ON messages BEGIN
            DELETE FROM read_counts WHERE thread_id = OLD.thread_id;
        END
        """
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Results that are needed before a turn's messages get their places."""

    #: The cached sums, and the last earlier turn with messages.
    kept: Cursor
    before: Cursor


def ask(db: Connection, turn: int) -> Asked:
    """Send the queries that `ask_counts` needs for the turn with the id `turn`."""
    at = {"turn": turn}
    return Asked(db.execute(KEPT, at), db.execute(BEFORE, at))


def ask_counts(
    db: Connection, thread: Row, turn: int, asked: Asked
) -> Callable[[], Mapping[str, int]]:
    """Send the queries for the counts of read and unread messages, and for the last
    message id.

    They cover the thread of the row `thread` up to the turn with the id `turn`, the
    first that has not ended. Returns a function that reads the results.
    """
    at = {"thread": thread["id"], "turn": turn, "after": thread["reads_after"]}
    kept: Mapping[str, int] | Row | None = asked.kept.fetchone()
    behind = kept["turn_id"] if kept else 0
    (before,) = asked.before.fetchone()
    if before is None or before <= behind:
        last = db.execute(COUNTS, {**at, "behind": behind})
        return lambda: _sum(kept, last.fetchone())
    counted = db.execute(COUNTS, {**at, "turn": before, "behind": behind})
    last = db.execute(COUNTS, {**at, "behind": before})

    def counts() -> Mapping[str, int]:
        sums = _sum(kept, counted.fetchone())
        of = {"thread_id": thread["id"], "reads_after": thread["reads_after"]}
        db.execute(KEEP, {**of, "turn_id": before, **sums})
        return _sum(sums, last.fetchone())

    return counts


def _sum(kept: Mapping[str, int] | Row | None, added: Row) -> dict[str, int]:
    found = {name: added[name] for name in COUNTED}
    if kept is not None:
        found = {name: kept[name] + count for name, count in found.items()}
    upto = max(added["upto"], kept["upto"] if kept is not None else 0)
    return {**found, "upto": upto}
