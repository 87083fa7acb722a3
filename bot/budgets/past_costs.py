"""Describes what a place has cost, to people who are about to change its settings.

Rule: these descriptions are optional. While the store cannot be read they are "", and
what they are shown with is done all the same.
"""

import logging
import time
from collections.abc import Callable

from bot.domain.budget import Period
from bot.domain.scope import Scope
from bot.errors import StorageError
from bot.messages import commands as messages
from bot.ports.ledger import Accounts
from bot.ui.formatting import usd

log = logging.getLogger(__name__)


class PastCosts:
    """What was spent in a workspace or channel."""

    def __init__(self, store: Accounts, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    async def spent(self, place: Scope) -> str:
        """Describe what was spent in `place` today and this month (UTC)."""
        try:
            day, month = [
                await self._store.balance(place, period, self._now())
                for period in (Period.DAY, Period.MONTH)
            ]
        except StorageError as error:
            log.warning("costs.unknown place=%s %s", place, error)
            return ""
        return messages.spent_so_far(today=usd(day.spent), month=usd(month.spent))
