"""Renews the tokens of all installations before they are due, as one process of all
does from time to time. Whoever meets a token that is due renews it as well, under the
same lock (`adapters.slack.credentials`).
"""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.slack.config import PLATFORM
from adapters.slack.credentials import EARLY, Credentials
from bot.domain.installation import Installation
from bot.errors import AccessRevoked, DeliveryError, KeyLost
from bot.ports.installations import InstallationStore
from bot.ports.wakeups import Chore
from bot.runtime.background import report

# Seconds by which a token is renewed here before anybody meets one that is due:
# longer than from one time to the next.
AHEAD = 900.0
TIMES = "*/5 * * * *"
# The most tokens that are renewed at once.
AT_ONCE = 8


class Renewal:
    """Renews tokens of `store`. `credentials` are those of an installation, and
    `refused` is awaited with one whose refresh token Slack does not accept."""

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
    def chore(self) -> Chore:
        """The renewal, and when it is due."""
        return Chore("tokens", TIMES, self.renew)

    async def renew(self) -> None:
        """Renew what is due soon. Raises StorageError."""
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
                # The operator was told of it.
                pass
            except DeliveryError as error:
                report("renew a token", error)
