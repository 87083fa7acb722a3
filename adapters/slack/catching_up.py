"""Fetches the messages that were posted while no events arrived from Slack.

Slack retries an event for some minutes and then drops it (platform facts A2). After a
longer outage of this process or of its connection, two kinds of missed messages are
fetched: those in the bot's threads, and mentions at the top of their channels.

Rule 1: each message goes through the inbox, which drops messages that it already has,
so that none is answered twice.
Rule 2: people come first. Fetching is bounded, uses at most half of the calls that
Slack allows, and nothing waits for it. Threads and channels left out are logged.
"""

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from adapters.slack.config import PLATFORM
from adapters.slack.missed_messages import MOST, OVERLAP, PACE, PATIENCE, take_in
from adapters.slack.routed import Workspaces
from adapters.slack.workspace import Workspace
from bot.domain.outage import WITHIN, Outage
from bot.domain.scope import Scope, ThreadKey
from bot.errors import AccessRevoked, DeliveryError, Throttled
from bot.ports.host import Host
from bot.runtime.background import Background, report
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# The shortest outage after which messages are fetched, in seconds. Slack retries an
# event for the last time after five or six minutes (facts A2).
AWAY = 240.0
# The time whose events Slack leaves out at once if there are too many, in seconds
# (facts A2).
MINUTE = 60.0
# How recently a thread must have been used for its messages to be fetched, in seconds.
RECENT = 86400.0

# The most workspaces for which the last limited minute is remembered.
MOST_LIMITED = 1_000

# The number of workspaces that are caught up with at once, and the longest time to do
# so, in seconds: older messages are not answered anyway.
TEAMS_AT_ONCE = 50
LONGEST = 3600.0
# The most threads and channels that are read in one workspace.
MOST_READ = 300
# The same for an app that may call once a minute (facts A5.2).
MOST_READ_CAPPED = 15

# The number of threads and channels that are read without a pause.
AT_ONCE = 8


@dataclass(slots=True)
class _Thread:
    """A thread and the time since when messages may be missing, in seconds since
    1970."""

    key: ThreadKey
    since: float


class CatchingUp:
    """Catches up with all workspaces, in the background and in one process at a
    time."""

    def __init__(
        self, host: Host, workspaces: Workspaces, background: Background
    ) -> None:
        self._host = host
        self._workspaces = workspaces
        self._background = background
        #: The last minute whose events Slack leaves out, by workspace.
        self._limited: LruDict[str, float] = LruDict(MOST_LIMITED)
        self._few = asyncio.Semaphore(TEAMS_AT_ONCE)

    async def start(self) -> None:
        """Resume the work that an earlier process left unfinished. If the newest stored
        message is older than the events that Slack retries, fetch the messages after
        it. Raises StorageError."""
        # Read before new messages arrive.
        if known := await self._known():
            self.missed(max(each.since for each in known))
        work = self._host.outages.keep(PLATFORM, self._fetch_missed)
        self._background.start("catch up", work, platform=PLATFORM)

    def missed(self, since: float) -> None:
        """Fetch the messages posted after `since`, in seconds since 1970, unless Slack
        retries their events."""
        if time.time() - since >= AWAY:
            work = self._host.outages.note(PLATFORM, since)
            self._background.start("note an outage", work, platform=PLATFORM)

    def left_out(self, team: str, since: float) -> None:
        """Fetch the messages of workspace `team` in the minute that began at `since`,
        in seconds since 1970, once it is over: Slack leaves out its events and never
        retries them."""
        self._limited[team] = max(since, self._limited.get(team, since))
        work = self._host.outages.note(f"{PLATFORM}{WITHIN}{team}", since)
        self._background.start("note an outage", work, platform=PLATFORM)

    async def _known(self) -> list[_Thread]:
        """Return the recently used threads, the most recently used one last."""
        newest = await self._host.conversations.newest(PLATFORM, time.time() - RECENT)
        return [_Thread(thread, float(last)) for thread, last in newest]

    async def _fetch_missed(self, outage: Outage) -> None:
        team = outage.name.partition(WITHIN)[2]
        if team:
            minute = max(outage.since, self._limited.get(team, outage.since))
            await asyncio.sleep(max(0.0, minute + MINUTE - time.time()))
        await self._fetch_all(outage.since, team)

    async def _fetch_all(self, since: float, only: str) -> None:
        """Fetch the messages after `since` of the known threads and their channels, in
        the workspace `only` or, if that is "", in all."""
        known = await retry_until_success(self._known)
        # Messages that arrived after the outage are stored by now.
        known = [
            _Thread(each.key, min(each.since, since))
            for each in known
            if only in ("", each.key.workspace)
        ]
        log.info("slack.catching_up threads=%d", len(known))
        teams = defaultdict[str, list[_Thread]](list)
        for each in known:
            teams[each.key.workspace].append(each)
        end = time.monotonic() + LONGEST
        fetching = [
            self._background.start(
                "catch up", self._fetch_team(team, threads, end), platform=PLATFORM
            )
            for team, threads in teams.items()
        ]
        if fetching:
            await asyncio.wait(fetching)

    async def _fetch_team(
        self, team: str, known: Sequence[_Thread], end: float
    ) -> None:
        async with self._few:
            there = await self._workspaces.get(team)
            if there.us.team == team:
                await _WorkspaceReader(self._host, there, known).fetch(end)


