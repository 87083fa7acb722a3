"""Watches what all workspaces together spend, and tells the operator in time.

Most calls are no answers (triage, routing, tries), so this looks at the account
itself, whatever has been booked in it. Rule: it only tells. That the budget holds is
for the ledger, before every call.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from bot.domain.budget import Alert, Period
from bot.errors import ConfigError, DeliveryError
from bot.ports.ledger import Accounts
from bot.ports.platform import Adapter
from bot.runtime.background import report
from bot.settings.effective import Operator, totals
from bot.ui import formatting

log = logging.getLogger(__name__)

# How often the account is looked at, in seconds: one small transaction.
EVERY = 30.0
# How long telling one admin may take, in seconds.
TELLING = 10.0


class Totals:
    """Tells the operator's admins how far the budget over all workspaces is used."""

    def __init__(
        self,
        accounts: Accounts,
        adapters: Mapping[str, Adapter],
        operator: Operator,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._accounts = accounts
        self._adapters = adapters
        self._operator = operator
        self._budgets = totals(operator.values)
        self._now = now
        self._sleep = sleep

    async def watch(self) -> None:
        """Look again and again until cancelled; return at once without a budget."""
        while self._budgets:
            try:
                await self.look()
            except Exception as error:
                # The next look may do better.
                report("totals", error)
            await self._sleep(EVERY)

    async def look(self) -> None:
        """Tell what is to be told now. Raises StorageError."""
        for alert in await self._accounts.alerts(self._budgets, self._now()):
            log.warning(
                "budget.used place=all period=%s share=%.2f spent=%.2f usd=%.2f",
                alert.budget.period.value,
                alert.share,
                alert.spent,
                alert.budget.usd,
            )
            await self._tell(alert)

    async def _tell(self, alert: Alert) -> None:
        for admin in sorted(self._operator.admins):
            platform, _, user = admin.partition(":")
            adapter = self._adapters.get(platform)
            if adapter is None:
                continue
            with contextlib.suppress(TimeoutError, DeliveryError, ConfigError):
                async with asyncio.timeout(TELLING):
                    await adapter.tell("", user, _text(alert))


def _text(alert: Alert) -> str:
    """What the operator's admins are told."""
    cap = alert.budget
    day = cap.period is Period.DAY
    spent = f"{formatting.usd(alert.spent)} of {formatting.usd(cap.usd)}"
    return (
        f"**{alert.share:.0%} of the budget over all workspaces is used up**: {spent} "
        f"for {'today' if day else 'this month'}. When all of it is, I answer nowhere "
        f"any more; a larger THREADKEEP_BUDGET_TOTAL_{'DAY' if day else 'MONTH'} and a "
        "restart change that."
    )
