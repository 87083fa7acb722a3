"""Sums of usage and cost, for reports."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from sqlite3 import Row

from sqlite_utils import Database

from bot.domain.budget import PastCall, Spending
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope
from storage.scope_columns import inside, parts, scope_of

SPENDING = """
    SELECT date(ended_at, 'unixepoch') AS day,
      platform, workspace, channel, thread, person, model, kind,
      count(*) AS turns, sum(input) AS input, sum(cache_write_5m) AS cache_write_5m,
      sum(cache_write_1h) AS cache_write_1h, sum(cache_read) AS cache_read,
      sum(output) AS output, sum(searches) AS searches, sum(fetches) AS fetches,
      total(cost) AS cost, sum(cost IS NULL) AS unpriced, sum(bounded) AS bounded
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
    return [
        Spending(
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
        for row in rows
    ]


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


def _usage(row: Row) -> Usage:
    return Usage(**{name: row[name] for name in asdict(Usage())})
