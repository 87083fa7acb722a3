"""Accounts of spent and reserved amounts, by scope and period, inside a transaction.

Rule: accounts change together with the charges of `storage.ledger`.
"""

from collections.abc import Iterator, Sequence

from bot.domain.budget import Balance, Budget, Period
from bot.domain.scope import Scope, ScopeLevel
from storage.broken import calendar_time
from storage.connection import Connection, Row
from storage.persons import GRAIN
from storage.scope_columns import parts

BALANCE = """
    SELECT spent, reserved, warned, warned_of FROM accounts
    WHERE platform = :platform AND workspace = :workspace
      AND channel = :channel AND period = :period
"""

# The rows are locked in the order of VALUES.
ADD = """
    INSERT INTO accounts (platform, workspace, channel, period, spent, reserved)
    VALUES {} ON CONFLICT (platform, workspace, channel, period) DO UPDATE
    SET spent = accounts.spent + excluded.spent,
        reserved = accounts.reserved + excluded.reserved
"""
ACCOUNT = """(:platform{0}, :workspace{0}, :channel{0}, :period{0},
    CAST(:spent AS double precision), CAST(:reserved AS double precision))"""


def balance(db: Connection, scope: Scope, period: Period, now: float) -> Balance:
    if (row := account(db, scope, period.name_at(now))) is None:
        return Balance()
    return Balance(row["spent"], row["reserved"] if row["reserved"] > GRAIN else 0.0)


def balances(
    db: Connection, budgets: Sequence[Budget], now: float
) -> list[tuple[Budget, Balance]]:
    """Return each of `budgets` with its balance in the period that contains `now`."""
    return [(cap, balance(db, cap.place, cap.period, now)) for cap in budgets]


def add(
    db: Connection, scope: Scope, at: float, *, spent: float, reserved: float
) -> None:
    """Add to the spent and reserved amounts of the accounts of a charge at time `at` in
    `scope`."""
    values: dict[str, object] = {"spent": spent, "reserved": reserved}
    found = list(accounts_of(scope, at))
    for n, (place, period) in enumerate(found):
        values |= {f"{name}{n}": value for name, value in parts(place).items()}
        values[f"period{n}"] = period
    rows = ", ".join(ACCOUNT.format(n) for n in range(len(found)))
    db.execute(ADD.format(rows), values)


def accounts_of(scope: Scope, at: float) -> Iterator[tuple[Scope, str]]:
    """Yield the accounts in which a charge in `scope` is booked, as (scope, period)."""
    at = calendar_time(at)
    # The account of all workspaces comes last, because other transactions wait for its
    # row lock until the commit.
    levels = (ScopeLevel.CHANNEL, ScopeLevel.WORKSPACE, ScopeLevel.OPERATOR)
    # Costs of the operator belong to no workspace.
    for place in dict.fromkeys(scope.at(level) for level in levels):
        for period in Period:
            yield place, period.name_at(at)


def account(db: Connection, scope: Scope, period: str) -> Row | None:
    """Return the row of an account."""
    at = {**parts(scope), "period": period}
    found: Row | None = db.execute(BALANCE, at).fetchone()
    return found