class _WorkspaceReader:
    """Reads the `known` threads of one workspace, and their channels."""

    def __init__(self, host: Host, there: Workspace, known: Sequence[_Thread]) -> None:
        self._host = host
        self._there = there
        self._known = {each.key for each in known}
        self._since = {each.key.channel: each.since for each in known}
        #: The threads and channels to read, in order: the most recently used ones come
        #: first, since old messages are not answered.
        self._waiting = deque[_Thread | str]()
        channels = set[str]()
        for each in reversed(known):
            if each.key.channel not in channels:
                channels.add(each.key.channel)
                self._waiting.append(each.key.channel)
            self._waiting.append(each)

    async def fetch(self, end: float) -> None:
        """Read the threads and channels one by one until `end`, on the monotonic clock.
        Raises AccessRevoked."""
        count = failed = 0
        while self._waiting and count < self._most and time.monotonic() < end:
            count += 1
            if count > AT_ONCE:
                await asyncio.sleep(PACE)
            found = self._waiting.popleft()
            try:
                if isinstance(found, str):
                    await self._read_channel(found)
                else:
                    await take_in(self._host, self._there, found.key, found.since)
            except AccessRevoked:
                # All other threads and channels would fail in the same way.
                raise
            except Throttled:
                self._waiting.appendleft(found)
                break
            except DeliveryError as error:
                # The bot left the channel, the thread was deleted, or a scope is
                # missing, which is reported elsewhere.
                failed += 1
                log.info("slack.not_read team=%s %s", self._there.us.team, error)
            except Exception as error:
                # An unexpected error must not keep the others from being read.
                failed += 1
                report("catch up", error)
        if left := failed + len(self._waiting):
            log.warning(
                "slack.not_caught_up team=%s threads_and_channels=%d",
                *(self._there.us.team, left),
            )

    @property
    def _most(self) -> int:
        return MOST_READ_CAPPED if self._there.history.is_capped else MOST_READ

    async def _read_channel(self, channel: str) -> None:
        """Take in the mentions at the top of `channel`. Their threads are read next,
        since people may have continued there."""
        place = Scope(PLATFORM, self._there.us.team, channel)
        found = await self._there.history.recent(
            *(place, MOST, self._since[channel] - OVERLAP),
            patience=PATIENCE,
            shared=await self._there.people.is_shared(channel),
        )
        missed = [each for each in found if each.addressed and not each.echo]
        for each in missed:
            await retry_until_success(partial(self._host.inbox.receive, each))
        self._waiting.extendleft(
            _Thread(each.thread, each.at)
            for each in missed
            if each.thread not in self._known
        )
