"""Reads earlier messages from Discord: of a thread, or at the top of a channel."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import discord

from adapters.discord import events, ids
from adapters.discord.client import Link, translated
from adapters.discord.name_cache import NameCache
from adapters.discord.thread_titles import title_of
from bot.domain.message import EarlierMessages, Message
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError

# How many messages of a long thread are read: the newest ones, and the first ones.
MOST_HISTORY = 500
BEGINNING = 20


class MessageHistory:
    """Implements `bot.ports.platform.MessageHistory` for the guilds of one bot."""

    def __init__(self, link: Link, names: NameCache) -> None:
        self._link = link
        self._names = names

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the title of `thread` and its messages before `message`, or all of its
        messages. Of a long thread, only the first and the newest are returned. Raises
        DeliveryError."""
        earlier = await self._before(thread, message)
        opening = next((each.text for each in earlier.messages if each.opens), "")
        title = await self._title(thread, opening)
        if title is None:
            return earlier
        gap = earlier.gap + 1 if earlier.missing != 0 else 0
        return replace(earlier, messages=(title, *earlier.messages), gap=gap)

    async def _before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        last = discord.Object(ids.number(message, "read a thread")) if message else None
        end, is_all = await self._in_thread(thread, MOST_HISTORY, before=last)
        if is_all:
            return EarlierMessages(tuple(end))
        number = ids.number(thread.thread, "read a thread")
        client = self._link.client
        guild = ids.number(thread.workspace, "read a thread")
        here = client.get_partial_messageable(number, guild_id=guild)
        async with translated("read a thread"):
            found = [
                each
                async for each in here.history(
                    limit=BEGINNING, oldest_first=True, before=last
                )
            ]
        known = {each.message for each in end}
        first = [
            each
            for each in self._convert(guild, thread, found)
            if each.message not in known
        ]
        # The message that opens a thread comes from another channel, and is in `end`
        # already.
        opening = [each for each in end if each.opens]
        rest = [each for each in end if not each.opens]
        head = [*opening, *first]
        if not first:
            return EarlierMessages((*head, *rest))
        missing = await self._count(number)
        if missing is not None:
            # The question itself is counted, too.
            is_asked = message is not None
            missing = max(1, missing - len(first) - len(rest) - is_asked)
        return EarlierMessages((*head, *rest), missing, len(head))

    async def _title(self, thread: ThreadKey, opening: str) -> Message | None:
        """Return the title of `thread` as a message; None if there is none, or if the
        text `opening` repeats it."""
        if thread.thread == thread.channel:
            return None
        number = ids.number(thread.thread, "read a thread")
        guild = self._link.client.get_guild(ids.parse_id(thread.workspace))
        found: object = guild.get_thread(number) if guild is not None else None
        if found is None:
            # The thread is archived, or this process has no gateway session.
            with contextlib.suppress(DeliveryError):
                async with translated("read the title of a thread"):
                    found = await self._link.client.fetch_channel(number)
        return title_of(found, thread, self._link.us, opening)

    async def _count(self, thread: int) -> int | None:
        """Return how many messages a thread has (facts B6); None if the lookup
        fails."""
        with contextlib.suppress(DeliveryError):
            # Not from the cache, whose count dates from when the thread appeared.
            async with translated("count the messages of a thread"):
                found = await self._link.client.fetch_channel(thread)
            if isinstance(found, discord.Thread):
                return found.message_count or None
        return None

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return the newest messages at the top of a channel, oldest first, without
        those of Discord's own, such as who joined. Raises DeliveryError."""
        if place.workspace == events.NO_GUILD:
            return []
        guild = ids.number(place.workspace, "read a channel")
        channel = self._link.client.get_partial_messageable(
            ids.number(place.channel, "read a channel"), guild_id=guild
        )
        after = datetime.fromtimestamp(since, UTC) if since is not None else None
        found: list[Message] = []
        async with translated("read a channel"):
            async for message in channel.history(
                limit=most + MOST_HISTORY, after=after, oldest_first=False
            ):
                [message] = self._cache_names(guild, [message])
                key = replace(place.key, thread=str(message.id))
                received = events.message_of(message, self._link.us, key)
                if received is not None:
                    found.append(received)
                if len(found) == most:
                    break
        return found[::-1]

    async def _in_thread(
        self, thread: ThreadKey, most: int, before: discord.Object | None = None
    ) -> tuple[list[Message], bool]:
        """Return the newest messages of a thread, oldest first, and whether these are
        all. Messages of Discord's own, such as those about a new name, are left out,
        but count towards `most`."""
        if thread.workspace == events.NO_GUILD:
            return [], True
        guild = ids.number(thread.workspace, "read a thread")
        number = ids.number(thread.thread, "read a thread")
        client = self._link.client
        here = client.get_partial_messageable(number, guild_id=guild)
        async with translated("read a thread"):
            found = [
                message async for message in here.history(limit=most, before=before)
            ]
        is_all = len(found) < most
        if thread.thread != thread.channel:
            channel = ids.number(thread.channel, "read a thread")
            parent = client.get_partial_messageable(channel, guild_id=guild)
            # Posts in forums, and threads without a parent message, have no such
            # message.
            with contextlib.suppress(DeliveryError):
                async with translated("read what a thread is about"):
                    found.append(await parent.fetch_message(number))
        return self._convert(guild, thread, found[::-1]), is_all

    def _convert(
        self, guild: int, thread: ThreadKey, found: list[discord.Message]
    ) -> list[Message]:
        received = [
            events.message_of(message, self._link.us, thread)
            for message in self._cache_names(guild, found[::-1])
        ]
        return [each for each in received if each is not None]

    def _cache_names(
        self, guild: int, found: list[discord.Message]
    ) -> list[discord.Message]:
        """Return `found` in reverse order, and cache the names that come with the
        messages."""
        for message in found:
            self._names.note(guild, [message.author, *message.mentions])
        return found[::-1]
