"""Posts messages that are not answers: texts with controls, files, and reactions. None
of them notifies anyone."""

import contextlib
import logging
from typing import Any

import discord

from adapters.discord import components, events, ids, outgoing
from adapters.discord.client import Link, translated
from adapters.discord.name_cache import NameCache
from adapters.discord.own_posts import own_posts
from bot.domain.message import Message
from bot.domain.post_key import PostKey
from bot.domain.scope import Scope
from bot.errors import DeliveryError, ThreadGone
from bot.ui.elements import Response

log = logging.getLogger(__name__)

# How long a notice stays, in seconds: a short one, and one that takes time to read or
# has controls.
NOTICED, READ = 20.0, 180.0
# About as many characters as people read in half of NOTICED.
SHORT = 200


async def post(
    link: Link,
    names: NameCache,
    place: Scope,
    response: Response,
    about: str,
    key: PostKey | None = None,
    **more: Any,
) -> None:
    """Post `response` in a thread or at the top of a channel, as a reply to the message
    `about`, unless it is already there under `key`; `more` is as in
    `discord.abc.Messageable.send`. Raises DeliveryError."""
    channel = await _channel(link, place, about)
    named = await names.display_names(events.guild_of(place.key), response.whole)
    drawn = components.draw(response, named)
    if about:
        more["reference"] = discord.MessageReference(
            message_id=ids.number(about, "post"),
            channel_id=channel.id,
            fail_if_not_exists=False,
        )
    if key is not None:
        if key.again and await _is_posted(link, channel, drawn, about, key):
            return
        # For a while, Discord returns the first message for the same nonce (facts B5).
        more["nonce"] = key.name
    async with translated("post"):
        await outgoing.post(
            channel, drawn.text, view=drawn.view, files=drawn.attachments(), **more
        )


async def _is_posted(
    link: Link,
    channel: discord.PartialMessageable,
    drawn: components.Drawn,
    about: str,
    key: PostKey,
) -> bool:
    """Return whether an earlier attempt posted `drawn`, as a reply to `about`. Messages
    that are read again have no nonce (facts B5), so it is recognised by its text.
    Raises DeliveryError."""
    text = outgoing.content(drawn.text, drawn.view) or ""
    try:
        async with translated("look for a post"):
            found = await own_posts(link, channel, key.since)
    except ThreadGone as error:
        # Without permission to read, a second post is better than none.
        log.warning("discord.cannot_look channel=%s %s", channel.id, error)
        return False
    return any(
        message.content == text.strip()
        and str((message.reference and message.reference.message_id) or "") == about
        for message in found
    )


async def mark(link: Link, place: Scope, message: str, sign: str) -> None:
    """Add the emoji `sign` to a message. Raises DeliveryError."""
    channel = await _channel(link, place, message)
    number = ids.number(message, "mark a message")
    async with translated("mark a message"):
        await channel.get_partial_message(number).add_reaction(sign)


async def unmark(link: Link, place: Scope, message: str, sign: str) -> None:
    """Remove the bot's emoji `sign` from a message, if it is there. Raises
    DeliveryError."""
    channel = await _channel(link, place, message)
    number = ids.number(message, "unmark a message")
    async with translated("unmark a message"):
        found = channel.get_partial_message(number)
        with contextlib.suppress(discord.NotFound):
            await found.remove_reaction(sign, discord.Object(link.us))


def _time_to_read(response: Response) -> float:
    """Return how long to show `response` as a notice, in seconds."""
    long = (
        response.buttons
        or response.menus
        or response.file
        or len(response.text) > SHORT
    )
    return READ if long else NOTICED


async def _channel_of(link: Link, place: Scope, message: str) -> str:
    """Return the channel or thread that contains `message`. A message at the top of a
    channel has the id of its thread, but is in the channel. The first message of a
    forum post also has the id of its thread, and is in the thread (facts B6)."""
    if place.thread not in ("", message):
        return place.thread
    if place.thread and place.thread != place.channel and await _is_post(link, place):
        return place.thread
    return place.channel


async def _is_post(link: Link, place: Scope) -> bool:
    try:
        guild = await link.guild(ids.parse_id(place.workspace))
    except DeliveryError as error:
        log.info("discord.unknown_channel place=%s %s", place, error)
        return False
    parent = guild.get_channel(ids.parse_id(place.channel)) if guild else None
    return isinstance(parent, discord.ForumChannel)


async def _channel(
    link: Link, place: Scope, message: str
) -> discord.PartialMessageable:
    here = ids.number(await _channel_of(link, place, message), "channel")
    return link.client.get_partial_messageable(
        here, guild_id=events.guild_of(place.key)
    )


class DiscordMessenger:
    """Implements `bot.ports.platform.Messenger` for the guilds of one bot."""

    private = False

    def __init__(self, link: Link, names: NameCache) -> None:
        self._link = link
        self._names = names

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Reply to `message` with a silent message that is deleted after a while.
        Outside of interactions, Discord has no messages that only one person sees.
        Raises DeliveryError."""
        if message.opens and in_thread:
            try:
                # Without a reference, because `message` is in another channel.
                await self._notice(message, response, "")
                return
            except ThreadGone as error:
                # Without permission to create a thread, answers are in the channel.
                log.info("discord.no_thread thread=%s %s", message.thread, error)
        await self._notice(message, response, message.message)

    async def _notice(self, message: Message, response: Response, about: str) -> None:
        await post(
            *(self._link, self._names, Scope.of(message.thread), response, about),
            silent=True,
            delete_after=_time_to_read(response),
        )

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the emoji `sign` to `message`. Raises DeliveryError."""
        await mark(self._link, place, message, sign)

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the emoji `sign` from `message`. Raises DeliveryError."""
        await unmark(self._link, place, message, sign)

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        """Post `response` for everybody. Raises DeliveryError."""
        await post(self._link, self._names, place, response, about, key)

    async def link(self, place: Scope, message: str) -> str:
        """Return the address of `message`."""
        here = await _channel_of(self._link, place, message)
        return f"https://discord.com/channels/{place.workspace}/{here}/{message}"
