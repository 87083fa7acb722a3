"""Posts what is no answer, for all to see: texts with controls, files, and signs under
messages. Nobody is called by it."""

from typing import Any

import discord

from adapters.discord import answers, drawing, events
from adapters.discord.client import Link, translated
from bot.dialogue import Told
from bot.rules import Place


async def post(link: Link, place: Place, told: Told, about: str) -> None:
    """Say `told` to all in a thread, or at the top of a channel, where it replies to
    message `about`. Raises DeliveryError."""
    # A message at the top has no thread yet, and for a line none is made.
    fresh = place.thread in ("", about)
    channel = _channel(link, place, place.channel if fresh else place.thread)
    drawn = drawing.told(told)
    more: dict[str, Any] = {"view": drawn.view} if drawn.view is not None else {}
    if about:
        more["reference"] = discord.MessageReference(
            message_id=int(about), channel_id=channel.id, fail_if_not_exists=False
        )
    async with translated("post"):
        await channel.send(
            drawn.text,
            files=drawn.attachments(),
            allowed_mentions=answers.NOBODY,
            suppress_embeds=True,
            **more,
        )


async def mark(link: Link, place: Place, message: str, sign: str) -> None:
    """Put an emoji under a message. Raises DeliveryError."""
    at_top = place.thread in ("", message)
    channel = _channel(link, place, place.channel if at_top else place.thread)
    async with translated("mark a message"):
        await channel.get_partial_message(int(message)).add_reaction(sign)


def address(place: Place, message: str) -> str:
    """Where a message is to be found."""
    at_top = place.thread in ("", message)
    channel = place.channel if at_top else place.thread
    return f"https://discord.com/channels/{place.workspace}/{channel}/{message}"


def _channel(link: Link, place: Place, channel: str) -> discord.PartialMessageable:
    guild = None if place.workspace == events.NO_GUILD else int(place.workspace)
    return link.client.get_partial_messageable(int(channel), guild_id=guild)
