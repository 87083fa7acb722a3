"""Reads what people said below questions that were stored late.

Until such a question was stored, nobody knew that its thread is the bot's, and what was
said there meanwhile was let go by. After an outage many come at once, most of them with
nothing below.

Rule 1: one look at a channel tells of all its late questions which have replies, and
only those threads are read, each once.
Rule 2: in a workspace there is at most one look and one reading in `PACE` seconds: half
of the calls that Slack allows. Who answers needs the others.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from adapters.slack import missed_messages
from adapters.slack.config import PLATFORM
from adapters.slack.workspace import Workspace
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.errors import DeliveryError, StorageError
from bot.ports.host import Host
from bot.runtime.background import Background
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# In seconds; facts A5.1.
PACE = 2.4
# The time in which questions were asked that are looked for together, in seconds: what
# else was said in the channel meanwhile is on the same page.
TOGETHER = 600.0
# How many questions may wait in all, and how often one reading is tried.
MOST = 500
TRIES = 4
# How long a call may wait for rate limits, in seconds.
PATIENCE = 300.0


class LateThreads:
    """The threads of late questions, by workspace."""

    def __init__(self, host: Host, background: Background) -> None:
        self._host = host
        self._background = background
        #: By workspace: the threads that wait, with the times of their questions.
        self._waiting: dict[str, dict[ThreadKey, float]] = {}
        #: Slack tells of one question up to twice, and repeats each.
        self._known: LruDict[ThreadKey, None] = LruDict(MOST)

    def follow(self, there: Workspace, message: Message) -> None:
        """Have what was said below `message` taken in, which is at the top of a channel
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
        """Read the threads that wait, until there are none. Raises AccessRevoked."""
        try:
            while waiting:
                await self._read_together(there, waiting)
                # Also behind the last one: the next may come right after it.
                await asyncio.sleep(PACE)
        finally:
            del self._waiting[workspace]

    async def _read_together(
        self, there: Workspace, waiting: dict[ThreadKey, float]
    ) -> None:
        """Read those of one channel that were begun at about the same time. Raises
        AccessRevoked."""
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
        """Return those of `group` that may have replies of others than the bot. Raises
        DeliveryError, and AccessRevoked."""
        times = group.values()
        seen = await there.history.replied(channel, min(times), max(times), PATIENCE)
        # An app that reads once a minute reads nothing that may be empty.
        unseen = not there.history.is_capped
        return [thread for thread in group if seen.get(thread.thread, unseen)]

    async def _read(self, there: Workspace, thread: ThreadKey, since: float) -> None:
        inbox = self._host.inbox
        read = partial(missed_messages.take_in, inbox, there, thread, since)
        try:
            await retry_until_success(read, most=TRIES)
        except (DeliveryError, StorageError) as error:
            _log(thread, 1, error)


def _log(thread: ThreadKey, count: int, error: Exception) -> None:
    log.info("slack.not_caught_up about=%s threads=%d %s", thread, count, error)
