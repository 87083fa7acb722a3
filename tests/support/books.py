"""Checks that the amounts in a database add up and match what the API bills."""

from collections import defaultdict
from collections.abc import Iterator

from bot.domain.completion import Usage
from storage.accounts import accounts_of
from storage.connection import Connection, Row
from storage.scope_columns import parts, scope_of
from tests.emulators.claude import bill
from tests.emulators.claude.emulator import ClaudeEmulator

#: Differences in USD below this are rounding errors.
GRAIN = 1e-7

#: Kinds of charges at the prices of single requests.
SINGLE = ("answer", "ask", "try")

#: The columns that identify an account.
COLUMNS = ("platform", "workspace", "channel", "period")


def faults(db: Connection, claude: ClaudeEmulator) -> Iterator[str]:
    """Yield a sentence for each wrong amount. Call this when no answer is running."""
    charges = db.execute("SELECT * FROM charges ORDER BY id").fetchall()
    for row in charges:
        if row["ended_at"] is None:
            yield f"the charge {row['id']} of {row['turn']} is still open"
        if row["kind"] in SINGLE and abs(_cost(row) - _price(row)) > GRAIN:
            yield f"the charge {row['id']} is {_cost(row)} instead of {_price(row)}"
    yield from _misbooked(db, charges)
    booked = sum(map(_cost, charges))
    billed = sum(map(bill.usd, claude.requests))
    # The cost of an interrupted call is unknown, so its upper bound is booked.
    if booked < billed - GRAIN:
        yield f"{booked} is booked, and {billed} billed"
    if booked > billed + GRAIN and not any(row["bounded"] for row in charges):
        yield f"{booked} is booked, and only {billed} billed"


def _misbooked(db: Connection, charges: list[Row]) -> Iterator[str]:
    """Yield a sentence for each account that is not the sum of its charges."""
    sums = defaultdict[tuple[str, ...], float](float)
    for row in charges:
        for place, period in accounts_of(scope_of(row), row["at"]):
            at = parts(place)
            sums[*(at[column] for column in COLUMNS[:3]), period] += _cost(row)
    for row in db.execute("SELECT * FROM accounts").fetchall():
        key = tuple(row[column] for column in COLUMNS)
        if abs(row["spent"] - sums.pop(key, 0)) > GRAIN:
            yield f"the account {key} has spent {row['spent']}"
        if abs(row["reserved"]) > GRAIN:
            yield f"the account {key} still holds {row['reserved']}"
    for key, cost in sums.items():
        if cost > GRAIN:
            yield f"the account {key} lacks {cost}"


def _cost(row: Row) -> float:
    return float(row["cost"] or 0.0)


def _price(row: Row) -> float:
    """Return the price of the usage in a charge, or its cost if that is a bound."""
    if row["bounded"] or row["model"] not in bill.PRICES:
        return _cost(row)
    kinds = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
    used = Usage(**{kind: row[kind] for kind in (*kinds, "searches", "fetches")})
    return bill.priced(row["model"], used)
