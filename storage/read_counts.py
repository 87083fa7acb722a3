"""Counts of messages that turns of a thread read, inside a transaction; and the
migration for that.

Rule: each turn counts only what is new. The sums of the ended turns before it are kept,
until one of their messages is changed in a way that counts; the next turn then counts
them again.
"""

from collections.abc import Mapping

from sqlite_utils import Database

from storage.connection import Connection, Row

# Messages of people, without additions to messages.
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
KEPT = """
    SELECT * FROM read_counts
    WHERE thread_id = :thread AND reads_after = :after AND turn_id < :turn
"""
KEEP = f"""
    INSERT INTO read_counts (thread_id, turn_id, reads_after, {_SUMS})
    VALUES (:thread_id, :turn_id, :reads_after, {_PLACES})
    ON CONFLICT (thread_id) DO UPDATE
    SET turn_id = excluded.turn_id, reads_after = excluded.reads_after, {_REPLACED}
"""
# Of the messages, which are indexed so.
BEFORE = """
    SELECT max(turn_id) FROM messages WHERE thread_id = :thread AND turn_id < :turn
"""


def m030_read_counts(db: Database) -> None:
    """Add the sums of the turns of each thread up to one of them. Never edited."""
    db.table("read_counts").create(
        {
            "thread_id": int,
            # The last turn that is counted, and the reset that counts.
            "turn_id": int,
            "reads_after": int,
            **dict.fromkeys((*COUNTED, "upto"), int),
        },
        pk="thread_id",
        not_null={"thread_id", "turn_id", "reads_after", *COUNTED, "upto"},
        strict=True,
    )
    # A message that joins an open turn, or is placed in it, is behind what is counted.
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


def counts(db: Connection, thread: Row, turn: int) -> Mapping[str, int]:
    """Return how many messages of the row `thread` the turn with the id `turn`, the
    first that has not ended, reads and does not read, and the last of their ids."""
    at = {"thread": thread["id"], "turn": turn, "after": thread["reads_after"]}
    asked, newest = db.execute(KEPT, at), db.execute(BEFORE, at)
    kept = asked.fetchone()
    behind = kept["turn_id"] if kept else 0
    (before,) = newest.fetchone()
    if before is not None and before > behind:
        counted = db.execute(COUNTS, {**at, "turn": before, "behind": behind})
        last = db.execute(COUNTS, {**at, "behind": before})
        added = counted.fetchone()
        kept = {
            "thread_id": thread["id"],
            "turn_id": before,
            "reads_after": thread["reads_after"],
            **_sum(kept, added),
        }
        db.execute(KEEP, kept)
    else:
        last = db.execute(COUNTS, {**at, "behind": behind})
    return _sum(kept, last.fetchone())


def _sum(kept: Mapping[str, int] | Row | None, added: Row) -> dict[str, int]:
    found = {name: added[name] for name in COUNTED}
    if kept is not None:
        found = {name: kept[name] + count for name, count in found.items()}
    upto = max(added["upto"], kept["upto"] if kept is not None else 0)
    return {**found, "upto": upto}
