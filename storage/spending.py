"""Sums of usage and cost, for reports."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from sqlite3 import Row

from sqlite_utils import Database

from bot.domain.budget import PastCall, Spending
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope
from storage.scope_columns import inside, parts, scope_of

_USED = tuple(asdict(Usage()))
_PARTS = ("platform", "workspace", "channel", "thread", "person")

SUMS = """
      count(*) AS turns, sum(input) AS input, sum(cache_write_5m) AS cache_write_5m,
      sum(cache_write_1h) AS cache_write_1h, sum(cache_read) AS cache_read,
      sum(output) AS output, sum(searches) AS searches, sum(fetches) AS fetches,
      total(cost) AS cost, sum(cost IS NULL) AS unpriced, sum(bounded) AS bounded
"""
SPENDING = f"""
    SELECT date(ended_at, 'unixepoch') AS day,
      platform, workspace, channel, thread, person, model, kind, {SUMS}
    FROM charges
    WHERE ended_at >= :since
"""


def spending(
    db: Database, since: float, within: Scope = EVERYWHERE, person: str = ""
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
    db: Database, since: float, within: Scope, parts_of: Collection[str]
) -> list[Spending]:
    columns = [name if name in parts_of else f"'' AS {name}" for name in _PARTS]
    group = ["day", "model", "kind", *(name for name in _PARTS if name in parts_of)]
    rows = db.execute(
        f"""
        SELECT date(ended_at, 'unixepoch') AS day, model, kind, {", ".join(columns)},
          {SUMS}
        FROM charges WHERE ended_at >= :since AND {inside(within)}
        GROUP BY {", ".join(group)} ORDER BY day
        """,
        {**parts(within), "since": since},
    )
    return [_spending(row) for row in rows]


def past_calls(
    db: Database, kinds: Sequence[str], since: float, within: Scope, most: int
) -> list[PastCall]:
    rows = db.execute(
        f"SELECT * FROM charges WHERE ended_at >= :since AND {inside(within)}"
        " AND kind IN (SELECT value FROM json_each(:kinds))"
        " AND cost IS NOT NULL AND NOT bounded AND model <> ''"
        " ORDER BY ended_at DESC, id DESC LIMIT :most",
        {
            **parts(within),
            "since": since,
            "kinds": json.dumps(list(kinds)),
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
