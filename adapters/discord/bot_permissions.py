"""Permissions that the bot lacks in a channel, checked before a question is accepted.
Pure."""

import discord

from adapters.discord import events
from bot.messages.controls import LOCKED

#: Names of permissions as the settings of a server show them.
NAMES = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
}


def lacking(channel: object, permissions: discord.Permissions) -> str:
    """Return what to tell somebody who asks in `channel`, where the bot has
    `permissions`; "" if it can answer there."""
    if isinstance(channel, discord.DMChannel):
        return ""
    if isinstance(channel, discord.Thread):
        if channel.locked and not permissions.manage_threads:
            return LOCKED
        needed = ["view_channel", "send_messages_in_threads"]
    elif isinstance(channel, events.Threaded):
        needed = ["view_channel", "create_public_threads", "send_messages_in_threads"]
    else:
        needed = ["view_channel", "send_messages"]
    missing = [NAMES[name] for name in needed if not getattr(permissions, name)]
    if not missing:
        return ""
    return (
        f"I may not answer here: I lack {' and '.join(missing)} in this channel. "
        "Somebody who manages it can grant that to me."
    )
