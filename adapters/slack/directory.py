"""Looks up people and channels of one workspace for the core."""

from adapters.slack.channels import Channels
from adapters.slack.client import Identity
from adapters.slack.members import People
from adapters.slack.name_cache import NameCache
from bot.domain.channel_access import ChannelAccess
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.scope import Scope


class SlackDirectory:
    """`bot.ports.platform.Directory` of one workspace."""

    def __init__(
        self, people: People, channels: Channels, names: NameCache, us: Identity
    ) -> None:
        self._people = people
        self._channels = channels
        self._names = names
        self._us = us

    async def person(self, place: Scope, user: str) -> Person:
        """Return `user` with their rights at `place`. Raises DeliveryError."""
        return await self._people.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return the rights of `user` and the bot in the channel of `place`. Raises
        DeliveryError."""
        return await self._channels.access(place, user)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of a person, a channel and the workspace. Never raises:
        names that cannot be looked up now are left empty."""
        if place.workspace != self._us.team:
            return PlaceNames()
        is_direct = self.is_direct(place)
        channels = [place.channel] if place.channel and not is_direct else []
        found = await self._names.find([user], channels)
        person = found.get(user, "")
        sign, other = ("@", person) if is_direct else ("#", found.get(place.channel))
        channel = f"{sign}{other}" if other else ""
        return PlaceNames(person, channel, self._us.team_name)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a direct message, whose channel id begins with D
        (facts A1.2)."""
        return place.channel.startswith("D")
