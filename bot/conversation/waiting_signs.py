"""Shows people that their message waits behind a running answer, and when it does not.

Rule 1: no answer waits for a sign, and a failed sign is not retried while people watch.

Rule 2: a sign is stored before it is shown, and deleted after it was removed. So the
process that takes over a turn, or the next process, removes signs that were left.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from bot.conversation.answers import Answers
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import TurnMessage
from bot.errors import DeliveryError, ThreadGone
from bot.messages.answers import BUSY, CROWDED
from bot.platforms import Platforms
from bot.ports.notices import SignStore
from bot.ports.platform import Messenger
from bot.runtime.background import later
from bot.runtime.lru import LruDict
from bot.runtime.notices import Notices
from bot.ui.elements import Response

log = logging.getLogger(__name__)

#: The reaction to a message that waits.
SIGN = "⏳"

# Timeout for showing the sign, in seconds: a later sign would be of no use.
TIMEOUT = 10.0

# The timeout for removing all signs of a thread. Slack allows 20 removals a minute
# (facts A5.1). The remaining signs are removed with the next turn, or at the next
# start.
CLEAR_TIMEOUT = 30.0

# How many signs and notices are shown at once.
MOST_AT_ONCE = 10

# Seconds that a question waits for a slot before its author is told that all processes
# are busy; and the most questions that are watched for that.
PATIENCE = 5.0
MOST_WATCHED = 1_000

# The most messages with a sign that are remembered. While there is any, the store is
# asked whenever a turn begins.
MOST_SIGNED = 1_000


class WaitingSigns:
    """The signs of messages that wait for `answers`.

    `shared` says that other processes set signs, too.
    """

    def __init__(
        self,
        store: SignStore,
        platforms: Platforms,
        answers: Answers,
        *,
        shared: bool = False,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._answers = answers
        self._shared = shared
        #: The messages that may show the sign, by workspace and message id.
        self._signed: LruDict[tuple[str, str], None] = LruDict(MOST_SIGNED)
        self._shown = Notices(
            platforms.tasks,
            "notice",
            most=MOST_AT_ONCE,
            # A notice follows if the sign could not be shown in time.
            seconds=2 * TIMEOUT,
            failed="message.unnoticed",
        )
        #: While a sign is being shown, it is not removed: the platform may execute the
        #: two calls in the wrong order.
        self._locks: WeakValueDictionary[ThreadKey, asyncio.Lock]
        self._locks = WeakValueDictionary()
        #: The number of questions that are checked again later.
        self._watched = 0
        self._closed = False

    def close(self) -> None:
        """Stop telling people that they wait."""
        self._closed = True

    def show(self, message: Message, *, delayed: bool, crowded: bool | None) -> None:
        """Tell the author of `message`, in the background, that it has to wait.

        The message is `delayed` by an answer in its thread, or `crowded` out by other
        threads. If `crowded` is None, that is checked later.
        """
        platform = message.thread.platform
        messenger = self._platforms.adapters[platform].messenger
        if messenger is None:
            return
        # In a background task: the platform waits for the acknowledgement.
        if delayed:
            self._begin(self._mark(messenger, message), message)
        elif crowded:
            self._begin(messenger.notice(message, Response(CROWDED)), message)
        elif crowded is None and self._watched < MOST_WATCHED:
            self._watched += 1
            later(PATIENCE, "notice", partial(self._look_again, messenger, message))

    def _begin(self, work: Coroutine[Any, Any, None], message: Message) -> None:
        thread = message.thread
        self._shown.start(work, platform=thread.platform, about=thread)

    def _look_again(self, messenger: Messenger, message: Message) -> None:
        self._watched -= 1
        if not self._closed:
            self._begin(self._tell_if_crowded(messenger, message), message)

    async def _tell_if_crowded(self, messenger: Messenger, message: Message) -> None:
        if await self._answers.is_crowded_out(message.thread, message.author):
            await messenger.notice(message, Response(CROWDED))

    def begin(self, thread: ThreadKey, messages: Sequence[TurnMessage]) -> None:
        """Remove, in the background, the signs of the `messages` of a turn that begins.

        Without messages, remove all signs in `thread` from messages that do not wait.
        """
        has_signs = not messages or any(each.is_signed for each in messages)
        if has_signs or not self._shared:
            self.clear(thread)

    def clear(self, thread: ThreadKey) -> None:
        """Remove, in the background, the signs in `thread` from messages that do not
        wait."""
        if not (self._shared or self._signed):
            return
        platform = thread.platform
        if platform in self._platforms.active and self._platforms.serves(thread):
            work = self._clear(thread)
            self._platforms.tasks.start("unmark", work, platform=platform)

    async def resume(self) -> None:
        """Remove, in the background, signs that an earlier process left.

        Raises StorageError.
        """
        if not self._shared:
            for thread, message in await self._store.signs():
                self._signed[thread.workspace, message] = None
        for thread in dict.fromkeys(
            thread for thread, _ in await self._store.past_signs()
        ):
            self.clear(thread)

    async def _mark(self, messenger: Messenger, message: Message) -> None:
        place = Scope.of(message.thread)
        self._signed[place.workspace, message.message] = None
        try:
            async with asyncio.timeout(TIMEOUT), self._lock(message.thread):
                if not await self._store.claim_sign(message):
                    self._signed.pop((place.workspace, message.message), None)
                else:
                    await messenger.mark(place, message.message, SIGN)
                    # Another process may have begun the turn meanwhile, and removed the
                    # sign before it was there.
                    if not await self._store.claim_sign(message):
                        with contextlib.suppress(DeliveryError):
                            await messenger.unmark(place, message.message, SIGN)
        except (TimeoutError, DeliveryError) as error:
            log.info("message.unmarked thread=%s %s", message.thread, error)
            if await self._answers.delays(
                message.thread, message.author, message.message
            ):
                await messenger.notice(message, Response(BUSY))

    async def _clear(self, thread: ThreadKey) -> None:
        messenger = self._platforms.adapters[thread.platform].messenger
        if messenger is None:
            return
        try:
            async with asyncio.timeout(CLEAR_TIMEOUT), self._lock(thread):
                for _, message in await self._store.past_signs(thread):
                    await self._unmark(messenger, thread, message)
        except TimeoutError:
            log.info("message.still_marked thread=%s", thread)

    async def _unmark(
        self, messenger: Messenger, thread: ThreadKey, message: str
    ) -> None:
        tried = False
        try:
            await messenger.unmark(Scope.of(thread), message, SIGN)
        except ThreadGone as error:
            # The sign was never there, or nobody sees it, or the message or the right
            # is gone.
            log.info("message.not_marked thread=%s %s", thread, error)
        except DeliveryError as error:
            log.info("message.still_marked thread=%s %s", thread, error)
            tried = True
        await self._store.forget_sign(thread, message, tried)
        if not tried:
            self._signed.pop((thread.workspace, message), None)

    def _lock(self, thread: ThreadKey) -> asyncio.Lock:
        if (lock := self._locks.get(thread)) is None:
            self._locks[thread] = lock = asyncio.Lock()
        return lock
