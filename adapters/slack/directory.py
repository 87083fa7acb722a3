"""People and channels of one workspace, as the core asks for them."""

from adapters.slack.channels import Channels
from adapters.slack.members import People
from bot.domain.channel_access import ChannelAccess
from bot.domain.person import Person
from bot.domain.scope import Scope


class SlackDirectory:
    """`bot.ports.platform.Directory` of one workspace."""

    def __init__(self, people: People, channels: Channels) -> None:
        self._people = people
        self._channels = channels

    async def person(self, place: Scope, user: str) -> Person:
        """Return who `user` is at `place`. Raises DeliveryError."""
        return await self._people.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` and the bot may do in a channel. Raises DeliveryError."""
        return await self._channels.access(place, user)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a channel of direct messages: their ids begin with
        D (facts A1.2)."""
        return place.channel.startswith("D")
