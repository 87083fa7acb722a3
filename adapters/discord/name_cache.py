"""Finds the names that people see for the ids in what they say.

Without the intent for members nobody tells us who is in a guild, so names are
taken from the messages that come by, and asked for one by one where that is not
enough.

Rule: a name is nice to have, and no answer waits long for it. Of each message at most
so many are looked up, a few at a time; what is not looked up stays an id.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from weakref import WeakValueDictionary

import discord

from adapters.discord import events, ids, markup
from adapters.discord.client import Link, translated
from bot.domain.message import Message
from bot.errors import AccessRevoked, DeliveryError
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload

log = logging.getLogger(__name__)

# How many names are remembered; the one not needed for longest goes first.
MOST = 10_000

# How many names a message has looked up at the most, who wrote it included; and all
# messages that Claude reads at once together.
MOST_NAMES = 49
MOST_TOGETHER = 100
# How many are looked up at once for them, and how long that may take in all, in
# seconds: discord.py waits out rate limits inside a call.
AT_ONCE = 4
PATIENCE = 5.0


class NameCache:
    """Display names by guild and user; those of direct messages under None."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: LruDict[tuple[int | None, int], str] = LruDict(MOST)
        # A lock lives as long as somebody waits for it.
        self._asking: WeakValueDictionary[tuple[int | None, int], asyncio.Lock] = (
            WeakValueDictionary()
        )

    def note(self, guild: int | None, people: Iterable[discord.abc.User]) -> None:
        """Remember what `people`, of whom a message told us, are called."""
        for each in people:
            self._known[guild, each.id] = each.display_name

    async def readable(self, heard: Message) -> tuple[str, str]:
        """Who said `heard`, and its text with names for ids and without our mention."""
        [readable] = await self.readable_all([heard])
        return readable

    async def readable_all(self, heard: Sequence[Message]) -> list[tuple[str, str]]:
        """The same of each of `heard`."""
        # Who speaks comes before who is spoken of, where not all can be looked up.
        wanted: dict[tuple[int | None, str], bool] = {}
        for each in heard:
            guild = events.guild_of(each.thread)
            for user in [each.author, *markup.users(each.text)][:MOST_NAMES]:
                known = wanted.get((guild, user), False)
                wanted[guild, user] = known or user == each.author
        first = sorted(wanted, key=lambda each: not wanted[each])
        await self._find(first, wanted)
        readable = []
        for each in heard:
            readable.append(await self._readable(each))
            # Where all names are known, nothing else here lets others have a turn.
            await asyncio.sleep(0)
        return readable

    async def _readable(self, heard: Message) -> tuple[str, str]:
        guild = events.guild_of(heard.thread)
        home = await self._link.guild(guild) if guild else None
        names = self._names(guild, [heard.author, *markup.users(heard.text)])
        ours = [str(self._link.us)]
        if home is not None and home.self_role is not None:
            ours.append(str(home.self_role.id))
        places = [*home.channels, *home.threads] if home else []
        read = partial(
            markup.read,
            heard.text,
            ours,
            users=names,
            roles={str(each.id): each.name for each in home.roles} if home else {},
            channels={str(each.id): each.name for each in places},
        )
        text = await offload(read, len(heard.text))
        return names.get(heard.author, heard.author), text

    def _names(self, guild: int | None, users: Iterable[str]) -> dict[str, str]:
        """The names of `users` that are known, by id."""
        known = {
            user: self._known[guild, int(user)]
            for user in users
            if ids.is_id(user) and (guild, int(user)) in self._known
        }
        return {user: name for user, name in known.items() if name}

    async def _find(
        self,
        wanted: Sequence[tuple[int | None, str]],
        authors: Mapping[tuple[int | None, str], bool],
    ) -> None:
        """Look up as many of `wanted` as may be, the first ones first."""
        unknown = [
            (guild, int(user), authors[guild, user])
            for guild, user in wanted
            if ids.is_id(user) and (guild, int(user)) not in self._known
        ]
        asked = iter(unknown[:MOST_TOGETHER])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(self._learn(asked) for _ in range(AT_ONCE)))

    async def _learn(self, asked: Iterator[tuple[int | None, int, bool]]) -> None:
        for guild, user, is_author in asked:
            # A thread is named and its question read at the same time.
            lock = self._asking.setdefault((guild, user), asyncio.Lock())
            async with lock:
                if (guild, user) not in self._known:
                    name = await self._ask(guild, user, is_author)
                    self._known[guild, user] = name

    async def _ask(self, guild: int | None, user: int, is_author: bool) -> str:
        client = self._link.client
        home = client.get_guild(guild) if guild else None
        try:
            async with translated("find a name"):
                if home is None:
                    return (await client.fetch_user(user)).display_name
                try:
                    return (await home.fetch_member(user)).display_name
                except discord.NotFound:
                    # They left, or never were there. Who speaks was, and is worth a
                    # second call; of the others their message tells the names.
                    if not is_author:
                        return ""
                return (await client.fetch_user(user)).display_name
        except (DeliveryError, AccessRevoked) as error:
            log.info("discord.unnamed user=%s %s", user, error)
            return ""
