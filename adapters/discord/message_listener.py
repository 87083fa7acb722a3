"""Hears what people say, change and take back, now and while we were away.

Rule: what cannot be remembered is tried again, for Discord says nothing twice.
After a session that could not be resumed, what was said meanwhile in the threads
that we are in is fetched (platform facts B1, C). So much is held to be tried again;
where more was said, it is noted from where on, and fetched afterwards.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import discord

from adapters.discord import events, ids
from adapters.discord.backlog import Attempt, Backlog
from adapters.discord.bot_permissions import lacking
from adapters.discord.client import Link, translated
from adapters.discord.name_cache import NameCache
from adapters.discord.threads import ThreadResolver
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.errors import AccessRevoked, DeliveryError
from bot.ports.platform import Host
from bot.runtime.background import report
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How far back, in seconds, a thread must have been in use to be caught up with.
RECENT = 86400.0
# The most messages of one thread that are caught up with.
MOST_MISSED = 200
# How often it is tried to catch up with one thread; pauses grow to half a minute.
MOST_TRIES = 6
# How far back, in seconds, it is looked once more at what was heard: whoever was killed
# while catching up has heard what was said last, and not what was said before.
OVERLAP = 600.0

# How long, in seconds, until the same channel is told again that we may not answer.
REPEAT = 3600.0

# Of how many channels it is remembered that they were told; and in how many what did
# not fit is fetched later, how many messages there, and how many edits.
MOST_CHANNELS = 10_000
MOST_REFETCHED = 1_000

# How many deletions wait to be carried out: a few ids each, and the last to give up.
MOST_DELETIONS = 50_000


class MessageListener:
    """Listens for one bot; gives what it hears to `host`."""

    def __init__(
        self, link: Link, threads: ThreadResolver, names: NameCache, host: Host
    ) -> None:
        self._link = link
        self._threads = threads
        self._names = names
        self._host = host
        self._inbox = host.inbox
        self._told: LruDict[int, float] = LruDict(MOST_CHANNELS)
        self._backlog = Backlog()
        #: From which message on a channel has more than could be held.
        self._unheard: LruDict[int, int] = LruDict(MOST_CHANNELS)
        #: The channels of messages whose edits could not be held.
        self._unread: LruDict[int, int] = LruDict(MOST_REFETCHED)
        self._fetching = False

    async def said(self, message: discord.Message) -> None:
        """Take in a new message."""
        if not self._serves(message):
            return
        if isinstance(message.channel, events.Threaded) and not events.is_addressed(
            message, self._link.us
        ):
            # It begins no thread, and belongs to none: nothing to remember, unless
            # all that is said here is sorted.
            passing = self._read(message, message.channel)
            if passing is not None and not passing.echo:
                receive = partial(self._inbox.receive_unaddressed, passing)
                await self._keep(message, receive)
            return
        channel = await self._known(message.channel)
        heard = self._read(message, channel)
        if heard is None or heard.echo:
            return
        asks = heard.addressed and not heard.automated
        if asks and (refusal := self._refusal(channel)):
            await self._refuse(message, refusal)
            return
        await self._keep(message, partial(self._inbox.receive, heard))

    async def edited(self, message: discord.Message) -> None:
        """Take in how a message reads now."""
        if not self._serves(message):
            return
        heard = self._read(message, await self._known(message.channel))
        if heard is None or heard.echo or not (heard.text or heard.files):
            return
        if await self._backlog.keep(partial(self._inbox.amend, heard)):
            await self._fetch_unheard()
        else:
            self._unread[message.id] = message.channel.id

    async def deleted(self, guild: int | None, messages: Sequence[int]) -> None:
        """Forget what people took back."""
        workspace = events.workspace(guild)
        ids = [str(each) for each in messages]
        erase = partial(self._inbox.erase, events.NAME, workspace, ids)
        if await self._backlog.keep(erase, MOST_DELETIONS):
            await self._fetch_unheard()

    async def thread_deleted(self, guild: int, channel: int, thread: int) -> None:
        """Forget a thread that people deleted."""
        place = Scope(events.NAME, str(guild), str(channel), str(thread))
        await retry_until_success(lambda: self._inbox.forget(place))

    async def channel_deleted(self, guild: int, channel: int) -> None:
        """Forget a channel that people deleted, with the threads in it."""
        place = Scope(events.NAME, str(guild), str(channel))
        await retry_until_success(lambda: self._inbox.forget(place))

    async def catch_up(self, shard: int) -> None:
        """Fetch what was said, while we did not listen, in threads of `shard`."""
        newest = await retry_until_success(
            lambda: self._host.conversations.newest(events.NAME, time.time() - RECENT)
        )
        for thread, last in newest:
            try:
                if self._may_have_missed(thread, last, shard):
                    # Not for ever: others come after it.
                    await retry_until_success(
                        partial(self._fetch, thread, last), most=MOST_TRIES
                    )
            except AccessRevoked:
                # For all the others it would be the same.
                raise
            except Exception as error:
                log.warning("discord.not_caught_up thread=%s", thread)
                report("catch up", error)

    def _serves(self, message: discord.Message) -> bool:
        """Whether people are served where `message` was said. Where they are not,
        nothing is asked of Discord for it, either."""
        guild = message.guild.id if message.guild else None
        if guild is None and isinstance(message.channel, discord.PartialMessageable):
            guild = message.channel.guild_id
        return self._host.served.holds(events.NAME, events.workspace(guild))

    async def _deliver(self, heard: Message) -> None:
        await retry_until_success(lambda: self._inbox.receive(heard))

    async def _keep(self, message: discord.Message, attempt: Attempt) -> None:
        """Have the store take in `message`, sooner or later."""
        if await self._backlog.keep(attempt):
            await self._fetch_unheard()
        else:
            self._unheard.setdefault(message.channel.id, message.id)

    async def _fetch_unheard(self) -> None:
        """Fetch what could not be held, once nothing waits any more."""
        if self._fetching or not self._backlog.idle:
            return
        self._fetching = True
        try:
            while self._unheard and self._backlog.idle:
                channel, first = self._unheard.popitem()
                await self._quietly(partial(self._fetch_from, channel, first), channel)
            while self._unread and self._backlog.idle:
                message, channel = self._unread.popitem()
                await self._quietly(partial(self._reread, channel, message), channel)
        finally:
            self._fetching = False

    async def _quietly(self, fetch: Attempt, channel: int) -> None:
        try:
            await retry_until_success(fetch)
        except (DeliveryError, AccessRevoked) as error:
            log.warning("discord.not_caught_up channel=%s %s", channel, error)

    async def _fetch_from(self, channel: int, first: int) -> None:
        """Take in what was said in `channel` from the message `first` on."""
        async with translated("fetch what did not fit"):
            there = await self._channel(channel)
            if not isinstance(there, discord.abc.Messageable):
                return
            found = [
                message
                async for message in there.history(
                    limit=MOST_REFETCHED,
                    after=discord.Object(first - 1),
                    oldest_first=True,
                )
            ]
        for message in found:
            await self.said(message)
        log.info("discord.caught_up channel=%s messages=%d", channel, len(found))

    async def _reread(self, channel: int, message: int) -> None:
        async with translated("fetch an edit that did not fit"):
            there = await self._channel(channel)
            if not isinstance(there, discord.abc.Messageable):
                return
            found = await there.fetch_message(message)
        await self.edited(found)

    async def _channel(self, channel: int) -> object:
        client = self._link.client
        return client.get_channel(channel) or await client.fetch_channel(channel)

    def _read(self, message: discord.Message, channel: object) -> Message | None:
        thread = events.thread_of(channel, message.id)
        if thread is None:
            return None
        if thread.thread != thread.channel and isinstance(channel, discord.Thread):
            self._threads.is_there(thread.thread)
        return self._read_in(message, thread)

    def _read_in(self, message: discord.Message, thread: ThreadKey) -> Message | None:
        people = [message.author, *message.mentions]
        about = message.reference.resolved if message.reference else None
        if isinstance(about, discord.Message):
            people.append(about.author)
        self._names.note(events.guild_of(thread), people)
        return events.said(message, self._link.us, thread)

    async def _known(self, channel: object) -> object:
        """`channel`, or what Discord says of it if it is a thread that we did not
        know of, as after a long silence."""
        if not isinstance(channel, discord.PartialMessageable):
            return channel
        if channel.guild_id is None:
            return channel
        try:
            async with translated("look at a channel"):
                return await self._link.client.fetch_channel(channel.id)
        except (DeliveryError, AccessRevoked) as error:
            log.info("discord.unknown_channel channel=%s %s", channel.id, error)
            return channel

    def _refusal(self, channel: object) -> str:
        guild = getattr(channel, "guild", None)
        if not isinstance(guild, discord.Guild):
            return ""
        assert isinstance(channel, discord.Thread | discord.abc.GuildChannel)
        return lacking(channel, channel.permissions_for(guild.me))

    async def _refuse(self, message: discord.Message, refusal: str) -> None:
        """Say once in a while that we may not answer: there, or else in person."""
        now = time.monotonic()
        if now - self._told.get(message.channel.id, float("-inf")) < REPEAT:
            return
        self._told[message.channel.id] = now
        try:
            async with translated("refuse"):
                await message.reply(refusal)
        except DeliveryError:
            try:
                async with translated("refuse in person"):
                    await message.author.send(f"{message.jump_url}: {refusal}")
            except DeliveryError as error:
                log.info("discord.untold channel=%s %s", message.channel.id, error)

    def _may_have_missed(self, thread: ThreadKey, last: str, shard: int) -> bool:
        if thread.workspace == events.NO_GUILD:
            # Direct messages all come over the first connection (facts B1).
            return shard == 0
        guild = self._link.client.get_guild(ids.number(thread.workspace, "guild"))
        if guild is None or guild.shard_id != shard or not ids.is_id(thread.thread):
            return False
        place = guild.get_channel_or_thread(int(thread.thread))
        # A thread that is put away has had no message for a long time.
        newest = getattr(place, "last_message_id", None)
        known = ids.number(last, "message")
        return newest is not None and (newest > known or _is_fresh(known))

    async def _fetch(self, thread: ThreadKey, last: str) -> None:
        channel = self._link.client.get_partial_messageable(
            ids.number(thread.thread, "thread"), guild_id=events.guild_of(thread)
        )
        after = _before(ids.number(last, "message"))
        async with translated("catch up"):
            missed = [
                message
                async for message in channel.history(
                    limit=MOST_MISSED,
                    after=after,
                    oldest_first=True,
                )
            ]
        heard = [self._read_in(message, thread) for message in missed]
        spoken = [each for each in heard if each and not each.echo]
        for each in spoken:
            await self._deliver(each)
        if spoken:
            log.info("discord.caught_up thread=%s messages=%d", thread, len(spoken))


def _is_fresh(message: int) -> bool:
    """Whether `message` was said so lately that others before it may be unheard."""
    said = discord.utils.snowflake_time(message).timestamp()
    return time.time() - said < OVERLAP


def _before(message: int) -> discord.Object:
    """Where to begin to look for what was missed, up to and after `message`."""
    said = discord.utils.snowflake_time(message)
    return discord.Object(
        max(0, discord.utils.time_snowflake(said - timedelta(seconds=OVERLAP)))
    )
