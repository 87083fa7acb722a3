"""Reserves and charges, inside a transaction. Amounts are in USD.

Rule: a charge and the accounts in which it is booked change together. Money is booked
in the period in which it was reserved, so each release matches its reserve.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from bot.domain.budget import (
    ALERTS,
    Alert,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
)
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.turn import Outcome, Turn
from bot.errors import StorageRejected
from storage import accounts, locks
from storage.broken import calendar_time, log_broken
from storage.connection import Connection, Cursor, Row
from storage.dialect import insert
from storage.leases import NOBODYS
from storage.persons import GRAIN, person_exceeded
from storage.scope_columns import AT, inside, parts, relocate, scope_of

# Kinds of charges that count as a question of a person. "routing" does not: its turn
# counts itself. Nor does "auto-triage": nobody asked for it.
QUESTIONS = ("answer", "ask", "try", "triage")

# Open charges of an ended process, and of an ended turn, which a failover to a replica
# may leave open.
INTERRUPTED = f"""
    SELECT * FROM charges WHERE ended_at IS NULL AND (
        (turn IS NULL AND {NOBODYS})
        OR (turn IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM turns WHERE key = turn AND state <> 'delivered'
        ))
    )
"""
OF_ID = "SELECT * FROM charges WHERE id = ?"
OF_TURN = "SELECT * FROM charges WHERE turn = :turn AND turn IS NOT NULL"


INSERT = """
    INSERT INTO charges
        (turn, kind, platform, workspace, channel, thread, person, model, at, reserved,
         asks, owner)
    VALUES (:turn, :kind, :platform, :workspace, :channel, :thread, :person, :model,
        :now, :most, :asks, :owner)
