"""Counts and lists for the operator's reports.

These queries may read whole tables. They run on another connection than the queries for
which turns wait.
"""

from collections import Counter
from dataclasses import asdict

from bot.domain.completion import Usage
from bot.domain.reports import AnswerReport, CallSum, Quality, ThreadReport
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry
from bot.domain.turn import Ended
from bot.domain.vitals import Ages
from storage import locks, settings
from storage.broken import calendar_time
from storage.connection import Connection, Row
from storage.dialect import GREATEST, write_nothing
from storage.scope_columns import AT, inside, parts
from storage.thread_queries import THREAD_ID, TITLE_CHARS, key_of, named, parse_ended

# The quantiles of answer times that reports show.
SHARES = (0.5, 0.9, 0.99)

# Time in which repeated accesses to a thread count as one, in seconds.
ONE_LOOK = 3_600.0

OPEN_TURNS = """
    SELECT platform, state, count(*) AS count, min(asked_at) AS oldest
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered'
    GROUP BY platform, state ORDER BY platform, state
"""

CALL_SUMS = """
    SELECT kind, model, count(*) AS calls, sum(input) AS input,
      sum(cache_write_5m) AS cache_write_5m, sum(cache_write_1h) AS cache_write_1h,
      sum(cache_read) AS cache_read, sum(output) AS output, sum(searches) AS searches,
      sum(fetches) AS fetches, coalesce(sum(cost), 0.0) AS cost
    FROM charges WHERE ended_at >= ? AND ended_at < ?
    GROUP BY kind, model ORDER BY kind, model
"""

# A retried turn has its own row. Its first attempt ended too.
ENDED_TURNS = " FROM turns WHERE ended_at >= :since AND ended IS NOT NULL"
ANSWERS = """
    SELECT turns.*, platform, workspace, channel, thread
    FROM turns CROSS JOIN threads ON threads.id = thread_id
"""
TIMES = (
    "SELECT first_text_at - turns.created_at AS words,"
    " coalesce(delivered_at, ended_at) - turns.created_at AS seconds"
    f"{ENDED_TURNS} AND ended = 'done'"
)
_NEWEST = "ORDER BY ended_at DESC"
_SECONDS = "coalesce(delivered_at, ended_at) - turns.created_at"

THREADS = f"""
    SELECT threads.id, platform, workspace, channel, thread,
      (
        SELECT text FROM messages
        WHERE thread_id = threads.id AND role = 'user' AND deleted_at IS NULL
        ORDER BY at, id LIMIT 1
      ) AS title,
      (SELECT count(*) FROM turns WHERE thread_id = threads.id) AS turns,
      (SELECT coalesce(sum(cost), 0.0) FROM turns WHERE thread_id = threads.id)
        AS cost,
      {GREATEST}(
        (SELECT coalesce(max(at), 0) FROM messages WHERE thread_id = threads.id),
        (SELECT coalesce(max(ended_at), 0) FROM turns WHERE thread_id = threads.id)
      ) AS last
    FROM threads
"""


def open_turns(db: Connection) -> list[Ages]:
    return [
        Ages(
            *(row["platform"], row["state"], row["count"]),
            oldest=calendar_time(row["oldest"]),
        )
        for row in db.execute(OPEN_TURNS)
    ]


def call_sums(db: Connection, since: float, until: float) -> list[CallSum]:
    return [
        CallSum(
            *(row["kind"], row["model"], row["calls"]),
            Usage(**{name: row[name] for name in asdict(Usage())}),
            row["cost"],
        )
        for row in db.execute(CALL_SUMS, [since, until])
    ]


