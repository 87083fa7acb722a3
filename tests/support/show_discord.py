"""What Claude reads of a message of Discord, beside what a reader sees.

The message is given as it is on the wire, with as few fields as one likes: the others
get the values of a plain message of Alice in a thread (platform facts B5.1).
"""

import copy
from collections.abc import Iterator
from typing import Any

import discord

from adapters.discord import events, markup
from bot.context.prompt import label
from bot.domain.message import Message
from bot.domain.scope import ThreadKey

#: The bot's user, by its id in the messages, and the people in them.
US = 1000
NAMES = {str(US): "Threadkeep", "2000": "Alice"}

_THREAD = ThreadKey(events.NAME, "300", "400", "500")
_PLAIN: dict[str, Any] = {
    **{"id": "601", "channel_id": "500", "guild_id": "300", "type": 0, "content": ""},
    **{"timestamp": "2026-11-28T10:00:00+00:00", "edited_timestamp": None},
    **{"tts": False, "mention_everyone": False, "pinned": False, "flags": 0},
    **{"attachments": [], "embeds": [], "components": [], "mentions": []},
    "mention_roles": [],
}
_ALICE = {"id": "2000", "username": "Alice", "discriminator": "0", "avatar": None}
# The fields whose text a client shows.
_SEEN = {
    *("content", "title", "name", "description", "value", "text", "filename"),
    *("label", "placeholder", "url", "count"),
}
# What is not shown, or as a picture.
_UNSEEN = {
    *("mentions", "message_reference", "member", "referenced_message", "emoji"),
    *("image", "thumbnail", "video", "media", "file"),
}


def show(body: dict[str, Any]) -> str:
    """Return what Claude reads of the message `body`, and what a reader sees of it."""
    seen = "\n".join(f"  {each}" for each in visible(body))
    return f"Claude reads:\n{reading(body)}\n\nA reader sees:\n{seen}"


def reading(body: dict[str, Any]) -> str:
    """Return what Claude reads of `body`; a remark if that is nothing."""
    heard = received(body)
    if heard is None:
        return "(nothing: nobody said this)"
    text = markup.read(heard.text, [str(US)], users=NAMES, roles={}, channels={})
    return label(heard, NAMES.get(heard.author, heard.author), text)


def received(body: dict[str, Any]) -> Message | None:
    """Return `body` as the adapter takes it in."""
    state = discord.Client(intents=discord.Intents.none())._connection
    channel = discord.PartialMessageable(state, id=500, guild_id=300)
    body = copy.deepcopy(body)
    data: Any = {**_PLAIN, **body, "author": {**_ALICE, **body.get("author", {})}}
    parts = [data, *(each["message"] for each in data.get("message_snapshots", ()))]
    for part in parts:
        part |= {**_PLAIN, **part}
        for file in part["attachments"]:
            file.setdefault("proxy_url", file["url"])
    message = discord.Message(state=state, channel=channel, data=data)
    return events.message_of(message, US, _THREAD)


def visible(part: Any, place: str = "") -> Iterator[str]:
    """Yield the texts that a client shows of `part` of a message, which stands in the
    field `place`."""
    if isinstance(part, list):
        for each in part:
            yield from visible(each, place)
        return
    for name, each in part.items():
        if isinstance(each, dict | list):
            if name not in _UNSEEN and not (name == "author" and place != "embeds"):
                yield from visible(each, name)
            continue
        is_internal = (place, name) in {("options", "value"), ("attachments", "url")}
        if name in _SEEN and each and not is_internal:
            yield str(each)
