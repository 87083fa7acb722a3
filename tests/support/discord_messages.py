"""Shows Discord messages in JSON as Claude and as a reader see them, for `tests.show`
and for the tests of message content.

A message has the wire format, and any field may be left out. A missing field gets its
value from a plain message by Alice in a thread (platform facts B5.1).
"""

import copy
from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

import discord

from adapters.discord import events, markup, parsing
from bot.context import prompt
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from tests.emulators.discord import visible

#: The id of the bot's user in the messages.
US = 1000
_NAMES = {str(US): "Threadkeep", "2000": "Alice"}
_NOBODY = "(nothing: nobody said this)"

_THREAD = ThreadKey(events.NAME, "300", "400", "500")
_PLAIN: dict[str, Any] = {
    **{"id": "601", "channel_id": "500", "guild_id": "300", "type": 0, "content": ""},
    **{"timestamp": "2026-11-28T10:00:00+00:00", "edited_timestamp": None},
    **{"tts": False, "mention_everyone": False, "pinned": False, "flags": 0},
    **{"attachments": [], "embeds": [], "components": [], "mentions": []},
    "mention_roles": [],
}
_ALICE = {"id": "2000", "username": "Alice", "discriminator": "0", "avatar": None}


def read(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what Claude reads for each of `messages`, below the message that it
    replies to. A message without an author gives a remark."""
    names = _names(messages)
    return [
        "\n".join(_read(each, names) for each in (*heard.quotes, heard))
        if (heard := received(message))
        else _NOBODY
        for message in messages
    ]


def seen(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a reader sees of each of `messages`."""
    names = _names(messages)
    return [
        f"{_author(each)['username']}:\n"
        + indent(visible.readable("\n".join(visible.texts(each)), names), "  ")
        for each in messages
    ]


def received(message: Mapping[str, Any]) -> Message | None:
    """Return `message` as the adapter receives it, or None if the adapter ignores
    it."""
    state = discord.Client(intents=discord.Intents.none())._connection
    channel = discord.PartialMessageable(state, id=500, guild_id=300)
    data = parsing.legible(state, channel, _complete(message))
    parsed = discord.Message(state=state, channel=channel, data=data)
    return events.message_of(parsed, US, _THREAD)


def _complete(message: Mapping[str, Any]) -> Any:
    """Return `message` with all fields that the SDK requires."""
    data: Any = {**_PLAIN, **copy.deepcopy(dict(message)), "author": _author(message)}
    snapshots = [each["message"] for each in data.get("message_snapshots", ())]
    for each in snapshots:
        each |= {**_PLAIN, **each}
    for part in (data, *snapshots):
        for file in part["attachments"]:
            file.setdefault("proxy_url", file["url"])
    if about := data.get("referenced_message"):
        data["referenced_message"] = _complete(about)
    return data


def _read(heard: Message, names: Mapping[str, str]) -> str:
    text = markup.read(heard.text, [str(US)], users=names, roles={}, channels={})
    return prompt.label(heard, names.get(heard.author, heard.author), text)


def _names(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of people in `messages`, by id."""
    about = [each["referenced_message"] for each in messages if _refers(each)]
    people = [
        person
        for each in (*messages, *about)
        for person in (_author(each), *each.get("mentions", ()))
    ]
    return _NAMES | {each["id"]: each["username"] for each in people}


def _refers(message: Mapping[str, Any]) -> bool:
    return bool(message.get("referenced_message"))


def _author(message: Mapping[str, Any]) -> dict[str, Any]:
    return {**_ALICE, **message.get("author", {})}
