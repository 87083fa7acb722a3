"""Tells people about channels that are shared with another organisation: those who are
turned away once a day, in private, and all of a channel with the first answer in it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from bot.domain.message import Message
from bot.domain.retention import DAY
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.turn import Turn
from bot.errors import DeliveryError
from bot.messages.outsiders import TURNED_AWAY
from bot.ports.notices import NoticeStore
from bot.ports.platform import Adapter
from bot.settings import shared_channels
from bot.settings.effective import EffectiveSettings
from bot.ui.elements import Response

log = logging.getLogger(__name__)

# Timeout for posting a notice, in seconds: the thread waits for it.
TIMEOUT = 10.0


class Outsiders:
    """Notices in shared channels. Which were given is in the store."""

    def __init__(
        self,
        store: NoticeStore,
        adapters: Mapping[str, Adapter],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._now = now

    async def turn_away(self, turn: Turn, message: Message) -> None:
        """Tell the author of `message`, which `turn` does not answer, that they are not
        answered in its channel, and who can change that."""
        place = Scope.of(turn.thread).at(ScopeLevel.CHANNEL)
        name, now = f"turned away {message.author}", self._now()
        log.info(
            "outsider.turned_away thread=%s person=%s", turn.thread, message.author
        )
        messenger = self._adapters[turn.thread.platform].messenger
        if messenger is None:
            return
        if not await self._store.claim_notice(place, name, turn.key, now, now + DAY):
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                await messenger.notice(message, Response(TURNED_AWAY))
        except (TimeoutError, DeliveryError) as error:
            log.info("outsider.untold thread=%s %s", turn.thread, error)

    async def first_answer(self, turn: Turn, settings: EffectiveSettings) -> str:
        """Return what `turn`, in a shared channel, is to say of it; "" unless it is the
        first answer there."""
        place = settings.place.at(ScopeLevel.CHANNEL)
        first = await self._store.claim_notice(
            place, "shared channel", turn.key, self._now()
        )
        return shared_channels.policy(settings) if first else ""
