"""Counts of messages that turns of a thread read, inside a transaction; and the
migration for that.

Rule: each turn counts only what is new. The sums of the ended turns before it are kept,
until one of their messages is changed in a way that counts; the next turn then counts
them again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from storage.connection import Connection, Cursor, Row

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
# Asked of the messages, which have an index for it.
BEFORE = f"""
    SELECT max(turn_id) FROM messages WHERE thread_id = {_THREAD} AND turn_id < :turn
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Results that are needed before messages of a turn are placed in it."""

    #: The sums that are kept, and the last turn before with messages.
    kept: Cursor
    before: Cursor


def ask(db: Connection, turn: int) -> Asked:
    """Ask for what `ask_counts` reads, of the thread of the turn with the id `turn`."""
    at = {"turn": turn}
    return Asked(db.execute(KEPT, at), db.execute(BEFORE, at))


def ask_counts(
    db: Connection, thread: Row, turn: int, asked: Asked
) -> Callable[[], Mapping[str, int]]:
    """Ask how many messages of the row `thread` the turn with the id `turn`, the first
    that has not ended, reads and does not read, and for the last of their ids. What is
    returned reads that."""
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
