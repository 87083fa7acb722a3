"""Earlier requests of a thread, as far as the prompt cache depends on them, inside a
transaction."""

from bot.domain.completion import Usage
from bot.domain.receipt import PastRequest
from bot.domain.scope import ScopeLevel
from bot.domain.setting import AppliedSetting
from storage import mcp_tables
from storage.broken import calendar_time, log_broken, parse
from storage.connection import Connection, Row

#: Value of `missing` for an unknown number. NULL is for a turn that did not end
#: properly.
UNKNOWN = -1

# The last earlier turn that was answered and read from the same message on.
BEFORE = """
    SELECT turns.*, receipts.*, charges.at AS reserved_at, charges.searches,
        charges.fetches, versions.id AS version
    FROM turns CROSS JOIN receipts ON receipts.turn_id = turns.id
      LEFT JOIN charges ON charges.turn = turns.key AND charges.turn IS NOT NULL
      LEFT JOIN versions ON versions.id = turns.prompt
    WHERE turns.thread_id = :thread AND turns.id < :turn
      AND reads_after = :after AND turns.model <> ''
    ORDER BY turns.id DESC LIMIT 1
"""
# The summary in the request of a turn.
SUMMARISED = """
    SELECT messages, CASE WHEN block IS NULL THEN '' ELSE model END AS compacted_by
    FROM summaries
    WHERE thread_id = :thread AND used_by <= :turn ORDER BY until DESC LIMIT 1
"""


def before(db: Connection, row: Row) -> PastRequest | None:
    """Return the request before that of the turn in `row`, which includes the turn's
    receipt."""
    at = {"thread": row["thread_id"], "turn": row["id"], "after": row["reads_after"]}
    found = db.execute(BEFORE, at).fetchone()
    if found is None:
        return None
    sent = found["reserved_at"] or found["started_at"] or found["created_at"]
    return PastRequest(
        at=calendar_time(sent),
        model=found["model"],
        prompt=found["version"],
        usage=usage_of(found),
        applied=applied_settings(found),
        deleted=found["deleted"],
        missing=missing(found),
        summarised=count_summarised(db, found),
        tools=found["tools"],
        asked=len(mcp_tables.asked(found)),
    )


def count_summarised(db: Connection, row: Row) -> int:
    """Return the number of messages that the turn in `row` read as a summary."""
    summary = _summary(db, row)
    return int(summary["messages"]) if summary else 0


def compacted_by(db: Connection, row: Row) -> str:
    """Return the model for which the API made the summary that the turn in `row` read.

    "" if the turn read no summary, or one that the bot made.
    """
    summary = _summary(db, row)
    return str(summary["compacted_by"]) if summary else ""


def _summary(db: Connection, row: Row) -> Row | None:
    used = {"thread": row["thread_id"], "turn": row["id"]}
    found: Row | None = db.execute(SUMMARISED, used).fetchone()
    return found


def missing(row: Row) -> int | None:
    """Return the approximate number of messages that the turn in `row` lacked, or
    None."""
    return None if row["missing"] == UNKNOWN else row["missing"] or 0


def usage_of(row: Row) -> Usage:
    """Return the usage of the turn in `row`, including the numbers of its charge."""
    return Usage(
        *(row["input"], row["cache_write_5m"], row["cache_write_1h"]),
        *(row["cache_read"], row["output"]),
        *(row["searches"] or 0, row["fetches"] or 0),
    )


def applied_settings(row: Row) -> tuple[AppliedSetting, ...]:
    """Return the settings that applied to the answer of the turn in `row`."""
    found = []
    for each in parse(row["applied"] or "[]", list) or ():
        try:
            name, value, level, who, kept = each
            scope = ScopeLevel(level)
        except (TypeError, ValueError):
            log_broken("receipts", row["id"])
            continue
        found.append(AppliedSetting(str(name), str(value), scope, str(who), bool(kept)))
    return tuple(found)
