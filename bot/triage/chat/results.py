"""Shows the results of automatic triage: signs, labels and announcements.

Rule: a result that may have been posted is posted again only if the platform does not
find the post under its key.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.domain.post_key import PostKey
from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.errors import DeliveryError, ThreadGone, Throttled
from bot.messages import triage as messages
from bot.ports.platform import Adapter, Messenger
from bot.schemes.scheme import Scheme
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.text import references
from bot.triage.chat import present
from bot.triage.chat.announcing import NAME as ANNOUNCE
from bot.triage.chat.announcing import Destinations
from bot.ui import formatting
from bot.ui.elements import Response

log = logging.getLogger(__name__)

T = TypeVar("T")

# The pauses between tries to reach Claude or a platform, in seconds.
PAUSES = (2.0, 10.0, 60.0, 300.0)


class Results:
    """Posts the results of cases on their platforms."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        access: SettingsAccess,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._adapters = adapters
        self._destinations = Destinations(access)
        self._sleep = sleep

    async def show(
        self,
        case: TriageCase,
        scheme: Scheme,
        policy: EffectiveSettings,
        *,
        again: bool,
    ) -> None:
        """Show the result of `case` as `policy` says. `again` says whether an earlier
        process may have shown it."""
        if case.values is None:
            log.info("case.marked case=%d reason=%s", case.id, case.reason)
            return
        place = case.place
        messenger = self._adapters[place.platform].messenger
        # Other platforms have no automatic triage.
        assert messenger is not None
        how, sign = policy["triage_sign"], present.sign(case, scheme)
        if sign and how in ("reaction", "both"):
            await self._do(lambda: messenger.mark(place, case.message, sign))
        if how in ("label", "both"):
            label = present.response(case, scheme)
            key = PostKey(f"label-{case.message}", case.at, again)
            await self._post(messenger, place, label, case.message, key)
        if present.rank(case, scheme) != 0:
            return
        if there := await self._destination(place, policy):
            link = await self._do(lambda: messenger.link(place, case.message))
            author = formatting.person(case.author)
            text = messages.announced(
                result=present.line(case, scheme),
                author=author,
                channel=references.channel(place.channel),
                # The announcement matters more than its link.
                link=references.link(link) if link else "",
            )
            key = PostKey(f"alert-{case.message}", case.at, again)
            await self._post(messenger, there, Response(text, public=True), "", key)

    async def tell(self, place: Scope, user: str, text: str) -> None:
        """Send `text` privately to a person in the workspace of `place`."""
        adapter = self._adapters[place.platform]
        await self._do(lambda: adapter.tell(place.workspace, user, text))

    async def _post(
        self,
        messenger: Messenger,
        place: Scope,
        response: Response,
        about: str,
        key: PostKey,
    ) -> None:
        async def post() -> None:
            nonlocal key
            attempt, key = key, replace(key, again=True)
            try:
                await messenger.post(place, response, about, attempt)
            except Throttled:
                # Nothing was posted.
                key = attempt
                raise

        await self._do(post)

    async def _destination(
        self, place: Scope, policy: EffectiveSettings
    ) -> Scope | None:
        """Return the scope in which a case in `place` is announced; None for nowhere.
        Tell the person who named a channel that is no longer valid."""
        found = await self._do(lambda: self._destinations.find(place, policy))
        if found is None:
            return None
        there, news = found
        if news:
            log.warning("case.nowhere_to_announce place=%s", place)
            await self.tell(place, policy.applied[ANNOUNCE].who, news)
        return there

    async def _do(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do `work`, which shows a result; retry a few times, then log the failure."""
        for pause in (*PAUSES, None):
            try:
                return await work()
            except ThreadGone as error:
                log.warning("case.not_shown %s", error)
                return None
            except DeliveryError as error:
                if pause is None:
                    log.warning("case.not_shown %s", error)
                    return None
                wait = error.retry_after if isinstance(error, Throttled) else pause
                await self._sleep(wait)
        return None
