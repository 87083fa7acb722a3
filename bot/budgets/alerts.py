"""Alerts admins when the budget of a channel or workspace is used to a certain
share."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

from bot.budgets import summary
from bot.domain.budget import Alert
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import OPERATOR
from bot.errors import DeliveryError
from bot.ports.platform import Adapter
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings, Operator

log = logging.getLogger(__name__)

# The timeout for alerting one admin, in seconds: the thread waits for it.
TELLING = 10.0


class BudgetAlerts:
    """Sends alerts to the person who set the budget and to the admins by name."""

    def __init__(
        self,
        settings: SettingsAccess,
        adapters: Mapping[str, Adapter],
        operator: Operator,
    ) -> None:
        self._settings = settings
        self._adapters = adapters
        self._operator = operator

    async def send(self, thread: ThreadKey, alerts: Sequence[Alert]) -> None:
        """Send `alerts`, which an answer in `thread` caused. An admin who cannot be
        reached is skipped. Raises StorageError."""
        if not alerts:
            return
        settings = await self._settings.policy(Scope.of(thread))
        adapter = self._adapters[thread.platform]
        for alert in alerts:
            log.warning(
                "budget.used place=%s period=%s share=%.2f usd=%.2f",
                alert.budget.place,
                alert.budget.period.value,
                alert.share,
                alert.budget.usd,
            )
            for user in self._recipients(alert, settings):
                with contextlib.suppress(TimeoutError, DeliveryError):
                    async with asyncio.timeout(TELLING):
                        await adapter.tell(thread.workspace, user, summary.alert(alert))

    def _recipients(self, alert: Alert, settings: EffectiveSettings) -> list[str]:
        named = [word for _, people in settings.admins for word in people.split()]
        users = [w.removeprefix("user:") for w in named if w.startswith("user:")]
        platform = f"{settings.place.platform}:"
        for admin in sorted(self._operator.admins):
            if admin.startswith(platform):
                users.append(admin.removeprefix(platform))
        setter = [] if alert.budget.who == OPERATOR else [alert.budget.who]
        return list(dict.fromkeys([*setter, *users]))
