"""Watches the budget over all workspaces, and alerts the operator's admins.

Most calls are not answers (triage, routing, prompt trials), so this reads the account
itself, which includes all calls. Rule: it only alerts. The ledger enforces the budget
before every call.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from bot.domain.budget import Alert, Period
from bot.errors import ConfigError, DeliveryError
from bot.messages import budgets as messages
from bot.messages import phrases
from bot.ports.ledger import Accounts
from bot.ports.platform import Adapter
from bot.runtime.background import report
from bot.settings.effective import Operator, totals
from bot.ui import formatting

log = logging.getLogger(__name__)

# The interval between two reads of the account, in seconds: one small transaction.
EVERY = 30.0
# The timeout for alerting one admin, in seconds.
TELLING = 10.0


class Totals:
    """Alerts the operator's admins when a budget over all workspaces reaches a
    threshold."""

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
        """Check every 30 s until cancelled; return at once if there is no budget."""
        while self._budgets:
            try:
                await self.look()
            except Exception as error:
                # The next check may succeed.
                report("totals", error)
            await self._sleep(EVERY)

    async def look(self) -> None:
        """Send the alerts that are due. Raises StorageError."""
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
    """Return the text for the operator's admins."""
    cap = alert.budget
    day = cap.period is Period.DAY
    return messages.total_used(
        share=f"{alert.share:.0%}",
        spent=formatting.usd(alert.spent),
        budget=formatting.exact_usd(cap.usd),
        period=phrases.TODAY if day else phrases.THIS_MONTH,
        variable=f"THREADKEEP_BUDGET_TOTAL_{'DAY' if day else 'MONTH'}",
    )