"""


def reserve(
    db: Connection,
    turn: Turn,
    person: str,
    most: float,
    caps: BudgetLimits,
    now: float,
) -> BudgetExceeded | None:
    scope = Scope.of(turn.thread)
    locks.money(db, scope, caps)
    before = _of_turn(db, turn)
    if before is not None:
        if before["ended_at"] is not None:
            return None
        _book_attempt(db, before, now)
    if exceeded := _first_exceeded(db, person, most, caps, now):
        return exceeded
    charge = Charge(scope, person, "answer", "")
    db.execute(INSERT, _open(charge, most, now, turn=turn.key))
    accounts.add(db, scope, now, spent=0.0, reserved=most)
    return None


def book_reserve(db: Connection, turn: Turn, *, now: float) -> None:
    """Close the open charge of `turn` at its reserve, because the cost is unknown."""
    row = _of_turn(db, turn)
    if row is not None and row["ended_at"] is None:
        locks.money(db, scope_of(row))
        _close(db, row, Usage(), None, now, model=row["model"])


def ask_of_turn(db: Connection, turn: Turn) -> Cursor:
    """Send the query for the charge of `turn`."""
    return db.execute(OF_TURN, {"turn": turn.key})


def book_open_attempt(db: Connection, before: Row | None, *, now: float) -> None:
    """Book an interrupted attempt at a turn as a separate charge, at its reserve.

    `before` is the charge of the turn. The cost of the attempt is unknown, whether
    another attempt follows or not.
    """
    if before is not None and before["ended_at"] is None:
        locks.money(db, scope_of(before))
        _book_attempt(db, before, now)


def raise_reserve(
    db: Connection, charge: Turn | int, most: float, caps: BudgetLimits, now: float
) -> BudgetExceeded | None:
    row = _of_turn(db, charge) if isinstance(charge, Turn) else _charge(db, charge)
    if row is not None:
        locks.money(db, scope_of(row), caps)
        # Read again under the lock.
        row = _charge(db, row["id"])
    if row is None or row["ended_at"] is not None or most <= row["reserved"]:
        return None
    more = most - row["reserved"]
    for cap in caps.budgets:
        # The cost is booked in the period in which the charge began.
        if exceeded := _budget_exceeded(db, cap, more, row["at"]):
            # Report only the reserves of others.
            others = max(0.0, exceeded.reserved - row["reserved"])
            return replace(exceeded, reserved=others)
    for each in caps.people:
        limit = replace(each, messages=None)
        exceeded = person_exceeded(db, row["person"], most, limit, now, but=row["id"])
        if exceeded:
            return exceeded
    db.execute("UPDATE charges SET reserved = ? WHERE id = ?", [most, row["id"]])
    accounts.add(db, scope_of(row), row["at"], spent=0.0, reserved=more)
    return None


def book_turn(
    db: Connection, turn: Turn, *, outcome: Outcome, now: float, caps: BudgetLimits
) -> list[Alert]:
    """Book the cost of `turn`, which has just ended. Returns the alerts due, marked as
    sent."""
    locks.money(db, Scope.of(turn.thread), caps)
    row = _of_turn(db, turn)
    if row is None:
        if not outcome.model and outcome.usage == Usage():
            # No model was called.
            return []
        charge = Charge(Scope.of(turn.thread), "", "answer", outcome.model)
        db.execute(INSERT, _open(charge, 0.0, now, turn=turn.key))
        row = _of_turn(db, turn)
        assert row is not None
    _close(
        db,
        row,
        outcome.usage,
        outcome.cost,
        now,
        model=outcome.model,
        bounded=outcome.bounded,
    )
    # `alerts` handles the operator's budgets: most calls are not answers.
    budgets = (cap for cap in caps.budgets if cap.place != EVERYWHERE)
    return [found for cap in budgets if (found := _alert(db, cap, row["at"]))]


def alerts(db: Connection, budgets: Sequence[Budget], now: float) -> list[Alert]:
    for place in sorted({cap.place.at(ScopeLevel.WORKSPACE) for cap in budgets}):
        locks.money(db, place)
    return [found for cap in budgets if (found := _alert(db, cap, now))]


def open_charge(
    db: Connection, charge: Charge, caps: BudgetLimits, now: float, owner: str = ""
) -> int | BudgetExceeded:
    if charge.goes_on:
        amounts = tuple(replace(each, messages=None) for each in caps.people)
        caps = replace(caps, people=amounts)
    locks.money(db, charge.place, caps)
    exceeded = _first_exceeded(
        db, charge.person, charge.most, caps, now, turn=charge.turn
    )
    if exceeded:
        return exceeded
    opened = insert(db, INSERT, _open(charge, charge.most, now, owner=owner))
    accounts.add(db, charge.place, now, spent=0.0, reserved=charge.most)
    return opened


def close_charge(
    db: Connection,
    charge: int,
    usage: Usage,
    cost: float | None,
    now: float,
    *,
    bounded: bool = False,
) -> None:
    row = _charge(db, charge)
    if row is not None:
        locks.money(db, scope_of(row))
        row = _charge(db, charge)
    if row is not None and row["ended_at"] is None:
        _close(db, row, usage, cost, now, model=row["model"], bounded=bounded)


def book_interrupted(db: Connection, *, now: float) -> None:
    """Close the charges that were open when their process ended, at their reserve.

    Charges of open turns stay open, because the turns resume.
    """
    rows = db.execute(INTERRUPTED).fetchall()
    for place in sorted({scope_of(row).at(ScopeLevel.WORKSPACE) for row in rows}):
        locks.money(db, place)
    # Another process may have closed some in the meantime.
    for row in db.execute(INTERRUPTED).fetchall():
        try:
            with db.atomic():
                _close(db, row, Usage(), None, now, model=row["model"])
        except (sqlite3.IntegrityError, StorageRejected):
            # An account cannot store such numbers.
            log_broken("charges", row["id"])
            db.execute("UPDATE charges SET ended_at = ? WHERE id = ?", [now, row["id"]])


def move(db: Connection, thread: Scope, *, to: Scope) -> None:
    """Move the charges of `thread`, including open ones, to the accounts of `to`."""
    for place in sorted({each.at(ScopeLevel.WORKSPACE) for each in (thread, to)}):
        locks.money(db, place)
    rows = db.execute(f"SELECT * FROM charges WHERE {AT}", parts(thread))
    for row in rows.fetchall():
        ended = row["ended_at"] is not None
        booked = row["reserved"] if row["cost"] is None else row["cost"]
        spent, held = (booked, 0.0) if ended else (0.0, row["reserved"])
        accounts.add(db, thread, row["at"], spent=-spent, reserved=-held)
        accounts.add(db, to, row["at"], spent=spent, reserved=held)
    relocate(db, "charges", thread, to=to)


def _first_exceeded(
    db: Connection,
    person: str,
    most: float,
    caps: BudgetLimits,
    now: float,
    turn: str = "",
) -> BudgetExceeded | None:
    """Return the first of `caps` that another `most` would exceed.

    The charge of the turn with the key `turn` does not count against a person.
    """
    for cap in caps.budgets:
        if exceeded := _budget_exceeded(db, cap, most, now):
            return exceeded
    for each in caps.people:
        if exceeded := person_exceeded(db, person, most, each, now, turn):
            return exceeded
    return None


def _budget_exceeded(
    db: Connection, cap: Budget, most: float, now: float
) -> BudgetExceeded | None:
    spent, held = _amounts(db, cap, now)
    if spent + held + most > cap.usd + GRAIN:
        return BudgetExceeded(budget=cap, spent=spent, reserved=max(0.0, held))
    return None


def _amounts(db: Connection, cap: Budget, now: float) -> tuple[float, float]:
    """Return the amounts that count against `cap`, as (spent, reserved)."""
    if not cap.kind:
        row = accounts.account(db, cap.place, cap.period.name_at(now))
        return (row["spent"], row["reserved"]) if row else (0.0, 0.0)
    # A single kind of call has no account. A period contains few such calls.
    since = {"kind": cap.kind, "since": cap.period.begin(now), **parts(cap.place)}
    found = db.execute(
        f"""
        SELECT coalesce(sum(coalesce(cost, reserved))
                FILTER (WHERE ended_at IS NOT NULL), 0.0),
            coalesce(sum(reserved) FILTER (WHERE ended_at IS NULL), 0.0)
        FROM charges WHERE kind = :kind AND at >= :since AND {inside(cap.place)}
        """,
        since,
    ).fetchone()
    return found[0], found[1]


def _alert(db: Connection, cap: Budget, at: float) -> Alert | None:
    """Return the alert due for `cap`, and mark it as sent."""
    period = cap.period.name_at(calendar_time(at))
    row = accounts.account(db, cap.place, period)
    if row is None or cap.usd <= 0:
        # No share of a budget of 0 can be used up.
        return None
    sent = (row["warned"] or 0.0) if row["warned_of"] == cap.usd else 0.0
    reached = [share for share in ALERTS if row["spent"] >= share * cap.usd - GRAIN]
    if not reached or max(reached) <= sent:
        return None
    db.execute(
        """
        UPDATE accounts SET warned = :share, warned_of = :usd
        WHERE platform = :platform AND workspace = :workspace
          AND channel = :channel AND period = :period
        """,
        {
            **parts(cap.place),
            "period": period,
            "share": max(reached),
            "usd": cap.usd,
        },
    )
    return Alert(cap, max(reached), row["spent"])


def _open(
    charge: Charge, most: float, now: float, *, turn: str | None = None, owner: str = ""
) -> dict[str, Any]:
    """Return the parameters of INSERT for an open charge of a turn or an owner."""
    return {
        **parts(charge.place),
        "turn": turn,
        "kind": charge.kind,
        "person": charge.person,
        "model": charge.model,
        "now": now,
        "most": most,
        "asks": charge.kind in QUESTIONS and not charge.goes_on,
        "owner": owner,
    }


def _close(
    db: Connection,
    row: Row,
    usage: Usage,
    cost: float | None,
    now: float,
    *,
    model: str,
    bounded: bool = False,
) -> None:
    _book(db, row, spent=row["reserved"] if cost is None else cost)
    if cost is None and row["reserved"] > 0:
        cost, bounded = row["reserved"], True
    bounded = bounded and cost is not None and cost > 0
    db.execute(
        """
        UPDATE charges
        SET model = :model, input = :input, cache_write_5m = :cache_write_5m,
            cache_write_1h = :cache_write_1h, cache_read = :cache_read,
            output = :output, searches = :searches, fetches = :fetches, cost = :cost,
            bounded = :bounded, ended_at = :now
        WHERE id = :id
        """,
        {
            **asdict(usage),
            "model": model,
            "cost": cost,
            "bounded": bounded,
            "now": now,
            "id": row["id"],
        },
    )


def _book_attempt(db: Connection, row: Row, now: float) -> None:
    """Close the charge `row` of an interrupted attempt at its reserve."""
    _close(db, row, Usage(), None, now, model=row["model"])
    db.execute(
        "UPDATE charges SET turn = NULL, kind = 'attempt', asks = 0 WHERE id = ?",
        [row["id"]],
    )


def _book(db: Connection, row: Row, *, spent: float) -> None:
    """Release the reserve of the charge `row` and book `spent`."""
    accounts.add(db, scope_of(row), row["at"], spent=spent, reserved=-row["reserved"])


def _charge(db: Connection, id: int) -> Row | None:
    found: Row | None = db.execute(OF_ID, [id]).fetchone()
    return found


def _of_turn(db: Connection, turn: Turn) -> Row | None:
    found: Row | None = db.execute(OF_TURN, {"turn": turn.key}).fetchone()
    return found
