"""Notifies people in channels that are shared with another organisation.

A person who is turned away is told so in private, once a day. Everybody in a channel is
told about the sharing with the first answer there.
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


class SharedChannelNotices:
    """Notices in shared channels. The store records which were given."""

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
        """Tell the author of `message` why `turn` does not answer it.

        The notice says that they are not answered in the channel, and who can change
        that.
        """
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
        """Return the notice about the shared channel for the answer to `turn`.

        "" unless this is the first answer in the channel.
        """
        place = settings.place.at(ScopeLevel.CHANNEL)
        first = await self._store.claim_notice(
            place, "shared channel", turn.key, self._now()
        )
        return shared_channels.policy(settings) if first else ""
