"""What one person used within an hour, and whether a limit lets them use more.

Used by `storage.ledger`, inside its transactions.
"""

from sqlite_utils import Database

from bot.domain.budget import HOUR, BudgetExceeded, PersonLimit
from storage.scope_columns import inside, parts

# Adding up cents in floating point may be off by less than this.
GRAIN = 1e-9

# Found by person, and no more of them than are asked within an hour.
PERSON = """
    SELECT at, asks, coalesce(cost, reserved) AS usd
    FROM charges
    WHERE person = :person AND at > :since AND turn IS NOT :turn AND id <> :but
"""


def person_short(
    db: Database,
    person: str,
    most: float,
    cap: PersonLimit,
    now: float,
    turn: str = "",
    but: int = 0,
) -> BudgetExceeded | None:
    """Why `cap` does not let `most` USD more through; the charge with the id `but` and
    that of `turn` do not count."""
    asked = {
        "person": person,
        "since": now - HOUR,
        "turn": turn,
        "but": but,
        **parts(cap.place),
    }
    rows = db.execute(f"{PERSON} AND {inside(cap.place)} ORDER BY at", asked).fetchall()
    spent = sum(row["usd"] for row in rows)
    # The calls that must be more than an hour old first.
    blocking = []
    if cap.messages is not None:
        # None was asked later than now, whatever a row says.
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
            # It alone is too dear; within the hour nothing changes that.
            blocking.append(now)
    if not blocking:
        return None
    return BudgetExceeded(person=cap, spent=spent, until=max(blocking) + HOUR)
