"""Finds the threads in which turns are answered, and creates missing ones.

Rule: creation is idempotent. A thread on a message has the message's id, so creating
it again finds it (platform facts B6); a question asked by command is searched for
before it is posted again.
"""

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import Literal
from weakref import WeakValueDictionary

import discord

from adapters.discord import events, ids, markup, outgoing
from adapters.discord.client import Link, translated
from adapters.discord.name_cache import NameCache
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import ThreadGone
from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

# Prefix of the interaction's id where that stands for a thread that does not exist yet.
ASKED = "asked-"
# How long to wait for the command's own response, in seconds. It is due within three
# (facts B2); the rest is for a slow network.
APPEARS = 10.0

# Error codes for a thread that exists already, or that has no message (facts B4).
THERE = {160004, 10008}

# Of how many threads it is remembered that they exist.
MOST = 10_000

# Of how many commands it is remembered that their question is about to be shown.
MOST_ROOTS = 1_000

# How many messages are searched for a question.
LOOK = 50

# Minutes without a message until a thread is archived; the next message opens it.
ARCHIVE_AFTER: Literal[1440] = 1440

#: The most characters of the message that a thread is created on.
CARD_CHARS = 1_900


class ThreadResolver:
    """The threads of one bot."""

    def __init__(self, link: Link, names: NameCache) -> None:
        self._link = link
        self._names = names
        #: The ids of messages that show a command's question, once known. Without an
        #: entry, the question is searched for.
        self._roots: LruDict[str, asyncio.Future[int]] = LruDict(MOST_ROOTS)
        self._there: LruDict[str, None] = LruDict(MOST)
        #: Locks of threads that are being created. A lock lives while it is held or
        #: waited for.
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def ask(self, guild: str, channel: str, interaction: int) -> ThreadKey:
        """Return the key of a thread that `interaction` asks for in a channel."""
        thread = ThreadKey(events.NAME, guild, channel, f"{ASKED}{interaction}")
        self._roots[thread.thread] = asyncio.get_running_loop().create_future()
        return thread

    def appeared(self, thread: ThreadKey, message: int | None) -> None:
        """Record that `message` shows the question of `thread`; None if no message
        does."""
        root = self._roots.get(thread.thread)
        if root is None:
            return
        if message is None:
            root.cancel()
            del self._roots[thread.thread]
        elif not root.done():
            root.set_result(message)

    def is_there(self, thread: str) -> None:
        """Record that `thread` exists."""
        self._there[thread] = None

    async def resolve(self, turn: Turn) -> ThreadKey:
        """Return the thread of `turn`; post the question that a command asked if that
        is not there yet. Raises DeliveryError or AccessRevoked."""
        thread = turn.thread
        if not thread.thread.startswith(ASKED):
            return thread
        root = await self._appearing(thread) or await self._find_or_post(turn)
        self._roots.pop(thread.thread, None)
        return replace(thread, thread=str(root))

    async def reach(self, turn: Turn) -> discord.PartialMessageable:
        """Return where to write the answer to `turn`; create its thread if necessary.

        Raises DeliveryError or AccessRevoked.
        """
        thread = turn.thread
        here = self._link.client.get_partial_messageable(
            ids.number(thread.thread, "thread"), guild_id=events.guild_of(thread)
        )
        # If part of the answer is shown, the thread was created. If people have deleted
        # it since, it is not created again.
        was_made = any(shown.message for shown in turn.shown)
        if thread.thread != thread.channel and not was_made:
            # Typing and the first post ask for it at the same time.
            async with self._making.setdefault(thread.thread, asyncio.Lock()):
                if not self._is_known(thread):
                    await self._make(turn)
        return here

    async def _make(self, turn: Turn) -> None:
        thread, client = turn.thread, self._link.client
        channel = ids.number(thread.channel, "make a thread")
        message = ids.number(thread.thread, "make a thread")
        name = await self._name(turn)
        async with translated("make a thread"):
            try:
                # Not the SDK's own method: it needs the guild, and after a restart we
                # write before the gateway has sent any.
                await client.http.start_thread_with_message(
                    channel,
                    message,
                    name=name,
                    auto_archive_duration=ARCHIVE_AFTER,
                )
            except discord.HTTPException as error:
                if error.code not in THERE:
                    raise
        self.is_there(thread.thread)

    def _is_known(self, thread: ThreadKey) -> bool:
        if thread.thread in self._there:
            return True
        guild = self._link.client.get_guild(ids.number(thread.workspace, "guild"))
        if guild is None:
            return False
        parent = guild.get_channel(ids.number(thread.channel, "channel"))
        # Posts in forums are never created by the bot.
        return (
            isinstance(parent, discord.ForumChannel)
            or guild.get_thread(ids.number(thread.thread, "thread")) is not None
        )

    async def _name(self, turn: Turn) -> str:
        if turn.opening is None:
            return markup.UNNAMED
        _, text = await self._names.readable(turn.opening)
        return markup.title(text)

    async def _appearing(self, thread: ThreadKey) -> int | None:
        """Return the id of the command's own response, or None if it does not
        appear."""
        root = self._roots.get(thread.thread)
        if root is None:
            return None
        await asyncio.wait({root}, timeout=APPEARS)
        return root.result() if root.done() and not root.cancelled() else None

    async def _find_or_post(self, turn: Turn) -> int:
        """Return the id of the message with the question of `turn`: the command's
        response, or a new post."""
        thread = turn.thread
        asked = ids.number(thread.thread.removeprefix(ASKED), "question")
        channel = self._link.client.get_partial_messageable(
            ids.number(thread.channel, "channel"), guild_id=events.guild_of(thread)
        )
        after = discord.Object(asked - 1)
        # Without permission to read, a second question is better than no answer.
        with contextlib.suppress(ThreadGone):
            async with translated("look for a question"):
                async for message in channel.history(
                    limit=LOOK, after=after, oldest_first=True
                ):
                    by = message.interaction_metadata
                    if by is None or by.id != asked:
                        continue
                    if not message.flags.loading:
                        return message.id
                    # It still says "thinking", and only the process that received the
                    # interaction could change that.
                    await message.delete()
        author, text = "Somebody", ""
        if turn.opening is not None:
            author, text = await self._names.readable(turn.opening)
        async with translated("post a question"):
            posted = await outgoing.post(
                channel, markup.quoted(author, text, CARD_CHARS), nonce=thread.thread
            )
        return posted.id
