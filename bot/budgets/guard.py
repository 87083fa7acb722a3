"""Reserves, extends and settles the cost of a turn.

Rule: the maximum cost of a call is reserved before Claude is asked, in the same
transaction that checks the remaining budgets. So a budget holds under any concurrency,
and a crash leaves less of it rather than more.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.budgets import summary
from bot.claude import cost, one_shot
from bot.domain.budget import NO_LIMITS, Alert, BudgetExceeded, BudgetLimits
from bot.domain.completion import Call, Request
from bot.domain.scope import Scope
from bot.domain.setting import OPERATOR
from bot.domain.turn import Outcome, Turn
from bot.errors import DeliveryError, ModelError, ModelUnpaid
from bot.ports.ledger import Ledger
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.store import TurnStore

log = logging.getLogger(__name__)


class BudgetGuard:
    """Keeps the cost of turns within the budgets and limits."""

    def __init__(
        self,
        turns: TurnStore,
        ledger: Ledger,
        model: Model,
        adapters: Mapping[str, Adapter],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._turns = turns
        self._ledger = ledger
        self._model = model
        self._adapters = adapters
        self._now = now

    async def reserve(
        self, turn: Turn, person: str, request: Request, limits: BudgetLimits
    ) -> Request:
        """Reserve the maximum cost of `request`, which `person` asked for.

        Returns the request with the prompt size that the cost was computed from. Raises
        ModelUnpaid if `limits` do not allow the cost, or if they limit money and the
        price is unknown.
        """
        most = cost.cost_ceiling(request, self._now())
        amount = cost.reserve_for(most, request.model, limits)
        if isinstance(amount, BudgetExceeded):
            exceeded: BudgetExceeded | None = amount
        else:
            exceeded = await self._reserve(turn, person, amount, limits)
        if exceeded and most is not None:
            # The estimate counts bytes, and a text has more bytes than tokens: count
            # the tokens before refusing.
            with contextlib.suppress(ModelError):
                tokens = cost.prompt_ceiling(await self._model.count(request))
                counted = replace(request, prompt_most=tokens)
                exact = cost.cost_ceiling(counted, self._now())
                if exact is not None and exact < most:
                    request = counted
                    exceeded = await self._reserve(turn, person, exact, limits)
        if exceeded is not None:
            raise await self._unpaid(turn, exceeded)
        return request

    async def extend(
        self, turn: Turn, calls: Sequence[Call], limits: BudgetLimits
    ) -> None:
        """Raise the reservation of `turn` to the maximum cost of `calls`: all that its
        answer has made or is about to make. Raises ModelUnpaid if `limits` do not allow
        that."""
        exceeded = await one_shot.reserve_calls(
            self._ledger, turn, calls, limits, self._now()
        )
        if exceeded is not None:
            raise await self._unpaid(turn, exceeded)

    async def settle(
        self, turn: Turn, outcome: Outcome, limits: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        """Store how `turn` ended, and replace the reservation by its cost.

        Returns the alerts of `limits` that are due, each of them once.
        """
        return await self._turns.finish_turn(turn, outcome, self._now(), limits)

    async def _reserve(
        self, turn: Turn, person: str, usd: float, limits: BudgetLimits
    ) -> BudgetExceeded | None:
        return await self._ledger.reserve(turn, person, usd, limits, self._now())

    async def _unpaid(self, turn: Turn, exceeded: BudgetExceeded) -> ModelUnpaid:
        log.info("turn.over_budget thread=%s turn=%s", turn.thread, turn.key)
        who = exceeded.budget.who if exceeded.budget else OPERATOR
        names = {} if who == OPERATOR else await self._names(turn, who)
        return ModelUnpaid(summary.shortfall(exceeded, self._now(), names))

    async def _names(self, turn: Turn, user: str) -> dict[str, str]:
        """Return the name of `user` by id, or {} if it is not available now."""
        adapter = self._adapters[turn.thread.platform]
        try:
            person = await adapter.directory.person(Scope.of(turn.thread), user)
        except DeliveryError as error:
            log.warning("person.unknown thread=%s %s", turn.thread, error)
            return {}
        return {user: person.name} if person.name else {}
