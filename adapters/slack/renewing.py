"""Renews the tokens of all installations before they are due.

One of all processes does this periodically. A call that needs a token that is due also
renews it, under the same lock (`adapters.slack.credentials`).
"""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.slack.config import PLATFORM
from adapters.slack.credentials import EARLY, Credentials
from bot.domain.installation import Installation
from bot.errors import AccessRevoked, DeliveryError, KeyLost
from bot.ports.installations import InstallationStore
from bot.ports.wakeups import PeriodicTask
from bot.runtime.background import report

# How much earlier than by a call a token is renewed here, in seconds. Longer than the
# interval of TIMES.
AHEAD = 900.0
TIMES = "*/5 * * * *"
# The most tokens that are renewed at once.
AT_ONCE = 8


class Renewal:
    """Renews the tokens in `store`.

    `credentials` returns the credentials of an installation. `refused` is awaited with
    an installation whose refresh token Slack does not accept.
    """

    def __init__(
        self,
        store: InstallationStore,
        credentials: Callable[[Installation], Credentials],
        refused: Callable[[Installation, AccessRevoked], Awaitable[None]],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._refused = refused
        self._now = now
        self._few = asyncio.Semaphore(AT_ONCE)

    @property
    def periodic_task(self) -> PeriodicTask:
        """The renewal as a periodic task."""
        return PeriodicTask("tokens", TIMES, self.renew)

    async def renew(self) -> None:
        """Renew the tokens that will be due soon. Raises StorageError."""
        before = self._now() + EARLY + AHEAD
        due = [
            each
            for each in await self._store.installations(PLATFORM)
            if each.ended_at is None
            and each.tokens.refresh
            and each.tokens.expires_at is not None
            and each.tokens.expires_at < before
        ]
        await asyncio.gather(*map(self._renew, due))

    async def _renew(self, here: Installation) -> None:
        async with self._few:
            try:
                await self._credentials(here).renew(EARLY + AHEAD)
            except AccessRevoked as error:
                await self._refused(here, error)
            except KeyLost:
                # Ignored: the operator was told about lost keys elsewhere.
                pass
            except DeliveryError as error:
                report("renew a token", error)
