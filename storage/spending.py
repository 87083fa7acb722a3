"""Sums of usage and cost, for reports."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from bot.domain.budget import PastCall, Spending
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope
from storage.connection import Connection, Row
from storage.dialect import DAY_ENDED, among
from storage.scope_columns import inside, parts, scope_of

_USED = tuple(asdict(Usage()))
_PARTS = ("platform", "workspace", "channel", "thread", "person")

SUMS = """
      count(*) AS turns, sum(input) AS input, sum(cache_write_5m) AS cache_write_5m,
      sum(cache_write_1h) AS cache_write_1h, sum(cache_read) AS cache_read,
      sum(output) AS output, sum(searches) AS searches, sum(fetches) AS fetches,
      coalesce(sum(cost), 0.0) AS cost,
      count(*) FILTER (WHERE cost IS NULL) AS unpriced, sum(bounded) AS bounded
"""
SPENDING = f"""
    SELECT {DAY_ENDED} AS day,
      platform, workspace, channel, thread, person, model, kind, {SUMS}
    FROM charges
    WHERE ended_at >= :since
"""


def spending(
    db: Connection, since: float, within: Scope = EVERYWHERE, person: str = ""
) -> list[Spending]:
    rows = db.execute(
        f"{SPENDING} AND {inside(within)}"
        f" {'AND person = :person' if person else ''}"
        " GROUP BY day, platform, workspace, channel, thread, person, model, kind"
        " ORDER BY day, min(id)",
        {**parts(within), "since": since, "person": person},
    )
    return [_spending(row) for row in rows]


def usage(
    db: Connection, since: float, within: Scope, parts_of: Collection[str]
) -> list[Spending]:
    columns = [name if name in parts_of else f"'' AS {name}" for name in _PARTS]
    group = ["day", "model", "kind", *(name for name in _PARTS if name in parts_of)]
    rows = db.execute(
        f"""
        SELECT {DAY_ENDED} AS day, model, kind, {", ".join(columns)},
          {SUMS}
        FROM charges WHERE ended_at >= :since AND {inside(within)}
        GROUP BY {", ".join(group)} ORDER BY day
        """,
        {**parts(within), "since": since},
    )
    return [_spending(row) for row in rows]


def past_calls(
    db: Connection, kinds: Sequence[str], since: float, within: Scope, most: int
) -> list[PastCall]:
    of_kinds, values = among("kind", kinds)
    rows = db.execute(
        f"SELECT * FROM charges WHERE ended_at >= :since AND {inside(within)}"
        f" AND {of_kinds} AND cost IS NOT NULL AND bounded = 0 AND model <> ''"
        " ORDER BY ended_at DESC, id DESC LIMIT :most",
        {
            **parts(within),
            "since": since,
            **values,
            "most": most,
        },
    )
    return [PastCall(row["model"], _usage(row), row["cost"]) for row in rows]


def _spending(row: Row) -> Spending:
    return Spending(
        day=row["day"],
        place=scope_of(row),
        person=row["person"],
        model=row["model"],
        kind=row["kind"],
        turns=row["turns"],
        usage=_usage(row),
        cost=row["cost"],
        unpriced=row["unpriced"],
        bounded=row["bounded"],
    )


def _usage(row: Row) -> Usage:
    return Usage(**{name: row[name] for name in _USED})
