"""Makes calls of a model outside of a thread, and waits for the whole answer.

Rule: the cost of a call is booked however it ends: nothing only if the model did not
begin, and the highest possible cost if the call was cut off (`bot.claude.cost`).
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
from bot.messages.answers import TOOK_TOO_LONG, UNPAID
from bot.ports.ledger import Charges
from bot.ports.model import Model
from bot.text.characters import replace_invalid

#: Shows the next piece of an answer.
Show = Callable[[str], None]

#: Reserves the cost of all these calls and returns True, or returns False if the budget
#: does not allow it. Called before a further request is made.
Reserve = Callable[[Sequence[Call]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer, or the part of it that arrived."""

    text: str
    usage: Usage
    #: In USD; None if unknown.
    cost: float | None
    #: Why the text is incomplete, for people; "" if it is complete.
    trouble: str = ""
    #: Whether `cost` is an upper bound.
    bounded: bool = False
    #: The API's stop reason; None if the call ended before.
    stop_reason: str | None = None
    #: The listings of MCP servers, and the names of those that failed.
    listings: tuple[tuple[str, str], ...] = ()
    failed: tuple[str, ...] = ()
    #: The JSON of a compaction block; "" for none.
    block: str = ""


async def complete(
    model: Model,
    request: Request,
    *,
    timeout: float,
    now: float,
    reserve: Reserve,
    show: Show | None = None,
) -> Completion:
    """Return the answer of `model` to `request` within `timeout` seconds.

    `now` determines the price, and `show` receives the text piece by piece. A
    ModelError is not raised but described by `trouble`. Raises what `reserve` raises, a
    StorageError, and what `show` raises.
    """
    pieces: list[str] = []
    report: Report | None = None
    trouble, asked = "", True
    try:
        async with (
            asyncio.timeout(timeout),
            contextlib.aclosing(model.answer(request)) as answer,
        ):
            async for piece in answer:
                if isinstance(piece, str):
                    pieces.append(piece)
                    if show is not None:
                        show(piece)
                    continue
                refused = claude_cost.exceeds_reserve(piece) and not await reserve(
                    piece.calls or ()
                )
                # A refused request that was only announced is not made.
                if not (refused and piece.ahead):
                    report = piece
                if refused:
                    trouble = UNPAID
                    break
    except ModelError as error:
        trouble, asked = error.user_text, False
    except TimeoutError:
        trouble = TOOK_TOO_LONG
    bill = claude_cost.bill(report, asked=asked, at=now)
    text = replace_invalid("".join(pieces))
    return Completion(
        *(text, bill.usage, bill.cost, trouble, bill.bounded),
        stop_reason=report.stop_reason if report else None,
        listings=report.listings if report else (),
        failed=report.failed if report else (),
        block=report.block if report else "",
    )


async def complete_charged(
    ledger: Charges,
    model: Model,
    request: Request,
    charge: Charge,
    limits: BudgetLimits,
    *,
    timeout: float,
    now: Callable[[], float],
    show: Show | None = None,
) -> Completion | BudgetExceeded:
    """Reserve the highest cost of `request`, make the call, and book its cost.

    The cost is booked however the call ends. `show` receives the text piece by piece.
    Raises StorageError, and what `show` raises.
    """
    ceiling = claude_cost.cost_ceiling(request, now())
    amount = claude_cost.reserve_for(ceiling, request.model, limits)
    if isinstance(amount, BudgetExceeded):
        return amount
    charge = replace(charge, model=request.model, most=amount)
    opened = await ledger.open_charge(charge, limits, now())
    if isinstance(opened, BudgetExceeded):
        return opened

    async def reserve(calls: Sequence[Call]) -> bool:
        return await reserve_calls(ledger, opened, calls, limits, now()) is None

    completion = Completion("", Usage(), None, bounded=True)
    try:
        completion = await complete(
            model, request, timeout=timeout, now=now(), reserve=reserve, show=show
        )
    finally:
        await ledger.close_charge(
            *(opened, completion.usage, completion.cost, now()),
            bounded=completion.bounded,
        )
    return completion


async def reserve_calls(
    ledger: Charges,
    charge: Turn | int,
    calls: Sequence[Call],
    limits: BudgetLimits,
    now: float,
) -> BudgetExceeded | None:
    """Raise the reserve of an open charge to the highest cost of `calls`.

    Return the reason if the limits do not allow it. Raises StorageError.
    """
    ceiling = claude_cost.price(calls, now)
    if ceiling is None and not limits.limit_money:
        return None
    model = calls[-1].models[-1] if calls else ""
    amount = claude_cost.reserve_for(ceiling, model, limits)
    if isinstance(amount, BudgetExceeded):
        return amount
    return await ledger.raise_reserve(charge, amount, limits, now)
