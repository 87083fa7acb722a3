"""Deletes the stored copies of messages that people deleted while no events arrived.

Discord does not resend deletions (platform facts B1). A message that is stored, and
that history no longer shows, was deleted.

Rule: only a range of history that was read completely says so. Nothing is deleted
where the bot may not read history, which looks empty to it (facts B5), and of what is
no message of the channel itself: the root of a thread, a question that was asked by
command, an answer of the bot.
"""

import logging
import time
from collections.abc import Collection
from functools import partial

import discord

from adapters.discord import events, ids
from adapters.discord.client import Link
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.ports.host import Host
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# A message that was posted so many seconds ago is in history: our clock and Discord's
# may differ.
SETTLED = 60.0


class MissedDeletions:
    """Compares stored messages with what history shows."""

    def __init__(self, link: Link, host: Host) -> None:
        self._link = link
        self._host = host

    async def stored(self, place: Scope, after: int) -> set[int]:
        """Return the ids of the stored messages of a thread, or of the messages at the
        top of a channel, that history must show after the id `after`. Call this before
        history is read. Raises StorageError."""
        if not self._may_read(place):
            return set()
        since = discord.utils.snowflake_time(after).timestamp()
        found = await self._host.conversations.said(place, since)
        until = time.time() - SETTLED
        settled = [each for each in found if each.at < until and _is_in(place, each)]
        return {id for each in settled if (id := ids.parse_id(each.message)) > after}

    async def delete(
        self, place: Scope, stored: set[int], shown: Collection[int]
    ) -> None:
        """Delete the messages `stored` in `place` that are not `shown`. Raises
        StorageError."""
        gone = sorted(stored.difference(shown))
        if gone:
            log.info("discord.missed_deletions place=%s messages=%d", place, len(gone))
            named = [str(each) for each in gone]
            erase = partial(self._host.inbox.erase, events.NAME, place.workspace, named)
            await retry_until_success(erase)

    def _may_read(self, place: Scope) -> bool:
        if place.workspace == events.NO_GUILD:
            return True
        guild = self._link.client.get_guild(ids.parse_id(place.workspace))
        here = ids.parse_id(place.thread or place.channel)
        channel = guild.get_channel_or_thread(here) if guild else None
        if guild is None or channel is None:
            return False
        # The permissions in a thread are those in its channel.
        above = channel.parent if isinstance(channel, discord.Thread) else channel
        if above is None:
            return False
        may = above.permissions_for(guild.me)
        return may.view_channel and may.read_message_history


def _is_in(place: Scope, message: Message) -> bool:
    """Return whether the stored `message` is itself a message of the thread or channel
    `place`."""
    # Only messages that arrived as such came with the name of their author.
    if not message.name or not ids.is_id(message.message):
        return False
    if not place.thread:
        return message.opens and message.message == message.thread.thread
    # The root of a thread, and earlier quotes, are in the channel above.
    return int(message.message) > ids.parse_id(place.thread)
