"""Reads guilds by REST, with their roles, channels and threads, if their events do not
arrive in this process.

A process that only answers has no gateway session, and a process with some of the
shards receives the events of some guilds. Guilds that are read are put into the SDK's
cache. They are read again after some minutes, which is how long a removed role or
permission may still count.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import discord

from bot.runtime.lru import LruDict

# How long a guild is kept, in seconds.
FRESH = 300.0

# How long to remember that the bot is not in a guild, in seconds.
ABSENT = 30.0

# How many guilds are kept: a large one takes almost a megabyte.
MOST = 200


class RestGuilds:
    """The guilds that one client reads by REST."""

    def __init__(
        self, client: discord.Client, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._now = now
        #: When each guild was read.
        self._read: LruDict[int, float] = LruDict(MOST)
        # A lock lives while it is held or waited for.
        self._reading: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def find(self, guild: int, fresh: float = FRESH) -> discord.Guild | None:
        """Return a guild as it was at most `fresh` seconds ago; None if the bot is not
        in it. Raises the SDK's errors."""
        lock = self._reading.setdefault(guild, asyncio.Lock())
        async with lock:
            at = self._read.get(guild, float("-inf"))
            if self._now() - at > fresh:
                await self._look_up(guild)
        return self._client.get_guild(guild)

    async def _look_up(self, guild: int) -> None:
        known = self._client._connection
        try:
            data = await self._all_of(guild)
        except (discord.NotFound, discord.Forbidden):
            known._guilds.pop(guild, None)
            # Discord bans a bot with too many failed requests (facts B4).
            self._read[guild] = self._now() - FRESH + ABSENT
            return
        if guild not in self._read and len(self._read) == self._read.most:
            oldest, _ = self._read.popitem()
            known._guilds.pop(oldest, None)
        known._add_guild_from_data(data)
        self._read[guild] = self._now()

    async def _all_of(self, guild: int) -> Any:
        """Return a guild as the gateway would send it, with the bot as its only known
        member."""
        http, us = self._client.http, self._client.user
        assert us is not None
        data: Any = await http.get_guild(guild, with_counts=False)
        channels, threads, member = await asyncio.gather(
            http.get_all_guild_channels(guild),
            http.get_active_threads(guild),
            http.get_member(guild, us.id),
        )
        return {
            **data,
            "channels": channels,
            "threads": threads["threads"],
            "members": [member],
        }
