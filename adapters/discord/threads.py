"""Finds the threads in which turns are answered, and creates missing ones.

Rule 1: creation is idempotent. A thread on a message has the message's id, so creating
it again finds it (platform facts B6); a question asked by command is searched for
before it is posted again.
Rule 2: whoever asked gets an answer. If no thread can be created, the answer is written
in the channel, as replies to the question.
"""

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import Literal
from weakref import WeakValueDictionary

import discord

from adapters.discord import events, ids, markup, outgoing, thread_names
from adapters.discord.client import Link, translated
from adapters.discord.name_cache import NameCache
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import DeliveryError, ThreadGone
from bot.messages.phrases import SOMEBODY
from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

# Prefix of an interaction's id that is used as the id of a thread until it exists.
ASKED = "asked-"
# How long to wait for the command's own response, in seconds. It is due within three
# (facts B2); the rest is for a slow network.
APPEARS = 10.0

# Error codes for a thread that exists already, or that has no message (facts B4).
THERE = {160004, 10008}
# The error code for a channel without threads on messages, and for a forum, whose
# threads always exist.
OTHER_KIND = 50024
# Error codes for a channel that is gone or hidden: nothing can be written there either.
NO_CHANNEL = {10003, 50001}
# Error codes for a name that Discord or the server's AutoMod rejects.
NOT_A_NAME = {50035, 200000, 200001}

# The most threads whose existence is remembered.
MOST = 10_000

