"""Caches display names for the ids in messages.

Without the Server Members intent, Discord does not list the people of a guild. So names
are taken from incoming messages, and missing names are looked up one by one.

Rule: names are optional, and no answer waits long for them. The lookups for a message
are limited in number and concurrency; ids without a name stay ids.
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
from bot.runtime.background import report
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload
from bot.text import references
from bot.text.characters import replace_invalid
from bot.text.references import ReferenceKind

log = logging.getLogger(__name__)

# How many names are cached.
MOST = 10_000

# How many names are looked up for one message, including its author's; and for all
# messages of one call together.
MOST_NAMES = 49
MOST_TOGETHER = 100
# How many names are looked up at once, and how long all lookups may take, in seconds:
# discord.py waits for rate limits inside a call.
AT_ONCE = 4
PATIENCE = 5.0


class NameCache:
    """Display names by guild and user; the guild is None for direct messages."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: LruDict[tuple[int | None, int], str] = LruDict(MOST)
        # A lock lives while it is held or waited for.
        self._asking: WeakValueDictionary[tuple[int | None, int], asyncio.Lock] = (
            WeakValueDictionary()
        )

    def note(self, guild: int | None, people: Iterable[discord.abc.User]) -> None:
        """Cache the names of `people`, which came with a message."""
        for each in people:
            self._known[guild, each.id] = replace_invalid(each.display_name)

    async def display_names(self, guild: int | None, text: str) -> dict[str, str]:
        """Return the names in `guild` of the people that `text` refers to, by id. Names
        that cannot be looked up are left out. Never raises."""
        named = references.find(text)
        users = sorted({e.id for e in named if e.kind is ReferenceKind.USER})
        wanted = [(guild, user) for user in users]
        try:
            await self._find(wanted, dict.fromkeys(wanted, True))
        except Exception as error:
            # Names are optional: the text is shown with ids instead.
            report("find names for a text", error)
        return self._names(guild, users)

    async def name(self, guild: int | None, user: str) -> str:
        """Return the name of `user` in `guild`, looked up if necessary; "" if there is
        none, or the lookup fails."""
        wanted = [(guild, user)]
        await self._find(wanted, dict.fromkeys(wanted, True))
        return self._names(guild, [user]).get(user, "")

    async def readable(self, message: Message) -> tuple[str, str]:
        """Return the author's name and the text of a message, with names for ids and
        without the bot's mention."""
        [readable] = await self.readable_all([message])
        return readable

    async def readable_all(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return the author's name and the text of each message, as `readable` does."""
        # Authors come first, in case not all can be looked up.
        wanted: dict[tuple[int | None, str], bool] = {}
        for each in messages:
            guild = events.guild_of(each.thread)
            self._introduce(guild, each)
            for user in [each.author, *markup.users(each.text)][:MOST_NAMES]:
                known = wanted.get((guild, user), False)
                wanted[guild, user] = known or user == each.author
        first = sorted(wanted, key=lambda each: not wanted[each])
        await self._find(first, wanted)
        readable = []
        for each in messages:
            readable.append(await self._readable(each))
            # If all names are cached, nothing else here yields to the event loop.
            await asyncio.sleep(0)
        return readable

    async def _readable(self, message: Message) -> tuple[str, str]:
        guild = events.guild_of(message.thread)
        home = await self._home(guild)
        names = self._names(guild, [message.author, *markup.users(message.text)])
        ours = [str(self._link.us)]
        if home is not None and home.self_role is not None:
            ours.append(str(home.self_role.id))
        places = [*home.channels, *home.threads] if home else []
        read = partial(
            markup.read,
            message.text,
            ours,
            users=names,
            roles={str(each.id): each.name for each in home.roles} if home else {},
            channels={str(each.id): each.name for each in places},
        )
        text = replace_invalid(await offload(read, len(message.text)))
        return names.get(message.author, message.author), text

    def _introduce(self, guild: int | None, message: Message) -> None:
        """Cache the name that came with a message, unless one is known."""
        if message.name and ids.is_id(message.author):
            self._known.setdefault((guild, int(message.author)), message.name)

    async def _home(self, guild: int | None) -> discord.Guild | None:
        if not guild:
            return None
        try:
            return await self._link.guild(guild)
        except (DeliveryError, AccessRevoked) as error:
            log.info("discord.unnamed guild=%s %s", guild, error)
            return None

    def _names(self, guild: int | None, users: Iterable[str]) -> dict[str, str]:
        """Return the cached names of `users`, by id."""
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
        """Look up the names of `wanted` that are not cached, in order and within the
        limits."""
        unknown = [
            (guild, int(user), authors[guild, user])
            for guild, user in wanted
            if ids.is_id(user) and (guild, int(user)) not in self._known
        ]
        if not unknown:
            return
        asked = iter(unknown[:MOST_TOGETHER])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(self._learn(asked) for _ in range(AT_ONCE)))

    async def _learn(self, asked: Iterator[tuple[int | None, int, bool]]) -> None:
        for guild, user, is_author in asked:
            # Naming a thread and reading its question look up the same name at once.
            lock = self._asking.setdefault((guild, user), asyncio.Lock())
            async with lock:
                if (guild, user) not in self._known:
                    name = await self._ask(guild, user, is_author)
                    self._known[guild, user] = replace_invalid(name)

    async def _ask(self, guild: int | None, user: int, is_author: bool) -> str:
        client = self._link.client
        home = client.get_guild(guild) if guild else None
        if guild and home is None and not self._link.hears(guild):
            home = await self._home(guild)
        try:
            async with translated("find a name"):
                if home is None:
                    return (await client.fetch_user(user)).display_name
                try:
                    return (await home.fetch_member(user)).display_name
                except discord.NotFound:
                    # The person left the guild, or was never in it. An author was in
                    # it, and is worth a second call; other people get their names from
                    # their own messages.
                    if not is_author:
                        return ""
                return (await client.fetch_user(user)).display_name
        except (DeliveryError, AccessRevoked) as error:
            log.info("discord.unnamed user=%s %s", user, error)
            return ""
