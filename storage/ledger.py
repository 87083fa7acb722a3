"""What was spent and is set aside, inside a transaction.

What it promises is said in `bot.stores.Ledger`.

Rule: a charge and the accounts that it is booked in change together. Money is booked
in the period in which it was set aside, so what is given back is what was taken.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from sqlite3 import Row

from sqlite_utils import Database

from bot.money import (
    ALERTS,
    HOUR,
    Alert,
    Balance,
    Cap,
    Caps,
    Charge,
    Period,
    PersonCap,
    Shortfall,
    Spending,
)
from bot.rules import EVERYWHERE, Level, Place
from bot.values import Outcome, Turn, Usage
from storage.broken import moment, tell
from storage.places import AT, inside, parts, place_of, relocate

# Adding up cents in floating point may be off by less than this.
GRAIN = 1e-9

BALANCE = """
    SELECT spent, reserved, warned, warned_of FROM accounts
    WHERE platform = :platform AND workspace = :workspace
      AND channel = :channel AND period = :period
"""

# Found by person, and no more of them than are asked within an hour.
PERSON = """
    SELECT at, kind IN ('answer', 'try') AS asks, coalesce(cost, reserved) AS usd
    FROM charges
    WHERE person = :person AND at > :since AND turn IS NOT :turn
"""

OF_TURN = "SELECT * FROM charges WHERE turn = :turn AND turn IS NOT NULL"

SPENDING = """
    SELECT date(ended_at, 'unixepoch') AS day,
      platform, workspace, channel, thread, person, model, kind,
      count(*) AS turns, sum(input) AS input, sum(cache_write_5m) AS cache_write_5m,
      sum(cache_write_1h) AS cache_write_1h, sum(cache_read) AS cache_read,
      sum(output) AS output, sum(searches) AS searches,
      total(cost) AS cost, sum(cost IS NULL) AS unpriced
    FROM charges
    WHERE ended_at >= :since
"""


def reserve(
    db: Database, turn: Turn, *, person: str, most: float, caps: Caps, now: float
) -> Shortfall | None:
    place = Place.of(turn.thread)
    before = _of_turn(db, turn)
    if before is not None:
        if before["ended_at"] is not None:
            return None
        # An attempt before this one was made, and nobody knows what it cost.
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


def settle(
    db: Database, turn: Turn, *, outcome: Outcome, now: float, caps: Caps
) -> list[Alert]:
    """Book what the answer to `turn` cost, which has just ended."""
    row = _of_turn(db, turn)
    if row is None:
        if not outcome.model and outcome.usage == Usage():
            # Nobody was asked.
            return []
        charge = Charge(Place.of(turn.thread), "", "answer", outcome.model)
        _open(db, charge, 0.0, now, turn=turn.key)
        row = _of_turn(db, turn)
        assert row is not None
    _close(db, row, outcome.usage, outcome.cost, now, model=outcome.model)
    # What is spent in all is watched apart (`alerts`): most calls are no answers.
    budgets = (cap for cap in caps.budgets if cap.place != EVERYWHERE)
    return [a for cap in budgets if (a := _alert(db, cap, row["at"]))]


def alerts(db: Database, budgets: Sequence[Cap], *, now: float) -> list[Alert]:
    return [found for cap in budgets if (found := _alert(db, cap, now))]


def open_charge(
    db: Database, charge: Charge, *, caps: Caps, now: float
) -> int | Shortfall:
    short = _short(db, charge.person, charge.most, caps, now, turn=charge.turn)
    if short:
        return short
    opened = _open(db, charge, charge.most, now)
    _hold(db, charge.place, charge.most, now)
    return opened


def close_charge(
    db: Database, charge: int, *, usage: Usage, cost: float | None, now: float
) -> None:
    row = db.execute(
        "SELECT * FROM charges WHERE id = ? AND ended_at IS NULL", [charge]
    ).fetchone()
    if row is not None:
        _close(db, row, usage, cost, now, model=row["model"])


def abandon(db: Database, *, now: float) -> None:
    """Close what was open when a process ended; turns are answered still."""
    rows = db.execute("SELECT * FROM charges WHERE ended_at IS NULL AND turn IS NULL")
    for row in rows.fetchall():
        try:
            with db.atomic():
                _close(db, row, Usage(), row["reserved"], now, model=row["model"])
        except sqlite3.IntegrityError:
            # No account can take such numbers.
            tell("charges", row["id"])
            db.execute("UPDATE charges SET ended_at = ? WHERE id = ?", [now, row["id"]])


def move(db: Database, place: Place, *, to: Place) -> None:
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


def balance(db: Database, place: Place, *, period: Period, now: float) -> Balance:
    row = _account(db, place, period.name_at(now))
    if row is None:
        return Balance()
    return Balance(row["spent"], row["reserved"] if row["reserved"] > GRAIN else 0.0)


def standing(
    db: Database, budgets: Sequence[Cap], *, now: float
) -> list[tuple[Cap, Balance]]:
    return [(c, balance(db, c.place, period=c.period, now=now)) for c in budgets]


def spending(
    db: Database, *, since: float, within: Place, person: str
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
            place=place_of(row),
            person=row["person"],
            model=row["model"],
            kind=row["kind"],
            turns=row["turns"],
            usage=Usage(**{name: row[name] for name in asdict(Usage())}),
            cost=row["cost"],
            unpriced=row["unpriced"],
        )
        for row in rows
    ]


def _short(
    db: Database,
    person: str,
    most: float,
    caps: Caps,
    now: float,
    turn: str = "",
) -> Shortfall | None:
    """The first of `caps` that `most` USD more would not keep to. What the turn with
    the key `turn` holds does not count against a person."""
    for cap in caps.budgets:
        spent, held = _used(db, cap, now)
        if spent + held + most > cap.usd + GRAIN:
            return Shortfall(budget=cap, spent=spent, reserved=max(0.0, held))
    for each in caps.people:
        if short := _person_short(db, person, most, each, now, turn):
            return short
    return None


def _used(db: Database, cap: Cap, now: float) -> tuple[float, float]:
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


def _person_short(
    db: Database, person: str, most: float, cap: PersonCap, now: float, turn: str
) -> Shortfall | None:
    asked = {"person": person, "since": now - HOUR, "turn": turn, **parts(cap.place)}
    rows = db.execute(f"{PERSON} AND {inside(cap.place)} ORDER BY at", asked).fetchall()
    spent = sum(row["usd"] for row in rows)
    # The calls that must be more than an hour old first.
    blocking = []
    if cap.messages is not None:
        # None was asked later than now, whatever a row says.
        questions = [min(row["at"], now) for row in rows if row["asks"]]
        blocking += questions[: max(0, len(questions) + 1 - cap.messages)]
    if cap.usd is not None:
        left = cap.usd - spent - most
        for row in rows:
            if left >= -GRAIN:
                break
            left += row["usd"]
            blocking.append(min(row["at"], now))
        if left < -GRAIN:
            # It alone is too dear; within the hour nothing changes that.
            blocking.append(now)
    if not blocking:
        return None
    return Shortfall(person=cap, spent=spent, until=max(blocking) + HOUR)


def _alert(db: Database, cap: Cap, at: float) -> Alert | None:
    """What is to be told of `cap` now, which nobody is told again."""
    period = cap.period.name_at(moment(at))
    row = _account(db, cap.place, period)
    if row is None:
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
             reserved)
        VALUES (:turn, :kind, :platform, :workspace, :channel, :thread, :person,
            :model, :now, :most)
        """,
        {
            **parts(charge.place),
            "turn": turn,
            "kind": charge.kind,
            "person": charge.person,
            "model": charge.model,
            "now": now,
            "most": most,
        },
    )
    return added.lastrowid or 0


