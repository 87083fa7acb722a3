"""Looks up people and channels in all guilds of the bot."""

from adapters.discord import events, ids
from adapters.discord.channels import Channels
from adapters.discord.client import Link
from adapters.discord.members import People
from adapters.discord.name_cache import NameCache
from bot.domain.channel_access import ChannelAccess
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError


class DiscordDirectory:
    """Implements `bot.ports.platform.Directory` for the guilds of one bot."""

    def __init__(
        self, link: Link, people: People, channels: Channels, names: NameCache
    ) -> None:
        self._link = link
        self._people = people
        self._channels = channels
        self._names = names

    async def person(self, place: Scope, user: str) -> Person:
        """Return the person `user` at `place`. Raises DeliveryError."""
        return await self._people.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` and the bot may do in a channel or thread. Raises
        DeliveryError."""
        return await self._channels.access(place, user)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of a person, a channel and its guild. Raises DeliveryError
        before Discord has sent the guild."""
        if self.is_direct(place):
            person = await self._names.name(None, user)
            return PlaceNames(person, f"@{person}" if person else "")
        guild = await self._link.guild(ids.parse_id(place.workspace))
        if guild is None:
            raise DeliveryError(f"find a name: guild {place.workspace} is unknown")
        person = await self._names.name(guild.id, user)
        channel = guild.get_channel_or_thread(ids.parse_id(place.channel))
        return PlaceNames(person, f"#{channel.name}" if channel else "", guild.name)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a channel of direct messages, which belongs to no
        guild."""
        return place.workspace == events.NO_GUILD