def quality(db: Connection, since: float, most: int) -> Quality:
    at = {"since": since, "most": most}

    def found(condition: str, order: str) -> tuple[AnswerReport, ...]:
        # The ids are selected first. Otherwise, rows with their texts would be sorted.
        chosen = f"SELECT turns.id {ENDED_TURNS} {condition} {order} LIMIT :most"
        rows = db.execute(f"{ANSWERS} WHERE turns.id IN ({chosen}) {order}", at)
        return tuple(map(_answer, rows))

    counts: Counter[Ended] = Counter()
    good = bad = 0
    for row in db.execute(
        "SELECT min(turns.id) AS id, ended, feedback, count(*) AS count"
        f"{ENDED_TURNS} GROUP BY ended, feedback",
        at,
    ):
        how = parse_ended(row)
        assert how is not None
        counts[how] += row["count"]
        good += row["count"] if row["feedback"] == 1 else 0
        bad += row["count"] if row["feedback"] == 0 else 0
    times = db.execute(TIMES, at).fetchall()
    return Quality(
        ended=dict(counts),
        good=good,
        bad=bad,
        first_words=_shares([r["words"] for r in times if r["words"] is not None]),
        seconds=_shares([r["seconds"] for r in times]),
        slowest=found("AND ended = 'done'", f"ORDER BY {_SECONDS} DESC"),
        unfinished=found(
            "AND ended IN ('refused', 'failed', 'interrupted')",
            "ORDER BY ended_at DESC",
        ),
        disliked=found("AND feedback = 0", "ORDER BY ended_at DESC"),
    )


def answers_of(db: Connection, thread: ThreadKey) -> list[AnswerReport]:
    rows = db.execute(
        f"{ANSWERS} WHERE thread_id = ({THREAD_ID}) AND ended_at IS NOT NULL"
        " ORDER BY turns.id",
        named(thread),
    )
    return [_answer(row) for row in rows if row["ended"] is not None]


def all_threads(
    db: Connection, within: Scope, most: int, before: int | None = None
) -> list[ThreadReport]:
    rows = db.execute(
        f"{THREADS} WHERE {inside(within)}"
        f" {'' if before is None else 'AND threads.id < :before'}"
        " ORDER BY threads.id DESC LIMIT :most",
        {**parts(within), "before": before, "most": most},
    )
    return [_thread(row) for row in rows]


def thread_report(db: Connection, thread: ThreadKey) -> ThreadReport | None:
    row = db.execute(
        f"{THREADS} WHERE threads.id = ({THREAD_ID})", named(thread)
    ).fetchone()
    return _thread(row) if row else None


def workspaces(db: Connection) -> list[Scope]:
    rows = db.execute("SELECT DISTINCT platform, workspace FROM threads ORDER BY 1, 2")
    return [Scope(row["platform"], row["workspace"]) for row in rows]


def record_look(db: Connection, entry: AuditEntry) -> None:
    locks.settings(db, [entry.place])
    known = db.execute(
        f"""
        SELECT 1 FROM audit
        WHERE {AT} AND who = :who AND action = :action AND name = :name AND at > :since
        """,
        {
            **parts(entry.place),
            **{"who": entry.who, "action": entry.action, "name": entry.name},
            "since": entry.at - ONE_LOOK,
        },
    ).fetchone()
    if known is None:
        settings.add_entry(db, entry)


def require_writable(db: Connection) -> None:
    write_nothing(db)


def _answer(row: Row) -> AnswerReport:
    first, begin = row["first_text_at"], row["created_at"]
    end = row["delivered_at"] or row["ended_at"]
    how = parse_ended(row)
    assert how is not None
    return AnswerReport(
        turn=row["key"],
        thread=key_of(row),
        name="",
        at=calendar_time(row["ended_at"]),
        ended=how,
        reason=row["reason"] or "",
        model=row["model"] or "",
        first_words=None if first is None else max(0.0, first - begin),
        seconds=max(0.0, end - begin),
        cost=row["cost"],
        good=None if row["feedback"] is None else bool(row["feedback"]),
    )


def _thread(row: Row) -> ThreadReport:
    return ThreadReport(
        id=row["id"],
        thread=key_of(row),
        name="",
        title=" ".join((row["title"] or "").split())[:TITLE_CHARS],
        turns=row["turns"],
        last=calendar_time(row["last"]),
        cost=row["cost"],
        is_private=True,
    )


def _shares(values: list[float]) -> tuple[float, ...]:
    """Return the quantiles of `values` for each of `SHARES`. Empty without values."""
    ordered = sorted(max(0.0, each) for each in values)
    return tuple(
        ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        for share in (SHARES if ordered else ())
    )
