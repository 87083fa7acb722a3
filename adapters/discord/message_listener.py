"""Receives messages, edits and deletions, and fetches those missed while offline.

Rule: an event that could not be stored is retried, because Discord does not send it
twice. After a session that could not be resumed, the messages missed in the bot's
threads are fetched (platform facts B1, C). The backlog of retries is bounded. For
messages that do not fit, the channel and the first message are recorded, and the
messages are fetched later.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import discord

from adapters.discord import events, ids, outgoing
from adapters.discord.backlog import Attempt, Backlog
from adapters.discord.bot_permissions import lacking
from adapters.discord.client import Link, translated
from adapters.discord.missed_deletions import MissedDeletions
from adapters.discord.name_cache import NameCache
from adapters.discord.thread_titles import title_of, with_title
from adapters.discord.threads import ThreadResolver
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.errors import AccessRevoked, DeliveryError
from bot.ports.host import Host
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# The most missed messages of one thread that are fetched.
MOST_MISSED = 200

# Seconds until the same person is told again that the bot lacks permissions in a
# channel.
REPEAT = 3600.0

# How many refusals are remembered, and how many channels with messages to fetch later;
# then how many messages are fetched in each channel, and how many edits.
MOST_CHANNELS = 10_000
MOST_REFETCHED = 1_000

# How many deferred responses of other programs are remembered.
MOST_DEFERRED = 1_000

# How many forwards are kept for a later comment, and how many seconds after its forward
# a comment may come. Clients post the comment as a separate message right after the
# forward (facts B5).
MOST_FORWARDS = 1_000
COMMENTED = 5.0

# How many events may wait in the backlog before deletions are refused: a deletion is
# only a few ids, and must not be lost.
MOST_DELETIONS = 50_000


class MessageListener:
    """Passes events of the gateway on to the inbox of `host`."""

    def __init__(
        self,
        link: Link,
        threads: ThreadResolver,
        names: NameCache,
        host: Host,
        on_refusal: Callable[[], None],
    ) -> None:
        self._link = link
        self._threads = threads
        self._names = names
        self._host = host
        self._inbox = host.inbox
        self._deletions = MissedDeletions(link, host)
        #: Called when somebody asks where the bot lacks permissions.
        self._on_refusal = on_refusal
        self._told: LruDict[tuple[int, int], float] = LruDict(MOST_CHANNELS)
        self._backlog = Backlog()
        #: The first message of each channel that did not fit into the backlog.
        self._missed: LruDict[int, int] = LruDict(MOST_CHANNELS)
        #: The channels of messages whose edits did not fit into the backlog, by
        #: message.
        self._missed_edits: LruDict[int, int] = LruDict(MOST_REFETCHED)
        #: The responses of other programs that only say "is thinking…".
        self._deferred: LruDict[int, None] = LruDict(MOST_DEFERRED)
        #: The last forward at the top of each channel by each author.
        self._forwards: LruDict[tuple[int, int], discord.Message] = LruDict(
            MOST_FORWARDS
        )
        #: The forwards right before messages that do not address the bot, by message.
        self._comments: LruDict[int, discord.Message] = LruDict(MOST_FORWARDS)
        self._fetching = False

    async def received(self, message: discord.Message) -> None:
        """Handle a new message."""
        if not self._serves(message):
            return
        if self._is_deferred(message):
            return
        if isinstance(message.channel, events.Threaded) and not events.is_addressed(
            message, self._link.us
        ):
            forwarder = message.channel.id, message.author.id
            if message.message_snapshots:
                self._forwards[forwarder] = message
            elif forward := self._forwards.pop(forwarder, None):
                # An edit may add the mention.
                self._comments[message.id] = forward
            # The message starts no thread and belongs to none. It is needed only if all
            # messages of the channel are triaged.
            passing = self._read(message, message.channel)
            if passing is not None and not passing.echo:
                receive = partial(self._inbox.receive_unaddressed, passing)
                await self._keep(message, receive)
            return
        channel = await self._fetch_unknown(message.channel)
        received = self._read(message, channel)
        if received is None or received.echo:
            return
        asks = received.addressed and not received.automated
        if asks and (refusal := self._refusal(channel)):
            await self._refuse(message, refusal)
            return
        if asks and message.guild is None:
            # Discord sends no event when somebody opens direct messages (facts B1).
            place = Scope.of(received.thread)
            await self._host.first_contact.opened(place, received.author)
        if not received.addressed:
            # The message asks nothing, but may be triaged.
            received = with_title(received, channel)
        await self._keep(message, partial(self._inbox.receive, received))

    async def edited(self, message: discord.Message) -> None:
        """Handle an edited message."""
        if not self._serves(message):
            return
        if message.id in self._deferred and not message.flags.loading:
            del self._deferred[message.id]
            await self.received(message)
            return
        channel = await self._fetch_unknown(message.channel)
        received = self._read(message, channel)
        if received is None or received.echo or not (received.text or received.files):
            return
        # Discord does not send the text before the edit. An update that only adds
        # previews has no edit time.
        added = received.addressed and message.edited_at is not None
        if added and not received.automated and (refusal := self._refusal(channel)):
            await self._refuse(message, refusal)
            added = False
        amend = partial(self._inbox.amend, received, newly_addressed=added)
        if await self._backlog.keep(amend):
            await self._fetch_missed()
        else:
            self._missed_edits[message.id] = message.channel.id

    async def deleted(self, guild: int | None, messages: Sequence[int]) -> None:
        """Delete the stored copies of messages that people deleted."""
        workspace = events.workspace(guild)
        for comment, forward in list(self._comments.items()):
            if forward.id in messages:
                del self._comments[comment]
        ids = [str(each) for each in messages]
        erase = partial(self._inbox.erase, events.NAME, workspace, ids)
        if await self._backlog.keep(erase, MOST_DELETIONS):
            await self._fetch_missed()

    async def thread_deleted(self, guild: int, channel: int, thread: int) -> None:
        """Forget a thread that people deleted."""
        place = Scope(events.NAME, str(guild), str(channel), str(thread))
        await retry_until_success(lambda: self._inbox.forget(place))

    async def channel_deleted(self, guild: int, channel: int) -> None:
        """Forget a channel that people deleted, with its threads."""
        place = Scope(events.NAME, str(guild), str(channel))
        await retry_until_success(lambda: self._inbox.forget(place))

    def _serves(self, message: discord.Message) -> bool:
        """Return whether the guild of `message` is served. Callers check this before
        they make any call for the message."""
        guild = message.guild.id if message.guild else None
        if guild is None and isinstance(message.channel, discord.PartialMessageable):
            guild = message.channel.guild_id
        return self._host.served.holds(events.NAME, events.workspace(guild))

    def _is_deferred(self, message: discord.Message) -> bool:
        """Return whether `message` is a deferred response of another program. If so,
        remember it: its text comes with its first edit (facts B2)."""
        if message.flags.loading:
            self._deferred[message.id] = None
        return message.flags.loading

    async def _keep(self, message: discord.Message, attempt: Attempt) -> None:
        """Run or queue `attempt`, which stores `message`. If the backlog is full,
        record that the message must be fetched later."""
        if await self._backlog.keep(attempt):
            await self._fetch_missed()
        else:
            self._missed.setdefault(message.channel.id, message.id)

    async def _fetch_missed(self) -> None:
        """Fetch the messages and edits that did not fit into the backlog, once it is
        empty."""
        if self._fetching or not self._backlog.idle:
            return
        self._fetching = True
        try:
            while self._missed and self._backlog.idle:
                channel, first = self._missed.popitem()
                await self._quietly(partial(self._fetch_from, channel, first), channel)
            while self._missed_edits and self._backlog.idle:
                message, channel = self._missed_edits.popitem()
                await self._quietly(partial(self._reread, channel, message), channel)
        finally:
            self._fetching = False

    async def _quietly(self, fetch: Attempt, channel: int) -> None:
        try:
            await retry_until_success(fetch)
        except (DeliveryError, AccessRevoked) as error:
            log.warning("discord.not_caught_up channel=%s %s", channel, error)

    async def _fetch_from(self, channel: int, first: int) -> None:
        """Fetch and handle the messages of `channel`, beginning with the message
        `first`."""
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
            await self.received(message)
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
        received = self._read_in(message, thread)
        if received is None or not received.opens:
            return received
        if forward := self._commented_forward(message):
            about = events.quote(forward, self._link.us, thread, fresh=False)
            received = replace(received, quotes=(*received.quotes, about))
        # The first message of a forum post gets the post's title as a quote.
        title = title_of(channel, thread, self._link.us, received.text)
        return (
            replace(received, quotes=(title, *received.quotes)) if title else received
        )

    def _commented_forward(self, message: discord.Message) -> discord.Message | None:
        """Return the forward at the top of a channel that `message` comments on, or
        None."""
        key = message.channel.id, message.author.id
        forward = self._comments.get(message.id) or self._forwards.get(key)
        if forward is None or forward.id >= message.id or message.reference:
            return None
        after = (message.created_at - forward.created_at).total_seconds()
        return forward if after <= COMMENTED else None

    def _read_in(self, message: discord.Message, thread: ThreadKey) -> Message | None:
        people = [message.author, *message.mentions]
        about = message.reference.resolved if message.reference else None
        if isinstance(about, discord.Message):
            people.append(about.author)
        self._names.note(events.guild_of(thread), people)
        return events.message_of(message, self._link.us, thread)

    async def _fetch_unknown(self, channel: object) -> object:
        """Return `channel`, fetched if it is a thread missing from the cache, for
        example after a long silence."""
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
        """Reply that the bot lacks permissions, at most once in REPEAT seconds. If the
        bot cannot reply, tell the author by direct message."""
        now, asker = time.monotonic(), (message.channel.id, message.author.id)
        if now - self._told.get(asker, float("-inf")) < REPEAT:
            return
        self._told[asker] = now
        self._on_refusal()
        try:
            async with translated("refuse"):
                await outgoing.post(message.channel, refusal, reference=message)
        except DeliveryError:
            try:
                async with translated("refuse in person"):
                    text = f"{message.jump_url}: {refusal}"
                    await outgoing.post(message.author, text)
            except DeliveryError as error:
                log.info("discord.untold channel=%s %s", message.channel.id, error)

    async def fetch_mentions(
        self, channel: discord.TextChannel | discord.Thread, after: discord.Object
    ) -> None:
        """Store the newest messages in `channel` after `after` that address the bot, if
        the bot can answer there; delete stored ones that are no longer there. Raises
        DeliveryError and StorageError."""
        place = Scope(events.NAME, str(channel.guild.id), str(channel.id))
        stored = await self._deletions.stored(place, after.id)
        async with translated("catch up"):
            found = [
                message
                async for message in channel.history(
                    limit=MOST_MISSED, after=after, oldest_first=False
                )
            ][::-1]
        # Earlier messages were not read if these are the most.
        first = found[0].id if len(found) >= MOST_MISSED else 0
        read = {each for each in stored if each >= first}
        await self._deletions.delete(place, read, {each.id for each in found})
        asked = [e for e in found if events.is_addressed(e, self._link.us)]
        received = [self._read(each, channel) for each in asked]
        missed = [each for each in received if each and not each.echo]
        # Nobody is told of missing permissions here: a reply to each mention, at each
        # start, would be too much.
        if not missed or self._refusal(channel):
            return
        for each in missed:
            await retry_until_success(partial(self._inbox.receive, each))
        log.info("discord.caught_up channel=%s messages=%d", channel.id, len(missed))

    async def fetch(self, thread: ThreadKey, after: discord.Object) -> None:
        """Store the messages of `thread` after `after`, and edits of messages that were
        stored before; delete stored ones that are no longer there. Raises DeliveryError
        and StorageError."""
        place = Scope.of(thread)
        stored = await self._deletions.stored(place, after.id)
        channel = self._link.client.get_partial_messageable(
            ids.number(thread.thread, "thread"), guild_id=events.guild_of(thread)
        )
        async with translated("catch up"):
            missed = [
                message
                async for message in channel.history(
                    limit=MOST_MISSED,
                    after=after,
                    oldest_first=True,
                )
            ]
        # Later messages were not read if these are the most.
        last = missed[-1].id if len(missed) >= MOST_MISSED else math.inf
        read = {each for each in stored if each <= last}
        await self._deletions.delete(place, read, {each.id for each in missed})
        missed = [each for each in missed if not self._is_deferred(each)]
        received = [self._read_in(message, thread) for message in missed]
        spoken = [each for each in received if each and not each.echo]
        for each in spoken:
            await retry_until_success(partial(self._inbox.receive, each))
        for message, now in zip(missed, received, strict=True):
            # A message that was stored before may have been edited meanwhile.
            if now and message.edited_at and not now.echo:
                amend = partial(self._inbox.amend, now, newly_addressed=now.addressed)
                await retry_until_success(amend)
        if spoken:
            log.info("discord.caught_up thread=%s messages=%d", thread, len(spoken))
