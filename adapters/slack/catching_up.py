"""Fetches what was said while nothing of Slack's arrived.

Slack repeats an event for some minutes and then gives it up (platform facts A2). After
a longer outage, of this process or of the way to it, the messages missed in the bot's
threads are fetched, and the mentions at the top of the channels that have such threads.

Rule 1: each message goes through the inbox, which knows those that it has, so that none
is answered twice.
Rule 2: people come first. Fetching is bounded, leaves them half of the calls that Slack
allows, and nothing waits for it. What it leaves out is logged.
"""

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from adapters.slack.config import PLATFORM
from adapters.slack.missed_messages import MOST, OVERLAP, PATIENCE, take_in
from adapters.slack.routed import Workspaces
from adapters.slack.workspace import Workspace
from bot.domain.scope import Scope, ThreadKey
from bot.errors import AccessRevoked, DeliveryError, Throttled
from bot.ports.host import Host, Inbox
from bot.runtime.background import Background, report
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How long Slack may have sent nothing before anything is fetched, in seconds: it
# repeats an event last after five or six minutes (facts A2).
AWAY = 240.0
# How recently a thread must have been used to be caught up with, in seconds.
RECENT = 86400.0

# With how many workspaces it catches up at once, and for how many seconds: what is as
# old is not answered.
TEAMS_AT_ONCE = 50
LONGEST = 3600.0
# The most threads and channels of a workspace that are read.
MOST_READ = 300
# The same for an app that may call once a minute (facts A5.2).
MOST_READ_CAPPED = 15

# How many are read at once, and the pause before each further one, in seconds: half of
# the calls that Slack allows (facts A5.1).
AT_ONCE = 8
PACE = 2.4


@dataclass(slots=True)
class _Thread:
    """A thread, and from when on its messages may be missing, in seconds since 1970."""

    key: ThreadKey
    since: float


class CatchingUp:
    """Catches up with all workspaces, in the background, and in one process at a
    time."""

    def __init__(
        self, host: Host, workspaces: Workspaces, background: Background
    ) -> None:
        self._host = host
        self._workspaces = workspaces
        self._background = background
        self._few = asyncio.Semaphore(TEAMS_AT_ONCE)

    async def start(self) -> None:
        """Go on with what an earlier process left. If the last of what is stored is
        older than what Slack repeats, fetch what followed. Raises StorageError."""
        # Before anything new arrives.
        if known := await self._known():
            self.missed(max(each.since for each in known))
        work = self._host.outages.keep(PLATFORM, self._fetch_all)
        self._background.start("catch up", work, platform=PLATFORM)

    def missed(self, since: float) -> None:
        """Fetch what was said since then, in seconds since 1970, unless Slack repeats
        it."""
        if time.time() - since >= AWAY:
            work = self._host.outages.note(PLATFORM, since)
            self._background.start("note an outage", work, platform=PLATFORM)

    async def _known(self) -> list[_Thread]:
        """Return the threads that were used lately, those that were used last at the
        end."""
        newest = await self._host.conversations.newest(PLATFORM, time.time() - RECENT)
        return [_Thread(thread, float(last)) for thread, last in newest]

    async def _fetch_all(self, since: float) -> None:
        """Fetch what the known threads and their channels miss since then."""
        known = await retry_until_success(self._known)
        # Messages that arrived after the outage are stored by now.
        known = [_Thread(each.key, min(each.since, since)) for each in known]
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
                await _Team(self._host.inbox, there, known).fetch(end)


class _Team:
    """The reading of `known` threads of one workspace, and of their channels."""

    def __init__(
        self, inbox: Inbox, there: Workspace, known: Sequence[_Thread]
    ) -> None:
        self._inbox = inbox
        self._there = there
        self._known = {each.key for each in known}
        self._since = {each.key.channel: each.since for each in known}
        #: The threads and channels to read, next first: what was used last comes first,
        #: since what is old is not answered.
        self._waiting = deque[_Thread | str]()
        channels = set[str]()
        for each in reversed(known):
            if each.key.channel not in channels:
                channels.add(each.key.channel)
                self._waiting.append(each.key.channel)
            self._waiting.append(each)

    async def fetch(self, end: float) -> None:
        """Read them one by one until `end`, on the monotonic clock. Raises
        AccessRevoked."""
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
                    await take_in(self._inbox, self._there, found.key, found.since)
            except AccessRevoked:
                # It would be the same for all others.
                raise
            except Throttled:
                self._waiting.appendleft(found)
                break
            except DeliveryError as error:
                # Left, deleted, or a scope is missing, which is reported by itself.
                failed += 1
                log.info("slack.not_read team=%s %s", self._there.us.team, error)
            except Exception as error:
                # Whatever it is, the others are read.
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
        """Take in the mentions at the top of `channel`; their threads come next, since
        people may have gone on there."""
        place = Scope(PLATFORM, self._there.us.team, channel)
        found = await self._there.history.recent(
            *(place, MOST, self._since[channel] - OVERLAP), patience=PATIENCE
        )
        missed = [each for each in found if each.addressed and not each.echo]
        for each in missed:
            await retry_until_success(partial(self._inbox.receive, each))
        self._waiting.extendleft(
            _Thread(each.thread, each.at)
            for each in missed
            if each.thread not in self._known
        )
