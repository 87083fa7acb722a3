"""Asks a model something that is no answer in a thread, and waits for all of it.

Rule: whatever becomes of it, what it cost is told honestly: nothing only where nothing
was begun, and "not known" where it broke off.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from bot.catalogue import cost
from bot.errors import ModelError
from bot.money import Caps, Charge, Shortfall
from bot.ports import Model
from bot.stores import Ledger
from bot.values import Report, Request, Usage

TOO_LONG = "This took too long, so I stopped it."


@dataclass(frozen=True, slots=True)
class Aside:
    """What came of asking."""

    #: What the model said, as far as it came.
    text: str
    usage: Usage
    #: In USD; None where it is not known.
    cost: float | None
    #: What to tell people of why it is not whole; "" if it is.
    trouble: str = ""


async def ask(model: Model, request: Request, *, within: float, now: float) -> Aside:
    """What `model` says to `request` within so many seconds; `now` is for its price.

    Raises nothing of the model's: that is in `trouble`.
    """
    said: list[str] = []
    report: Report | None = None
    trouble, begun = "", True
    try:
        async with (
            asyncio.timeout(within),
            contextlib.aclosing(model.answer(request)) as answer,
        ):
            async for piece in answer:
                if isinstance(piece, Report):
                    report = piece
                else:
                    said.append(piece)
    except ModelError as error:
        trouble, begun = error.user_text, report is not None
    except TimeoutError:
        trouble = TOO_LONG
    usage = report.usage if report else Usage()
    price = None if begun else 0.0
    if report and report.stop_reason is not None:
        price = cost(report.model, usage, now)
    return Aside("".join(said), usage, price, trouble)


async def charged(
    ledger: Ledger,
    model: Model,
    request: Request,
    charge: Charge,
    caps: Caps,
    *,
    within: float,
    now: Callable[[], float],
) -> Aside | Shortfall:
    """What comes of asking, paid for: `charge` is set aside before, and what it cost is
    booked whatever becomes of it. Raises StorageError."""
    opened = await ledger.open_charge(charge, caps, now())
    if isinstance(opened, Shortfall):
        return opened
    usage, price = Usage(), None
    try:
        aside = await ask(model, request, within=within, now=now())
        usage, price = aside.usage, aside.cost
    finally:
        await ledger.close_charge(opened, usage, price, now())
    return aside
