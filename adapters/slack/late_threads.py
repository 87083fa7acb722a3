"""Reads the replies below questions that were stored late.

Until a question was stored, its thread did not count as the bot's, so replies in the
thread were ignored. After an outage many questions arrive at once, most of them without
replies.

Rule 1: one page of a channel's history shows which of its late questions have replies.
Only their threads are read, each once.
Rule 2: in each workspace, at most one page and one thread are read in `PACE` seconds:
half of the calls that Slack allows. Answers need the other half.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from adapters.slack.config import PLATFORM
from adapters.slack.missed_messages import PACE, PATIENCE, take_in
from adapters.slack.workspace import Workspace
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.errors import DeliveryError, StorageError
from bot.ports.host import Host
from bot.runtime.background import Background
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# Questions of one channel that were asked within this many seconds are looked up
# together. The page has all other messages of that time, too.
TOGETHER = 600.0
# The most questions that may wait in all, and the most tries to read a thread.
MOST = 500
TRIES = 4


class LateThreads:
    """Queues the threads of late questions, and reads them."""

    def __init__(self, host: Host, background: Background) -> None:
        self._host = host
        self._background = background
        #: The threads that wait, with the times of their questions, by workspace.
        self._waiting: dict[str, dict[ThreadKey, float]] = {}
        #: Threads that were queued before: Slack sends up to two events about one
        #: question, and may retry each.
        self._known: LruDict[ThreadKey, None] = LruDict(MOST)

    def follow(self, there: Workspace, message: Message) -> None:
        """Start to take in the replies to `message`, which is at the top of a channel
        and was stored late."""
        thread = message.thread
        if thread in self._known:
            return
        if sum(map(len, self._waiting.values())) >= MOST:
            log.info("slack.not_caught_up about=%s crowded", thread)
            return
        self._known[thread] = None
        waiting = self._waiting.get(thread.workspace)
        if waiting is None:
            waiting = self._waiting[thread.workspace] = {}
            work = self._read_all(there, thread.workspace, waiting)
            self._background.start("catch up", work, platform=PLATFORM)
        waiting[thread] = message.at

    async def _read_all(
        self, there: Workspace, workspace: str, waiting: dict[ThreadKey, float]
    ) -> None:
        """Read the threads that wait until none is left. Raises AccessRevoked."""
        try:
            while waiting:
                await self._read_together(there, waiting)
                # Pause after the last one, too: the next may be queued right after it.
                await asyncio.sleep(PACE)
        finally:
            del self._waiting[workspace]

    async def _read_together(
        self, there: Workspace, waiting: dict[ThreadKey, float]
    ) -> None:
        """Read the waiting threads of one channel that began at about the same time.
        Raises AccessRevoked."""
        first, at = next(iter(waiting.items()))
        group = {
            each: began
            for each, began in waiting.items()
            if each.channel == first.channel and abs(began - at) <= TOGETHER / 2
        }
        for thread in group:
            del waiting[thread]
        try:
            replied = await self._with_replies(there, first.channel, group)
        except DeliveryError as error:
            _log(first, len(group), error)
            return
        for n, thread in enumerate(replied):
            if n:
                await asyncio.sleep(PACE)
            await self._read(there, thread, group[thread])

    async def _with_replies(
        self, there: Workspace, channel: str, group: Mapping[ThreadKey, float]
    ) -> list[ThreadKey]:
        """Return the threads of `group` that may have replies from anybody but the bot.
        Raises DeliveryError or AccessRevoked."""
        times = group.values()
        seen = await there.history.replied(channel, min(times), max(times), PATIENCE)
        # A thread that is not on the page may have replies, but an app that may call
        # once a minute does not read threads that may be empty.
        unseen = not there.history.is_capped
        return [thread for thread in group if seen.get(thread.thread, unseen)]

    async def _read(self, there: Workspace, thread: ThreadKey, since: float) -> None:
        read = partial(take_in, self._host, there, thread, since)
        try:
            await retry_until_success(read, most=TRIES)
        except (DeliveryError, StorageError) as error:
            _log(thread, 1, error)


def _log(thread: ThreadKey, count: int, error: Exception) -> None:
    log.info("slack.not_caught_up about=%s threads=%d %s", thread, count, error)
