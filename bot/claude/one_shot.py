"""Asks a model something that is no answer in a thread, and waits for all of it.

Rule: whatever becomes of it, what it cost is told honestly: nothing only where nothing
was begun, and the most that it can be where it broke off (`bot.claude.cost`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.claude import cost as claude_cost
from bot.domain.budget import BudgetExceeded, BudgetLimits, Charge
from bot.domain.completion import Call, Report, Request, Usage
from bot.domain.turn import Turn
from bot.errors import ModelError
from bot.ports.ledger import Ledger
from bot.ports.model import Model

TOO_LONG = "This took too long, so I stopped it."
UNPAID = "The budget leaves no room for what this still takes."

#: Whether all of these calls can be paid for; asked before a further one is made.
Pays = Callable[[Sequence[Call]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Completion:
    """What came of asking."""

    #: What the model said, as far as it came.
    text: str
    usage: Usage
    #: In USD; None where it is not known.
    cost: float | None
    #: What to tell people of why it is not whole; "" if it is.
    trouble: str = ""
    #: Whether `cost` is the most that it can have been.
    bounded: bool = False


async def complete(
    model: Model, request: Request, *, within: float, now: float, pays: Pays
) -> Completion:
    """What `model` says to `request` within so many seconds; `now` is for its price.

    Raises nothing of the model's: that is in `trouble`. StorageError is what `pays`
    raises, if it does.
    """
    said: list[str] = []
    report: Report | None = None
    trouble, asked = "", True
    try:
        async with (
            asyncio.timeout(within),
            contextlib.aclosing(model.answer(request)) as answer,
        ):
            async for piece in answer:
                if isinstance(piece, str):
                    said.append(piece)
                    continue
                short = claude_cost.unforeseen(piece) and not await pays(
                    piece.calls or ()
                )
                if not (short and piece.ahead):
                    # Else that request is not made.
                    report = piece
                if short:
                    trouble = UNPAID
                    break
    except ModelError as error:
        trouble, asked = error.user_text, False
    except TimeoutError:
        trouble = TOO_LONG
    bill = claude_cost.bill(report, asked=asked, at=now)
    return Completion("".join(said), bill.usage, bill.cost, trouble, bill.bounded)


async def complete_charged(
    ledger: Ledger,
    model: Model,
    request: Request,
    charge: Charge,
    caps: BudgetLimits,
    *,
    within: float,
    now: Callable[[], float],
) -> Completion | BudgetExceeded:
    """What comes of asking, paid for: the most that `request` can cost is set aside
    before, and what it cost is booked whatever becomes of it. Raises StorageError.
    """
    most = claude_cost.most(request, now())
    if most is None and caps.limit_money:
        return BudgetExceeded(unpriced=request.model)
    charge = replace(charge, model=request.model, most=most or 0.0)
    opened = await ledger.open_charge(charge, caps, now())
    if isinstance(opened, BudgetExceeded):
        return opened

    async def pays(calls: Sequence[Call]) -> bool:
        return await paid(ledger, opened, calls, caps, now()) is None

    aside = Completion("", Usage(), None, bounded=True)
    try:
        aside = await complete(model, request, within=within, now=now(), pays=pays)
    finally:
        await ledger.close_charge(
            opened, aside.usage, aside.cost, now(), bounded=aside.bounded
        )
    return aside


async def paid(
    ledger: Ledger,
    charge: Turn | int,
    calls: Sequence[Call],
    caps: BudgetLimits,
    now: float,
) -> BudgetExceeded | None:
    """Set aside, for a charge under way, what all of `calls` can cost; what is short if
    that cannot be. Raises StorageError."""
    most = claude_cost.price(calls, now)
    if most is None:
        models = [model for call in calls for model in call.models]
        return BudgetExceeded(unpriced=models[-1]) if caps.limit_money else None
    return await ledger.raise_reserve(charge, most, caps, now)
