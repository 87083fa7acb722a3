"""Describes past costs to people who are about to change the settings of a place.

Rule: these descriptions are optional. They are "" while the store cannot be read, and
the action that they accompany is done anyway.
"""

import logging
import time
from collections.abc import Callable

from bot.claude import repricing
from bot.domain.budget import Period
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.errors import StorageError
from bot.messages import commands as messages
from bot.ports.ledger import Accounts
from bot.settings.options import ON
from bot.settings.parsers import AUTO
from bot.ui.formatting import usd

log = logging.getLogger(__name__)


# The age of the oldest calls that count, in seconds, and the maximum number of calls.
MONTH, MOST_CALLS = 30 * DAY, 1_000

_TRIAGE = ("triage", "auto-triage")


class PastCosts:
    """Describes the past costs of a workspace or channel."""

    def __init__(self, store: Accounts, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    async def spent(self, place: Scope) -> str:
        """Describe the spending in `place` today and this month (UTC)."""
        try:
            day, month = [
                await self._store.balance(place, period, self._now())
                for period in (Period.DAY, Period.MONTH)
            ]
        except StorageError as error:
            log.warning("costs.unknown place=%s %s", place, error)
            return ""
        return messages.spent_so_far(today=usd(day.spent), month=usd(month.spent))

    async def would_have(self, place: Scope, name: str, value: str) -> str:
        """Describe the cost of the last 30 days in `place` if option `name` had been
        `value`; "" for options that change no cost, or if there were no calls."""
        if name not in ("model", "effort", "web_search", "auto_triage"):
            return ""
        kinds = _TRIAGE if name == "auto_triage" else ("answer",)
        now = self._now()
        try:
            calls = await self._store.past_calls(kinds, now - MONTH, place, MOST_CALLS)
        except StorageError as error:
            log.warning("costs.unknown place=%s %s", place, error)
            return ""
        if not calls:
            return ""
        if name == "model" and value == AUTO:
            return repricing.with_auto(calls, now)
        if name == "model":
            return repricing.with_model(calls, value, now)
        if name == "effort":
            return repricing.with_effort(calls)
        if name == "web_search":
            return repricing.with_search(calls, on=value == ON)
        return repricing.with_triage(calls) if value == ON else ""
