"""Fetches messages that were missed before a gateway session began, or while a guild
was unavailable: those in the bot's threads, and mentions in the channels of those
threads and in their other threads.

Discord does not resend events that no session received (platform facts B1). Of several
gateways with the same shards, one fetches at a time. The inbox ignores messages that it
has stored already, so nothing is answered twice.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial

import discord

from adapters.discord import events, ids
from adapters.discord.client import Link
from adapters.discord.message_listener import MessageListener
from bot.domain.outage import Outage
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.errors import AccessRevoked
from bot.ports.host import Host
from bot.runtime.background import Background, report
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How recently a thread must have been used to be caught up with, in seconds.
RECENT = 86400.0
# Attempts at fetching the missed messages of a thread; pauses grow to half a minute.
MOST_TRIES = 6
# How many seconds before the last stored message fetching starts: a process killed
# while catching up may have stored a later message and not an earlier one.
OVERLAP = 600.0
# How far our clock and Discord's may differ, in seconds.
SKEW = 30.0
# The most unavailable guilds that are remembered.
MOST_GUILDS = 10_000
# The most shards of one process.
MOST_SHARDS = 10_000
# The resolution of the time in a message's id, in seconds.
EXACT = 0.001


class CatchingUp:
    """Fetches missed messages for the shards of this process, in tasks of
    `background`."""

    def __init__(
        self, link: Link, listener: MessageListener, host: Host, background: Background
    ) -> None:
        self._link = link
        self._listener = listener
        self._host = host
        self._background = background
        #: The shards for which a task was started.
        self._kept: LruDict[int, None] = LruDict(MOST_SHARDS)
        #: The recently used threads of each shard whose session is not ready yet.
        self._before_session: LruDict[int, list[tuple[ThreadKey, int]]] = LruDict(
            MOST_SHARDS
        )
        #: Since when the events of unavailable guilds are missed, in seconds since
        #: 1970, by guild.
        self._unavailable: LruDict[int, float] = LruDict(MOST_GUILDS)

    async def connected(self, shard: int) -> None:
        """Read what was stored before the new session of `shard`. Messages may arrive
        seconds before the session is ready, and are newer than its gap."""
        newest = await retry_until_success(self._newest)
        self._before_session[shard] = [e for e in newest if self._is_in(e[0], shard)]

    async def began(self, shard: int) -> None:
        """Note the gap before the new session of `shard`; a background task fetches the
        messages missed in it."""
        if shard not in self._before_session:
            await self.connected(shard)
        newest = self._before_session.pop(shard, [])
        if newest:
            since = max(_time(last) for _, last in newest)
            await self._host.outages.note(self._name(shard), since)
        for guild in self._link.client.guilds:
            if guild.unavailable and guild.shard_id == shard:
                last = [_time(m) for t, m in newest if t.workspace == str(guild.id)]
                self.guild_lost(guild.id, max(last, default=time.time()))
        if shard not in self._kept:
            self._kept[shard] = None
            fetch = partial(self._fetch_all, shard)
            work = self._host.outages.keep(self._name(shard), fetch)
            self._background.start("catch up", work)

    def guild_lost(self, guild: int, since: float) -> None:
        """Note that no events of `guild` arrive, since a time in seconds since 1970."""
        self._unavailable.setdefault(guild, since)

    async def guild_found(self, guild: discord.Guild) -> None:
        """Fetch the messages missed while `guild` was unavailable, if it was. Discord
        does not send them (facts B1)."""
        since = self._unavailable.pop(guild.id, None)
        if since is not None:
            await self._host.outages.note(self._name(guild.shard_id), since - SKEW)

    def _name(self, shard: int) -> str:
        return f"{events.NAME} {shard}/{self._link.client.shard_count or 1}"

    async def _newest(self) -> list[tuple[ThreadKey, int]]:
        """Return the recently used threads, each with the id of its last message."""
        since = time.time() - RECENT
        found = await self._host.conversations.newest(events.NAME, since)
        return [(thread, ids.number(last, "message")) for thread, last in found]

    async def _fetch_all(self, shard: int, outage: Outage) -> None:
        """Fetch messages missed since `outage` began, in threads of `shard` and in
        their channels."""
        first = discord.utils.time_snowflake(
            datetime.fromtimestamp(outage.since + EXACT, UTC), high=True
        )
        newest = await retry_until_success(self._newest)
        for thread, last in newest:
            # Messages that arrived after the outage are stored by now.
            known = min(last, first)
            if self._may_have_missed(thread, known, shard):
                fetch = partial(self._listener.fetch, thread, _before(known))
                await _fetch(fetch, thread)
        used = {thread.thread for thread, _ in newest}
        for place in dict.fromkeys(_channel(thread) for thread, _ in newest):
            for channel in self._busy(place, first, shard, used):
                fetch = partial(self._listener.fetch_mentions, channel, _before(first))
                await _fetch(fetch, place)

    def _is_in(self, thread: ThreadKey, shard: int) -> bool:
        if thread.workspace == events.NO_GUILD:
            # Direct messages arrive on the first shard only (facts B1).
            return shard == 0
        guild = self._guild(thread)
        return guild is not None and guild.shard_id == shard

    def _guild(self, thread: ThreadKey) -> discord.Guild | None:
        return self._link.client.get_guild(ids.number(thread.workspace, "guild"))

    def _may_have_missed(self, thread: ThreadKey, known: int, shard: int) -> bool:
        if not self._is_in(thread, shard) or thread.workspace == events.NO_GUILD:
            return self._is_in(thread, shard)
        guild = self._guild(thread)
        if guild is None or not ids.is_id(thread.thread):
            return False
        place = guild.get_channel_or_thread(int(thread.thread))
        # An archived thread, which is not cached, has had no message for a long time.
        newest = getattr(place, "last_message_id", None)
        return newest is not None and (newest > known or _is_fresh(known))

    def _busy(
        self, place: Scope, known: int, shard: int, used: Collection[str]
    ) -> list[discord.TextChannel | discord.Thread]:
        """Return the channel at `place` and its threads, without those in `used`, as
        far as they have a message newer than the id `known`. Archived threads have
        none."""
        if place.workspace == events.NO_GUILD or not self._is_in(place.key, shard):
            return []
        guild = self._guild(place.key)
        channel = guild.get_channel(ids.parse_id(place.channel)) if guild else None
        found: list[discord.TextChannel | discord.Thread] = []
        if isinstance(channel, events.Threaded):
            found.append(channel)
        if isinstance(channel, discord.TextChannel | discord.ForumChannel):
            found += [each for each in channel.threads if str(each.id) not in used]
        return [each for each in found if (each.last_message_id or 0) > known]


async def _fetch(fetch: Callable[[], Awaitable[None]], place: object) -> None:
    """Call `fetch`, with a limited number of retries because other places wait. Raises
    AccessRevoked."""
    try:
        await retry_until_success(fetch, most=MOST_TRIES)
    except AccessRevoked:
        # All other places would meet the same error.
        raise
    except Exception as error:
        # An error in one place must not keep the others from being caught up with.
        log.warning("discord.not_caught_up place=%s", place)
        report("catch up", error)


def _channel(thread: ThreadKey) -> Scope:
    return Scope.of(thread).at(ScopeLevel.CHANNEL)


def _time(message: int) -> float:
    """Return the time of the message with the id `message`, in seconds since 1970."""
    return discord.utils.snowflake_time(message).timestamp()


def _is_fresh(message: int) -> bool:
    """Return whether `message` is so recent that earlier messages may not be stored."""
    return time.time() - _time(message) < OVERLAP


def _before(message: int) -> discord.Object:
    """Return the point from which to fetch messages missed around `message`."""
    said = discord.utils.snowflake_time(message)
    return discord.Object(
        max(0, discord.utils.time_snowflake(said - timedelta(seconds=OVERLAP)))
    )