def _close(
    db: Database, row: Row, usage: Usage, cost: float | None, now: float, *, model: str
) -> None:
    _book(db, row, spent=row["reserved"] if cost is None else cost)
    db.execute(
        """
        UPDATE charges
        SET model = :model, input = :input, cache_write_5m = :cache_write_5m,
            cache_write_1h = :cache_write_1h, cache_read = :cache_read,
            output = :output, searches = :searches, cost = :cost, ended_at = :now
        WHERE id = :id
        """,
        {**asdict(usage), "model": model, "cost": cost, "now": now, "id": row["id"]},
    )


def _give_up(db: Database, row: Row, now: float) -> None:
    """Close the charge `row` of a turn that is answered anew, at what it held."""
    _close(db, row, Usage(), row["reserved"], now, model=row["model"])
    db.execute(
        "UPDATE charges SET turn = NULL, kind = 'attempt' WHERE id = ?", [row["id"]]
    )


def _book(db: Database, row: Row, *, spent: float) -> None:
    """Give back what `row` holds, and note that `spent` USD were spent."""
    for place, period in _accounts(place_of(row), row["at"]):
        _add(db, place, period, spent=spent, reserved=-row["reserved"])


def _hold(db: Database, place: Place, most: float, now: float) -> None:
    for account, period in _accounts(place, now):
        _add(db, account, period, spent=0.0, reserved=most)


def _add(
    db: Database, place: Place, period: str, *, spent: float, reserved: float
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


def _accounts(place: Place, at: float) -> Iterator[tuple[Place, str]]:
    at = moment(at)
    for level in (Level.OPERATOR, Level.WORKSPACE, Level.CHANNEL):
        for period in Period:
            yield place.at(level), period.name_at(at)


def _account(db: Database, place: Place, period: str) -> Row | None:
    found: Row | None = db.execute(
        BALANCE, {**parts(place), "period": period}
    ).fetchone()
    return found


def _of_turn(db: Database, turn: Turn) -> Row | None:
    found: Row | None = db.execute(OF_TURN, {"turn": turn.key}).fetchone()
    return found
