"""People and channels of all guilds, as the core asks for them."""

from adapters.discord import events
from adapters.discord.channels import Channels
from adapters.discord.members import People
from bot.domain.channel_access import ChannelAccess
from bot.domain.person import Person
from bot.domain.scope import Scope


class DiscordDirectory:
    """`bot.ports.platform.Directory` of the guilds of one bot."""

    def __init__(self, people: People, channels: Channels) -> None:
        self._people = people
        self._channels = channels

    async def person(self, place: Scope, user: str) -> Person:
        """Return who `user` is at `place`. Raises DeliveryError."""
        return await self._people.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` and the bot may do in a channel or thread. Raises
        DeliveryError."""
        return await self._channels.access(place, user)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is direct messages, which belong to no guild."""
        return place.workspace == events.NO_GUILD
