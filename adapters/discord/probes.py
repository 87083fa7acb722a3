"""Posts and deletes probes, which are messages that must come back as events."""

import discord

from adapters.discord import ids, outgoing
from adapters.discord.client import Link, translated
from bot.messages.check import PROBE


class DiscordProber:
    """Implements `bot.ports.platform.Prober` for the guilds of one bot."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def probe(self, channel: str) -> str:
        """Post a probe in `channel`; return its id. Raises DeliveryError."""
        async with translated("post a probe"):
            message = await outgoing.post(self._channel(channel), PROBE, silent=True)
        return str(message.id)

    async def remove(self, channel: str, message: str) -> None:
        """Delete a probe. Raises DeliveryError."""
        number = ids.number(message, "delete a probe")
        async with translated("delete a probe"):
            await self._channel(channel).get_partial_message(number).delete()

    def _channel(self, channel: str) -> discord.PartialMessageable:
        here = ids.number(channel, "post a probe")
        return self._link.client.get_partial_messageable(here)
