"""Looks up whether channels on Discord exist, and who may read and write in them.

Rule: facts only; the core decides. A thread has the permissions of its channel (facts
B6); a private thread is visible to its members only.
"""

import time
from collections.abc import Callable
from functools import partial

import discord

from adapters.discord import events, ids
from adapters.discord.client import Link, translated
from adapters.discord.members import FRESH, MOST, People
from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.scope import Scope
from bot.errors import DeliveryError, ThreadGone
from bot.runtime.access_cache import AccessCache

# How old the facts behind a refusal may be, in seconds.
CURRENT = 1.0

Channel = discord.abc.GuildChannel | discord.Thread


class Channels:
    """The channels of the guilds of one bot."""

    def __init__(
        self, link: Link, people: People, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._people = people
        self._grants: AccessCache[tuple[Scope, str]] = AccessCache(now, MOST)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` and the bot may do at `place`. Raises DeliveryError."""
        return await self._grants.find(
            (place, user), FRESH, partial(self._find, place, user)
        )

    async def _find(self, place: Scope, user: str) -> ChannelAccess:
        if place.workspace == events.NO_GUILD:
            return await self._direct(place, user)
        found = await self._find_in_guild(place, user, FRESH)
        if found.reads and found.writes and found.bot_writes:
            return found
        # A refusal needs current facts, so a guild whose events do not arrive here is
        # read again.
        is_told = self._link.hears(ids.parse_id(place.workspace))
        return found if is_told else await self._find_in_guild(place, user, CURRENT)

    async def _find_in_guild(
        self, place: Scope, user: str, fresh: float
    ) -> ChannelAccess:
        guild = await self._link.guild(ids.parse_id(place.workspace), fresh)
        if guild is None:
            raise DeliveryError(
                f"look up a channel: guild {place.workspace} is unknown"
            )
        channel = guild.get_channel_or_thread(ids.parse_id(place.channel))
        us = guild.me or await self._people.member(guild, self._link.us)
        if channel is None or us is None:
            return NOWHERE
        member = await self._people.member(guild, ids.parse_id(user)) if user else None
        held = _permissions(channel, member)
        is_public = _is_public(channel, guild.default_role)
        for thread in await self._threads(guild, place, channel):
            is_public = is_public and not thread.is_private()
            if not await _is_in(thread, member, held):
                held = discord.Permissions()
        return ChannelAccess(
            exists=_permissions(channel, us).view_channel,
            reads=held.view_channel,
            writes=_may_write(channel, held),
            bot_writes=_may_write(channel, _permissions(channel, us)),
            is_public=is_public,
        )

    async def _direct(self, place: Scope, user: str) -> ChannelAccess:
        """Return the access to direct messages, which only one person and the bot can
        use."""
        if not ids.parse_id(user) or not ids.parse_id(place.channel):
            return NOWHERE
        try:
            async with translated("open direct messages"):
                person = discord.Object(ids.parse_id(user))
                theirs = (await self._link.client.create_dm(person)).id
        except ThreadGone:
            return NOWHERE
        is_theirs = theirs == ids.parse_id(place.channel)
        return ChannelAccess(*[True] * 4) if is_theirs else NOWHERE

    async def _threads(
        self, guild: discord.Guild, place: Scope, channel: Channel
    ) -> list[discord.Thread]:
        """Return the threads that contain `place`: its channel, if that is a thread,
        and its own thread, if there is one."""
        found = [channel] if isinstance(channel, discord.Thread) else []
        wanted = ids.parse_id(place.thread)
        if wanted in (0, channel.id):
            return found
        thread = guild.get_thread(wanted)
        if thread is None:
            # The thread is archived, and so not cached, or the id is that of a message
            # without a thread.
            try:
                async with translated("look up a thread"):
                    fetched = await self._link.client.fetch_channel(wanted)
            except ThreadGone:
                return found
            thread = fetched if isinstance(fetched, discord.Thread) else None
        return [*found, thread] if thread is not None else found


def _permissions(
    channel: Channel, member: discord.Member | None
) -> discord.Permissions:
    """Return the permissions of `member` in `channel`, or in the parent of a thread."""
    if isinstance(channel, discord.Thread):
        parent = channel.parent
        return (
            _permissions(parent, member)
            if parent is not None
            else discord.Permissions()
        )
    if member is None:
        return discord.Permissions()
    return channel.permissions_for(member)


def _is_public(channel: Channel, everyone: discord.Role) -> bool:
    """Return whether everybody can see `channel`, or the parent of a thread, and no
    overwrite hides it from anybody."""
    if isinstance(channel, discord.Thread):
        return channel.parent is not None and _is_public(channel.parent, everyone)
    kept_out = (each.view_channel is False for each in channel.overwrites.values())
    return channel.permissions_for(everyone).view_channel and not any(kept_out)


async def _is_in(
    thread: discord.Thread, member: discord.Member | None, held: discord.Permissions
) -> bool:
    """Return whether `member` can see `thread`; `held` are their permissions in its
    channel. Raises DeliveryError if the lookup fails.
    """
    if not thread.is_private() or held.manage_threads:
        return True
    if member is None:
        return False
    try:
        async with translated("look up who is in a thread"):
            await thread.fetch_member(member.id)
    except ThreadGone:
        return False
    return True


def _may_write(channel: Channel, held: discord.Permissions) -> bool:
    """Return whether `held` allows a message at the top of `channel`; forums and
    categories take none."""
    if not held.view_channel:
        return False
    if isinstance(channel, discord.Thread):
        return held.send_messages_in_threads and (
            not channel.locked or held.manage_threads
        )
    return isinstance(channel, (events.Threaded, *events.Streamed)) and (
        held.send_messages
    )