# The most commands that are remembered until their question is shown.
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
        #: The threads that could not be created.
        self._without: LruDict[str, None] = LruDict(MOST)
        #: Locks of threads that are being created. A lock lives while it is held or
        #: waited for.
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def ask(self, guild: str, channel: str, interaction: int) -> ThreadKey:
        """Return a temporary key for the thread that `interaction` asks for in
        `channel`."""
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
        """Return the thread of `turn`. If a command asked the question and no message
        shows it yet, post it. Raises DeliveryError or AccessRevoked."""
        thread = turn.thread
        if not thread.thread.startswith(ASKED):
            return thread
        root = await self._appearing(thread) or await self._find_or_post(turn)
        self._roots.pop(thread.thread, None)
        return replace(thread, thread=str(root))

    async def reach(self, turn: Turn) -> discord.PartialMessageable:
        """Return the place for the answer to `turn`: its thread, which is created if
        necessary, or its channel if no thread can be created.

        Raises DeliveryError or AccessRevoked.
        """
        thread = turn.thread
        if thread.thread != thread.channel:
            # Typing and the first post need the thread at the same time.
            async with self._making.setdefault(thread.thread, asyncio.Lock()):
                if not await self._has_thread(turn):
                    return self._place(thread, thread.channel)
        return self._place(thread, thread.thread)

    def question(
        self, turn: Turn, channel: discord.PartialMessageable
    ) -> discord.MessageReference | None:
        """Return a reference to the question for an answer in `channel`; None in a
        thread, where the answer need not be a reply."""
        thread = turn.thread
        if thread.thread == thread.channel or str(channel.id) == thread.thread:
            return None
        return discord.MessageReference(
            message_id=ids.number(thread.thread, "question"),
            channel_id=channel.id,
            fail_if_not_exists=False,
        )

    async def tell(self, turn: Turn, text: str) -> None:
        """Tell the asker why there is no answer: in the channel of the thread, or else
        by direct message. Never raises."""
        thread = turn.thread
        channel = self._place(thread, thread.channel)
        try:
            async with translated("tell why"):
                await outgoing.post(
                    channel, text, reference=self.question(turn, channel)
                )
        except DeliveryError as error:
            log.info("discord.untold thread=%s %s", thread, error)
            await self.tell_in_person(turn, text)

    async def tell_in_person(self, turn: Turn, text: str) -> None:
        """Tell the asker by direct message why there is no answer. Never raises."""
        thread = turn.thread
        if not ids.is_id(turn.asker) or thread.workspace == events.NO_GUILD:
            return
        link = f"https://discord.com/channels/{thread.workspace}/{thread.thread}"
        try:
            async with translated("tell why in person"):
                asker = await self._link.client.fetch_user(int(turn.asker))
                await outgoing.post(asker, f"{link}: {text}")
        except DeliveryError as error:
            log.info("discord.untold user=%s %s", turn.asker, error)

    def _place(self, thread: ThreadKey, channel: str) -> discord.PartialMessageable:
        return self._link.client.get_partial_messageable(
            ids.number(channel, "thread"), guild_id=events.guild_of(thread)
        )

    async def _has_thread(self, turn: Turn) -> bool:
        """Return whether the thread of `turn` exists; create it if necessary."""
        thread = turn.thread
        if thread.thread in self._without:
            return False
        # If part of the answer is shown, the thread was created. If people have deleted
        # it since, it is not created again.
        if any(shown.message for shown in turn.shown):
            return self._is_known(thread) or await self._is_found(thread)
        if not self._is_known(thread) and not await self.make(thread, turn.opening):
            self._without[thread.thread] = None
            return False
        return True

    async def _is_found(self, thread: ThreadKey) -> bool:
        """Return whether `thread`, which this process does not know, exists on Discord:
        an earlier process may have answered in the channel."""
        number = ids.number(thread.thread, "find a thread")
        async with translated("find a thread"):
            try:
                await self._link.client.http.get_channel(number)
            except discord.NotFound:
                self._without[thread.thread] = None
                return False
        self.is_there(thread.thread)
        return True

    async def make(self, thread: ThreadKey, opening: Message | None) -> bool:
        """Create `thread` for the question `opening`; return False if that is
        impossible. Raises DeliveryError or AccessRevoked."""
        name = await self._name(opening)
        async with translated("make a thread"):
            try:
                await self._start(thread, name)
            except discord.HTTPException as error:
                if _may_pass(error):
                    raise
                if error.code == OTHER_KIND and await self._is_found(thread):
                    return True
                is_named = error.code not in NOT_A_NAME
                if is_named or not await self._start_unnamed(thread):
                    log.warning("thread.none thread=%s code=%d", thread, error.code)
                    return False
        self.is_there(thread.thread)
        return True

    async def _start_unnamed(self, thread: ThreadKey) -> bool:
        """Create `thread` with a general name; return whether it exists now."""
        try:
            await self._start(thread, thread_names.UNNAMED)
        except discord.HTTPException as error:
            if _may_pass(error):
                raise
            return False
        return True

    async def _start(self, thread: ThreadKey, name: str) -> None:
        try:
            # Not the SDK's own method: it needs the guild, and after a restart we write
            # before the gateway has sent the guild.
            await self._link.client.http.start_thread_with_message(
                ids.number(thread.channel, "make a thread"),
                ids.number(thread.thread, "make a thread"),
                name=name,
                auto_archive_duration=ARCHIVE_AFTER,
            )
        except discord.HTTPException as error:
            if error.code not in THERE:
                raise

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

    async def _name(self, opening: Message | None) -> str:
        if opening is None:
            return thread_names.UNNAMED
        _, text = await self._names.readable(opening)
        return thread_names.name_of(opening, text)

    async def _appearing(self, thread: ThreadKey) -> int | None:
        """Wait for the command's own response and return its id, or None if there is
        none in time."""
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
        channel = self._place(thread, thread.channel)
        # Without permission to read, a second question is better than no answer.
        with contextlib.suppress(ThreadGone):
            async with translated("look for a question"):
                message = await _response(channel, asked)
                if message is not None:
                    if not message.flags.loading:
                        return message.id
                    # The response still says "thinking", and only the process that
                    # received the interaction could change that.
                    await message.delete()
        author, text = SOMEBODY, ""
        if turn.opening is not None:
            author, text = await self._names.readable(turn.opening)
        async with translated("post a question"):
            posted = await outgoing.post(
                channel, markup.quoted(author, text, CARD_CHARS), nonce=thread.thread
            )
        return posted.id


async def _response(
    channel: discord.PartialMessageable, asked: int
) -> discord.Message | None:
    """Return the message that responds to the command `asked`, if it is there."""
    after = discord.Object(asked - 1)
    async for message in channel.history(limit=LOOK, after=after, oldest_first=True):
        by = message.interaction_metadata
        if by is not None and by.id == asked:
            return message
    return None


def _may_pass(error: discord.HTTPException) -> bool:
    """Return whether `error` concerns more than the thread: it is temporary, or nothing
    can be written in the channel either."""
    is_refusal = 400 <= error.status < 500 and error.status not in (401, 429)
    return not is_refusal or error.code in NO_CHANNEL
