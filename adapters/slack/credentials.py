"""Renews the token of one installation before it expires (platform facts A11).

Rule 1: a refresh token is valid once, so one process claims it before spending it. The
other processes keep using the old token, which stays valid until it expires.
Rule 2: the new tokens that Slack returns exist nowhere else, so they are stored before
anything else happens, however long that takes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.domain.installation import Installation, Tokens
from bot.errors import AccessRevoked, DeliveryError, StorageError, Throttled
from bot.messages import installations as messages
from bot.ports.installations import InstallationStore, Sealer
from bot.runtime.background import finish
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How long before its expiry a token is renewed, in seconds: as in Bolt (facts A11).
EARLY = 7_200.0
# How long a process may claim a refresh token, in seconds: longer than a call takes.
HELD = 90.0
# The pause after a failure before the next try, in seconds.
AGAIN = 60.0
# The pause between two checks for a new token from another process, in seconds.
LOOK = 0.5

#: Exchanges a refresh token for new tokens and returns Slack's answer. Raises
#: AccessRevoked if the refresh token was spent before, or DeliveryError.
Exchange = Callable[[str], Awaitable[Mapping[str, Any]]]


class Credentials:
    """The token of `installation`. Raises KeyLost if no key can decrypt the token."""

    def __init__(
        self,
        installation: Installation,
        store: InstallationStore,
        sealer: Sealer,
        exchange: Exchange,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._exchange = exchange
        self._now = now
        self._lock = asyncio.Lock()
        #: When to try next, after a failure.
        self._next = 0.0
        self.adopt(installation)

    def adopt(self, installation: Installation) -> None:
        """Use the tokens of a newer version of the installation. Raises KeyLost."""
        sealed, place = installation.tokens.access, installation.place
        self._token = self._sealer.open(sealed, place)
        self.installation = installation

    async def current(self) -> str:
        """Return a valid token. Raises AccessRevoked if the installation has ended, or
        DeliveryError if the token has expired and cannot be renewed now."""
        if self._is_due():
            async with self._lock:
                if self._is_due():
                    # `finish`, since other calls may wait for the renewal, too, and the
                    # tokens of a spent refresh token must be stored.
                    await finish(self._renew())
        return self._token

    async def renew(self, early: float) -> None:
        """Renew the token if it expires within `early` seconds. Raises AccessRevoked,
        or DeliveryError if the token has expired and cannot be renewed now."""
        async with self._lock:
            if self._seconds_left() < early and self._now() >= self._next:
                await finish(self._renew())

    def _seconds_left(self) -> float:
        expires = self.installation.tokens.expires_at
        return float("inf") if expires is None else expires - self._now()

    def _is_due(self) -> bool:
        left = self._seconds_left()
        return left < EARLY and (left <= 0 or self._now() >= self._next)

    async def _renew(self) -> None:
        try:
            while not await self._hold():
                if await self._adopt_newer():
                    return
                if self._seconds_left() > 0:
                    self._next = self._now() + AGAIN
                    return
                # Another process holds the claim, or died while holding it.
                await asyncio.sleep(LOOK)
            await self._spend()
        except (DeliveryError, StorageError) as error:
            wait = error.retry_after if isinstance(error, Throttled) else AGAIN
            self._next = self._now() + wait
            place = str(self.installation.place)
            log.warning("slack.not_renewed place=%s %s", place, error)
            if self._seconds_left() <= 0:
                text = messages.not_renewed(place=place, error=str(error))
                raise DeliveryError(text) from error

    async def _hold(self) -> bool:
        had, now = self.installation, self._now()
        return await self._store.claim_refresh(had.place, had.version, now, now + HELD)

    async def _adopt_newer(self) -> bool:
        """Use the tokens that another process has stored meanwhile. Return False if
        there are none. Raises AccessRevoked if the installation has ended."""
        had = self.installation
        changes = await self._store.installations(had.place.platform, had.version)
        newer = next((each for each in changes if each.place == had.place), None)
        if newer is None:
            return False
        if newer.ended_at is not None:
            place = str(had.place)
            raise AccessRevoked(messages.has_ended(place=place), had.place.workspace)
        self.adopt(newer)
        return True

    async def _spend(self) -> None:
        had = self.installation
        try:
            sealed = had.tokens.refresh
            answer = await self._exchange(self._sealer.open(sealed, had.place))
        except AccessRevoked:
            # The process that held the claim before may have spent the refresh token
            # and stored the next one.
            if await self._adopt_newer():
                return
            raise
        tokens = seal_tokens(answer, had, self._sealer, self._now())
        stored = await retry_until_success(
            lambda: self._store.replace_tokens(had.place, had.version, tokens)
        )
        if stored is None:
            await self._adopt_newer()
        else:
            self.adopt(stored)
            log.info("slack.renewed place=%s", had.place)


def seal_tokens(
    answer: Mapping[str, Any], of: Installation, sealer: Sealer, now: float
) -> Tokens:
    """Return the tokens in an answer of oauth.v2.access, sealed for the place of the
    installation `of`. Raises DeliveryError if the answer has no token."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise DeliveryError("oauth.v2.access: Slack's answer cannot be read")
    expires = answer.get("expires_in")
    return Tokens(
        sealer.seal(access, of.place),
        sealer.seal(refresh, of.place) if isinstance(refresh, str) and refresh else "",
        now + float(expires) if isinstance(expires, int | float) and expires else None,
    )
