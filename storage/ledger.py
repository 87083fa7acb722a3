"""What was spent and is set aside, inside a transaction.

What it promises is said in `bot.ports.ledger.Ledger`.

Rule: a charge and the accounts that it is booked in change together. Money is booked
in the period in which it was set aside, so what is given back is what was taken.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from sqlite3 import Row

from sqlite_utils import Database

from bot.domain.budget import (
    ALERTS,
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    Period,
)
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.turn import Outcome, Turn
from storage.broken import moment, tell
from storage.persons import GRAIN, person_short
from storage.scope_columns import AT, inside, parts, place_of, relocate

BALANCE = """
    SELECT spent, reserved, warned, warned_of FROM accounts
    WHERE platform = :platform AND workspace = :workspace
      AND channel = :channel AND period = :period
"""

# Kinds of charges with which a person asks something. Routing is done for the sake of
# a turn that counts itself, and "auto-triage" is nobody's question.
QUESTIONS = ("answer", "try", "triage")

OF_TURN = "SELECT * FROM charges WHERE turn = :turn AND turn IS NOT NULL"


def reserve(
    db: Database,
    turn: Turn,
    *,
    person: str,
    most: float,
    caps: BudgetLimits,
    now: float,
) -> BudgetExceeded | None:
    place = Scope.of(turn.thread)
    before = _of_turn(db, turn)
    if before is not None:
        if before["ended_at"] is not None:
            return None
        _give_up(db, before, now)
    if short := _short(db, person, most, caps, now):
        return short
    _open(db, Charge(place, person, "answer", ""), most, now, turn=turn.key)
    _hold(db, place, most, now)
    return None


def forfeit(db: Database, turn: Turn, *, now: float) -> None:
    """Book what is set aside for `turn`, of which nobody knows what it cost."""
    row = _of_turn(db, turn)
    if row is not None and row["ended_at"] is None:
        _close(db, row, Usage(), None, now, model=row["model"])


def give_up(db: Database, turn: Turn, *, now: float) -> None:
    """Book an attempt at `turn` that broke off at what was set aside for it: nobody
    knows what it cost, whether another one follows or not."""
    before = _of_turn(db, turn)
    if before is not None and before["ended_at"] is None:
        _give_up(db, before, now)


def raise_reserve(
    db: Database, charge: Turn | int, *, most: float, caps: BudgetLimits, now: float
) -> BudgetExceeded | None:
    row = _of_turn(db, charge) if isinstance(charge, Turn) else _charge(db, charge)
    if row is None or row["ended_at"] is not None or most <= row["reserved"]:
        return None
    more = most - row["reserved"]
    for cap in caps.budgets:
        # What it costs is booked in the period in which it began.
        if short := _budget_short(db, cap, more, row["at"]):
            # What it holds itself is not set aside for somebody else.
            others = max(0.0, short.reserved - row["reserved"])
            return replace(short, reserved=others)
    for each in caps.people:
        limit = replace(each, messages=None)
        short = person_short(db, row["person"], most, limit, now, but=row["id"])
        if short:
            return short
    db.execute("UPDATE charges SET reserved = ? WHERE id = ?", [most, row["id"]])
    _hold(db, place_of(row), more, row["at"])
    return None


def settle(
    db: Database, turn: Turn, *, outcome: Outcome, now: float, caps: BudgetLimits
) -> list[Alert]:
    """Book what the answer to `turn` cost, which has just ended."""
    row = _of_turn(db, turn)
    if row is None:
        if not outcome.model and outcome.usage == Usage():
            # Nobody was asked.
            return []
        charge = Charge(Scope.of(turn.thread), "", "answer", outcome.model)
        _open(db, charge, 0.0, now, turn=turn.key)
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
    # What is spent in all is watched apart (`alerts`): most calls are no answers.
    budgets = (cap for cap in caps.budgets if cap.place != EVERYWHERE)
    return [a for cap in budgets if (a := _alert(db, cap, row["at"]))]


def alerts(db: Database, budgets: Sequence[Budget], *, now: float) -> list[Alert]:
    return [found for cap in budgets if (found := _alert(db, cap, now))]


def open_charge(
    db: Database, charge: Charge, *, caps: BudgetLimits, now: float
) -> int | BudgetExceeded:
    if charge.goes_on:
        amounts = tuple(replace(each, messages=None) for each in caps.people)
        caps = replace(caps, people=amounts)
    short = _short(db, charge.person, charge.most, caps, now, turn=charge.turn)
    if short:
        return short
    opened = _open(db, charge, charge.most, now)
    _hold(db, charge.place, charge.most, now)
    return opened


def close_charge(
    db: Database,
    charge: int,
    *,
    usage: Usage,
    cost: float | None,
    now: float,
    bounded: bool = False,
) -> None:
    row = _charge(db, charge)
    if row is not None and row["ended_at"] is None:
        _close(db, row, usage, cost, now, model=row["model"], bounded=bounded)


def abandon(db: Database, *, now: float) -> None:
    """Close what was open when a process ended; turns are answered still."""
    rows = db.execute("SELECT * FROM charges WHERE ended_at IS NULL AND turn IS NULL")
    for row in rows.fetchall():
        try:
            with db.atomic():
                _close(db, row, Usage(), None, now, model=row["model"])
        except sqlite3.IntegrityError:
            # No account can take such numbers.
            tell("charges", row["id"])
            db.execute("UPDATE charges SET ended_at = ? WHERE id = ?", [now, row["id"]])


def move(db: Database, place: Scope, *, to: Scope) -> None:
    """Let what the thread `place` cost, and may yet cost, have been spent in `to`."""
    rows = db.execute(f"SELECT * FROM charges WHERE {AT}", parts(place))
    for row in rows.fetchall():
        ended = row["ended_at"] is not None
        booked = row["reserved"] if row["cost"] is None else row["cost"]
        spent, held = (booked, 0.0) if ended else (0.0, row["reserved"])
        for account, period in _accounts(place, row["at"]):
            _add(db, account, period, spent=-spent, reserved=-held)
        for account, period in _accounts(to, row["at"]):
            _add(db, account, period, spent=spent, reserved=held)
    relocate(db, "charges", place, to=to)


def balance(db: Database, place: Scope, *, period: Period, now: float) -> Balance:
    row = _account(db, place, period.name_at(now))
    if row is None:
        return Balance()
    return Balance(row["spent"], row["reserved"] if row["reserved"] > GRAIN else 0.0)


def standing(
    db: Database, budgets: Sequence[Budget], *, now: float
) -> list[tuple[Budget, Balance]]:
    return [(c, balance(db, c.place, period=c.period, now=now)) for c in budgets]


def _short(
    db: Database,
    person: str,
    most: float,
    caps: BudgetLimits,
    now: float,
    turn: str = "",
) -> BudgetExceeded | None:
    """The first of `caps` that `most` USD more would not keep to. What the turn with
    the key `turn` holds does not count against a person."""
    for cap in caps.budgets:
        if short := _budget_short(db, cap, most, now):
            return short
    for each in caps.people:
        if short := person_short(db, person, most, each, now, turn):
            return short
    return None


def _budget_short(
    db: Database, cap: Budget, most: float, now: float
) -> BudgetExceeded | None:
    spent, held = _used(db, cap, now)
    if spent + held + most > cap.usd + GRAIN:
        return BudgetExceeded(budget=cap, spent=spent, reserved=max(0.0, held))
    return None


def _used(db: Database, cap: Budget, now: float) -> tuple[float, float]:
    """USD that count on `cap`: spent, and set aside."""
    if not cap.kind:
        row = _account(db, cap.place, cap.period.name_at(now))
        return (row["spent"], row["reserved"]) if row else (0.0, 0.0)
    # One kind of calls has no account of its own; of a day there are few.
    since = {"kind": cap.kind, "since": cap.period.begin(now), **parts(cap.place)}
    found = db.execute(
        f"""
        SELECT total(iif(ended_at IS NULL, 0, coalesce(cost, reserved))),
            total(iif(ended_at IS NULL, reserved, 0))
        FROM charges WHERE kind = :kind AND at >= :since AND {inside(cap.place)}
        """,
        since,
    ).fetchone()
    return found[0], found[1]


def _alert(db: Database, cap: Budget, at: float) -> Alert | None:
    """What is to be told of `cap` now, which nobody is told again."""
    period = cap.period.name_at(moment(at))
    row = _account(db, cap.place, period)
    if row is None or cap.usd <= 0:
        # Where nothing may be spent, no part of it can be used up.
        return None
    told = (row["warned"] or 0.0) if row["warned_of"] == cap.usd else 0.0
    reached = [share for share in ALERTS if row["spent"] >= share * cap.usd - GRAIN]
    if not reached or max(reached) <= told:
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
    db: Database, charge: Charge, most: float, now: float, turn: str | None = None
) -> int:
    added = db.execute(
        """
        INSERT INTO charges
            (turn, kind, platform, workspace, channel, thread, person, model, at,
             reserved, asks)
        VALUES (:turn, :kind, :platform, :workspace, :channel, :thread, :person,
            :model, :now, :most, :asks)
        """,
        {
            **parts(charge.place),
            "turn": turn,
            "kind": charge.kind,
            "person": charge.person,
            "model": charge.model,
            "now": now,
            "most": most,
            "asks": charge.kind in QUESTIONS and not charge.goes_on,
        },
    )
    return added.lastrowid or 0


def _close(
    db: Database,
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
            output = :output, searches = :searches, cost = :cost, bounded = :bounded,
            ended_at = :now
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


def _give_up(db: Database, row: Row, now: float) -> None:
    """Close the charge `row` of an attempt that broke off, at what it held."""
    _close(db, row, Usage(), None, now, model=row["model"])
    db.execute(
        "UPDATE charges SET turn = NULL, kind = 'attempt', asks = 0 WHERE id = ?",
        [row["id"]],
    )


def _book(db: Database, row: Row, *, spent: float) -> None:
    """Give back what `row` holds, and note that `spent` USD were spent."""
    for place, period in _accounts(place_of(row), row["at"]):
        _add(db, place, period, spent=spent, reserved=-row["reserved"])


def _hold(db: Database, place: Scope, most: float, now: float) -> None:
    for account, period in _accounts(place, now):
        _add(db, account, period, spent=0.0, reserved=most)


def _add(
    db: Database, place: Scope, period: str, *, spent: float, reserved: float
) -> None:
    db.execute(
        """
        INSERT INTO accounts (platform, workspace, channel, period, spent, reserved)
        VALUES (:platform, :workspace, :channel, :period, :spent, :reserved)
        ON CONFLICT DO UPDATE
        SET spent = spent + excluded.spent, reserved = reserved + excluded.reserved
        """,
        {**parts(place), "period": period, "spent": spent, "reserved": reserved},
    )


def _accounts(place: Scope, at: float) -> Iterator[tuple[Scope, str]]:
    at = moment(at)
    for level in (ScopeLevel.OPERATOR, ScopeLevel.WORKSPACE, ScopeLevel.CHANNEL):
        for period in Period:
            yield place.at(level), period.name_at(at)


def _account(db: Database, place: Scope, period: str) -> Row | None:
    found: Row | None = db.execute(
        BALANCE, {**parts(place), "period": period}
    ).fetchone()
    return found


def _charge(db: Database, id: int) -> Row | None:
    found: Row | None = db.execute(
        "SELECT * FROM charges WHERE id = ?", [id]
    ).fetchone()
    return found


def _of_turn(db: Database, turn: Turn) -> Row | None:
    found: Row | None = db.execute(OF_TURN, {"turn": turn.key}).fetchone()
    return found
