"""Finds the bot's recent posts, one of which may be a post of unknown outcome."""

from datetime import UTC, datetime

import discord

from adapters.discord.client import Link

# How far our clock and Discord's may differ, in seconds. With a larger value, the
# previous answer could be taken for this one.
SKEW = 5.0
# How many messages of the channel are searched.
LOOK = 100


async def own_posts(
    link: Link, channel: discord.abc.Messageable, since: float, *, after: int = 0
) -> list[discord.Message]:
    """Return the bot's messages in `channel` since the time `since`, in seconds since
    1970, and after the id `after`, oldest first. Raises the SDK's errors."""
    began = datetime.fromtimestamp(max(0.0, since - SKEW), UTC)
    first = discord.Object(max(discord.utils.time_snowflake(began), after))
    return [
        message
        async for message in channel.history(limit=LOOK, after=first, oldest_first=True)
        if message.author.id == link.us
    ]
