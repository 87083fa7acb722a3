"""Permissions that the bot lacks in a channel, checked before a question is accepted.
Pure."""

import discord

from adapters.discord import events
from bot.messages import controls as messages
from bot.messages import labels
from bot.messages.controls import LOCKED

#: Names of permissions as the settings of a server show them.
NAMES = {
    "view_channel": labels.VIEW_CHANNEL,
    "send_messages": labels.SEND_MESSAGES,
    "send_messages_in_threads": labels.SEND_IN_THREADS,
    "create_public_threads": labels.CREATE_THREADS,
}


def lacking_everywhere(guild: discord.Guild, us: int) -> str:
    """Return the names of the permissions that no role gives the bot in `guild`, or ""
    if none is missing. The overwrites of a channel may still grant them."""
    member = guild.get_member(us)
    if member is None:
        # Discord has not sent the guild yet.
        return ""
    held = member.guild_permissions
    return messages.AND.join(NAMES[name] for name in NAMES if not getattr(held, name))


def lacking(channel: object, permissions: discord.Permissions) -> str:
    """Return the message for somebody who asks in `channel`, where the bot has
    `permissions`, or "" if the bot can answer there."""
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
    return messages.permissions_missing(permissions=messages.AND.join(missing))
