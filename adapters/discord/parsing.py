"""Parses what Discord sends, including messages that the SDK cannot parse.

The SDK raises an error for some valid messages, for example for a poll that never ends,
and ends the session with that error. In a channel's history, one such message would
make the whole channel unreadable.

Rule: a part of a message that the SDK cannot parse is left out, and the rest is read.
An event that cannot be parsed at all is logged, and the session goes on.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import discord
from discord.state import AutoShardedConnectionState

from bot.runtime.background import report

log = logging.getLogger(__name__)

Json = dict[str, Any]

#: The end of a poll without an end. Discord documents that `expiry` may be null, and
#: the SDK subtracts from it.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)

# The fields that every message needs. All others may be left out.
_NEEDED = (
    *("id", "channel_id", "guild_id", "type", "content", "author", "member", "flags"),
    *("timestamp", "edited_timestamp", "webhook_id", "mentions", "mention_roles"),
    *("mention_everyone", "tts", "pinned"),
)
# Fields that are empty if they are left out.
_EMPTY = ("attachments", "embeds", "components")
# Fields in which null means the same as a missing key, but not to the SDK.
_PARTS = ("embeds", "components", "poll", "sticker_items")


class State(AutoShardedConnectionState[discord.Client]):
    """The SDK's state of a client, with messages parsed part by part if necessary."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, parse in self.parsers.items():
            # Without them, there is no session, so their errors must end it.
            if name not in ("READY", "RESUMED"):
                self.parsers[name] = _contained(name, parse)

    def create_message(self, *, channel: Any, data: Any) -> discord.Message:
        """Return a message that a call returned."""
        return super().create_message(
            channel=channel, data=legible(self, channel, data)
        )

    def parse_message_create(self, data: Any) -> None:
        """Handle a new message."""
        channel, _ = self._get_guild_channel(data)
        super().parse_message_create(legible(self, channel, data))

    def parse_message_update(self, data: Any) -> None:
        """Handle an edited message."""
        channel, _ = self._get_guild_channel(data)
        super().parse_message_update(legible(self, channel, data))

    def parse_interaction_create(self, data: Any) -> None:
        """Handle a command, which may be about a message."""
        resolved = (data.get("data") or {}).get("resolved") or {}
        channel, _ = self._get_guild_channel(data)
        for number, message in (resolved.get("messages") or {}).items():
            resolved["messages"][number] = legible(self, channel, message)
        super().parse_interaction_create(data)


def legible(state: Any, channel: Any, data: Json) -> Any:
    """Return the message `data` in `channel` without the parts that the SDK cannot
    parse. Raises the SDK's error for a message without the fields that it needs."""
    data = _without_nulls(data)
    try:
        discord.Message(state=state, channel=channel, data=data)  # type: ignore[arg-type]
    except Exception:
        # The SDK raises errors of any kind for a part that it does not know.
        return _read_part_by_part(state, channel, data)
    return data


def _read_part_by_part(state: Any, channel: Any, data: Json) -> Json:
    kept: Json = {name: data[name] for name in _NEEDED if name in data}
    kept |= {name: [] for name in _EMPTY}
    discord.Message(state=state, channel=channel, data=kept)  # type: ignore[arg-type]
    # The message that is replied to is only parsed with the reference to it.
    for name in sorted(data.keys() - _NEEDED, key="referenced_message".__eq__):
        tried: Any = {**kept, name: data[name]}
        try:
            discord.Message(state=state, channel=channel, data=tried)
        except Exception as error:
            # The message is read without this part, whatever the SDK's error.
            log.warning("discord.unreadable part=%s", name)
            report("parse a part of a message", error)
        else:
            kept = tried
    return kept


def _without_nulls(data: Json) -> Json:
    """Return the message `data` with nulls replaced as the SDK expects."""
    cleaned = {**data, "content": data.get("content") or ""}
    for name in _PARTS:
        if (part := cleaned.pop(name, None)) is not None:
            cleaned[name] = _pruned(part)
    cleaned.setdefault("components", [])
    if poll := cleaned.pop("poll", None):
        cleaned["poll"] = {"expiry": NEVER.isoformat(), **poll}
    if about := cleaned.get("referenced_message"):
        cleaned["referenced_message"] = _without_nulls(about)
    if snapshots := cleaned.get("message_snapshots"):
        cleaned["message_snapshots"] = [
            {**each, "message": _without_nulls(each["message"])}
            for each in snapshots
            if each and each.get("message")
        ]
    return cleaned


def _pruned(value: Any) -> Any:
    """Return `value` without the keys and items whose value is null."""
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_pruned(each) for each in value if each is not None]
    return value


def _contained(name: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return `parse` with its errors logged instead of raised."""

    def parse_or_report(data: Any) -> None:
        try:
            parse(data)
        except Exception as error:
            # It would end the session, in which all other events arrive.
            report(f"parse an event of Discord, {name}", error)

    return parse_or_report
