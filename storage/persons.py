"""Hourly limits of a person, inside the transactions of `storage.ledger`."""

from bot.domain.budget import HOUR, BudgetExceeded, PersonLimit
from storage.connection import Connection
from storage.dialect import DIFFERENT
from storage.scope_columns import inside, parts

# The largest floating-point error of a sum of amounts, in USD.
GRAIN = 1e-9

# Uses the index by person; reads the charges of one hour.
PERSON = f"""
    SELECT at, asks, coalesce(cost, reserved) AS usd
    FROM charges
    WHERE person = :person AND at > :since AND turn {DIFFERENT} :turn AND id <> :but
"""


def person_exceeded(
    db: Connection,
    person: str,
    most: float,
    cap: PersonLimit,
    now: float,
    turn: str = "",
    but: int = 0,
) -> BudgetExceeded | None:
    """Return how another `most` USD would exceed `cap`, or None if it would not.

    The charge with the id `but` and the charge of the turn with the key `turn` do not
    count.
    """
    values = {
        "person": person,
        "since": now - HOUR,
        "turn": turn,
        "but": but,
        **parts(cap.place),
    }
    rows = db.execute(
        f"{PERSON} AND {inside(cap.place)} ORDER BY at", values
    ).fetchall()
    spent = sum(row["usd"] for row in rows)
    # Calls that must leave the one-hour window first.
    blocking = []
    if cap.messages is not None:
        # A time in the future counts as now.
        questions = [min(row["at"], now) for row in rows if row["asks"]]
        blocking += questions[: max(0, len(questions) + 1 - cap.messages)]
        if cap.messages == 0:
            blocking.append(now)
    if cap.usd is not None:
        left = cap.usd - spent - most
        for row in rows:
            if left >= -GRAIN:
                break
            left += row["usd"]
            blocking.append(min(row["at"], now))
        if left < -GRAIN:
            # `most` alone exceeds the limit, for the whole hour.
            blocking.append(now)
    if not blocking:
        return None
    return BudgetExceeded(person=cap, spent=spent, until=max(blocking) + HOUR)
