"""What was spent and is set aside, inside a transaction.

What it promises is said in `bot.stores.Ledger`.

Rule: a charge and the accounts that it is booked in change together. Money is booked
in the period in which it was set aside, so what is given back is what was taken.
"""

from collections.abc import Iterator
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
from bot.rules import Level, Place
from bot.values import Outcome, Turn, Usage
from storage.rulebook import inside, parts, place_of

# Adding up cents in floating point may be off by less than this.
GRAIN = 1e-9

BALANCE = """
    SELECT spent, reserved, warned, warned_of FROM accounts
    WHERE platform = :platform AND workspace = :workspace
      AND channel = :channel AND period = :period
"""

# Found by person, and no more of them than are asked within an hour.
PERSON = """
    SELECT count(*) FILTER (WHERE kind <> 'routing') AS questions,
      min(at) AS oldest, total(coalesce(cost, reserved)) AS usd
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
        _book(db, before, spent=before["reserved"])
        db.execute("UPDATE charges SET reserved = 0 WHERE id = ?", [before["id"]])
    if short := _short(db, person, most, caps, now, turn=turn.key):
        return short
    if before is None:
        _open(db, Charge(place, person, "answer", ""), most, now, turn=turn.key)
    else:
        db.execute(
            "UPDATE charges SET reserved = ?, at = ?, person = ? WHERE id = ?",
            [most, now, person, before["id"]],
        )
    _hold(db, place, most, now)
    return None


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
    return [a for cap in caps.budgets if (a := _alert(db, cap, row["at"]))]


def open_charge(
    db: Database, charge: Charge, *, caps: Caps, now: float
) -> int | Shortfall:
    if short := _short(db, charge.person, charge.most, caps, now):
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


def balance(db: Database, place: Place, *, period: Period, now: float) -> Balance:
    row = _account(db, place, period.name_at(now))
    if row is None:
        return Balance()
    return Balance(row["spent"], row["reserved"] if row["reserved"] > GRAIN else 0.0)


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
    turn: str | None = None,
) -> Shortfall | None:
    """The first of `caps` that `most` USD more would not keep to."""
    for cap in caps.budgets:
        row = _account(db, cap.place, cap.period.name_at(now))
        spent, held = (row["spent"], row["reserved"]) if row else (0.0, 0.0)
        if spent + held + most > cap.usd + GRAIN:
            return Shortfall(budget=cap, spent=spent, reserved=max(0.0, held))
    for each in caps.people:
        if short := _person_short(db, person, most, each, now, turn):
            return short
    return None


def _person_short(
    db: Database, person: str, most: float, cap: PersonCap, now: float, turn: str | None
) -> Shortfall | None:
    asked = {"person": person, "since": now - HOUR, "turn": turn, **parts(cap.place)}
    row = db.execute(f"{PERSON} AND {inside(cap.place)}", asked).fetchone()
    many = cap.messages is not None and row["questions"] >= cap.messages
    dear = cap.usd is not None and row["usd"] + most > cap.usd + GRAIN
    if not (many or dear):
        return None
    until = (row["oldest"] if row["oldest"] is not None else now) + HOUR
    return Shortfall(person=cap, spent=row["usd"], until=until)


def _alert(db: Database, cap: Cap, at: float) -> Alert | None:
    """What is to be told of `cap` now, which nobody is told again."""
    period = cap.period.name_at(at)
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
    for level in (Level.WORKSPACE, Level.CHANNEL):
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
