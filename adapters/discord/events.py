"""Converts Discord's messages to the core's. Pure; decides nothing.

A message in a text channel is the root of the thread that can be created on it. That
thread has the id of the message (platform facts B6).
"""

from dataclasses import replace

import discord

from adapters.discord import content, ids, mentions, message_files
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey

NAME = "discord"
#: The workspace of direct messages.
NO_GUILD = "@me"

#: Channels in which a thread can be created on a message.
Threaded = discord.TextChannel
#: Channels without threads: each is one conversation.
Streamed = (discord.VoiceChannel, discord.StageChannel)


def thread_of(channel: object, message: int | str) -> ThreadKey | None:
    """Return the thread that `message` in `channel` belongs to, or would start; None
    in a channel of an unsupported type."""
    if isinstance(channel, discord.Thread):
        guild, parent = str(channel.guild.id), str(channel.parent_id)
        return ThreadKey(NAME, guild, parent, str(channel.id))
    if isinstance(channel, Threaded):
        here = str(channel.id)
        return ThreadKey(NAME, str(channel.guild.id), here, str(message))
    if isinstance(channel, Streamed):
        here = str(channel.id)
        return ThreadKey(NAME, str(channel.guild.id), here, here)
    if isinstance(channel, discord.DMChannel):
        return direct(channel.id)
    return None


def answered_in(channel: object, message: discord.Message) -> ThreadKey | None:
    """Return the thread of `message`, which is one of the bot's answers. An answer at
    the top of a channel replies to the message on which the thread would have been
    created."""
    about = message.reference.message_id if message.reference else None
    return thread_of(channel, about or message.id)


def place_of(channel: object) -> Scope | None:
    """Return the place of a command given in `channel`, which starts no thread; None
    in a channel of an unsupported type."""
    thread = thread_of(channel, "")
    return None if thread is None else Scope.of(thread)


def direct(channel: int) -> ThreadKey:
    """Return the one thread of a channel of direct messages."""
    return ThreadKey(NAME, NO_GUILD, str(channel), str(channel))


def workspace(guild: int | None) -> str:
    """Return the workspace of a guild; None means direct messages."""
    return NO_GUILD if guild is None else str(guild)


def guild_of(thread: ThreadKey) -> int | None:
    """Return the id of the guild of `thread`, or None for direct messages. Raises
    ThreadGone."""
    return (
        None if thread.workspace == NO_GUILD else ids.number(thread.workspace, "guild")
    )


def message_of(message: discord.Message, us: int, thread: ThreadKey) -> Message | None:
    """Return `message`, converted, as part of `thread`; `us` is the id of the bot's
    user.

    Returns None for system messages and the bot's own responses to commands, and if the
    content is hidden from the bot.
    """
    by_another = message.author.id != us
    is_read = by_another and message.type in content.AUTOMATIC
    if message.type not in content.SPOKEN and not is_read:
        return None
    received = _convert(message, us, thread)
    about = message.reference.resolved if message.reference else None
    if isinstance(about, discord.Message):
        received = replace(
            received, quotes=(quote(about, us, thread, fresh=received.opens),)
        )
    if not (received.text or received.files or received.addressed):
        # Without the Message Content intent, content is empty (facts B1).
        return None
    return received


def original(message: discord.Message) -> discord.Message:
    """Return the original of `message` if `message` is the copy at the top of the
    thread that was created on it; otherwise return `message` itself (facts B5)."""
    about = message.reference.resolved if message.reference else None
    is_starter = message.type is discord.MessageType.thread_starter_message
    return about if is_starter and isinstance(about, discord.Message) else message


def quote(
    message: discord.Message, us: int, thread: ThreadKey, *, fresh: bool
) -> Message:
    """Return `message` as a quote in `thread`.

    In a `fresh` thread the bot's own messages are included; in others they are part of
    the conversation already.
    """
    received = _convert(original(message), us, thread)
    return replace(
        received,
        addressed=False,
        opens=False,
        echo=received.echo and not fresh,
    )


def _convert(message: discord.Message, us: int, thread: ThreadKey) -> Message:
    return Message(
        thread=thread,
        message=str(message.id),
        at=message.created_at.timestamp(),
        author=str(message.author.id),
        text=content.text_of(message, us),
        addressed=thread.workspace == NO_GUILD or is_addressed(message, us),
        opens=str(message.id) == thread.thread,
        echo=message.author.id == us,
        automated=message.author.bot
        or message.webhook_id is not None
        or message.type in content.AUTOMATIC,
        files=message_files.attachments(message),
        # A worker may have no other way to learn the author's name in the server.
        name=message.author.display_name,
        holds=_forwarded_ids(message),
        parts=mentions.parts(message, us),
        answers=mentions.answers(message, us),
    )


def _forwarded_ids(message: discord.Message) -> tuple[str, ...]:
    """Return the id of the message that `message` forwards, whose text it contains."""
    about = message.reference
    if about is None or about.type is not discord.MessageReferenceType.forward:
        return ()
    return (str(about.message_id),) if about.message_id else ()


def is_addressed(message: discord.Message, us: int) -> bool:
    """Return whether `message`, in a guild, addresses the bot."""
    if any(user.id == us for user in message.mentions):
        return True
    # The role that Discord created for the app has the bot's name, and people pick it
    # from the list by mistake.
    ours = message.guild.self_role if message.guild else None
    if ours is not None and ours in message.role_mentions:
        return True
    about = message.reference.resolved if message.reference else None
    return isinstance(about, discord.Message) and about.author.id == us
