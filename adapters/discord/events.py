"""Reads Discord's messages: what was said, by whom, where. Pure; decides nothing.

A message in a text channel is read as the root of the thread that would be made
on it: that thread has the message's own id (platform facts B6).
"""

from collections.abc import Sequence
from dataclasses import replace

import discord

from adapters.discord import ids
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey

NAME = "discord"
#: Stands for the workspace of direct messages.
NO_GUILD = "@me"

# Messages that somebody wrote; all other types are Discord's own (facts B5).
SPOKEN = {discord.MessageType.default, discord.MessageType.reply}

#: Where a thread can be made on a message.
Threaded = discord.TextChannel
#: Where people talk in one stream, which is one conversation.
Streamed = (discord.VoiceChannel, discord.StageChannel)


def thread_of(channel: object, message: int | str) -> ThreadKey | None:
    """The thread that `message` in `channel` belongs to, or would begin; None in
    a channel that is none of those where we talk."""
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


def place_of(channel: object) -> Scope | None:
    """Where something is that is said in `channel`, but begins no thread there; None
    in a channel that is none of those where we talk."""
    thread = thread_of(channel, "")
    return None if thread is None else Scope.of(thread)


def direct(channel: int) -> ThreadKey:
    """The one thread of a channel of direct messages."""
    return ThreadKey(NAME, NO_GUILD, str(channel), str(channel))


def workspace(guild: int | None) -> str:
    """The workspace that a guild is; that of direct messages for None."""
    return NO_GUILD if guild is None else str(guild)


def guild_of(thread: ThreadKey) -> int | None:
    """The guild of `thread`; None for direct messages. Raises ThreadGone."""
    return (
        None if thread.workspace == NO_GUILD else ids.number(thread.workspace, "guild")
    )


def said(message: discord.Message, us: int, thread: ThreadKey) -> Message | None:
    """`message`, which belongs to `thread`; `us` is our user's id.

    None if nobody said it, or if we are not shown what it says.
    """
    if message.type not in SPOKEN:
        return None
    heard = _said(message, us, thread)
    about = message.reference.resolved if message.reference else None
    if isinstance(about, discord.Message):
        heard = replace(heard, quotes=(quote(about, us, thread, fresh=heard.opens),))
    if not (heard.text or heard.files or heard.addressed):
        # Without the Message Content intent that is how it comes (facts B1).
        return None
    return heard


def quote(
    message: discord.Message, us: int, thread: ThreadKey, *, fresh: bool
) -> Message:
    """`message` as what somebody in `thread` refers to.

    In a `fresh` thread our own words are news, too; in another they are part of
    the conversation.
    """
    heard = _said(message, us, thread)
    return replace(
        heard,
        addressed=False,
        opens=False,
        echo=heard.echo and not fresh,
    )


def _said(message: discord.Message, us: int, thread: ThreadKey) -> Message:
    return Message(
        thread=thread,
        message=str(message.id),
        at=message.created_at.timestamp(),
        author=str(message.author.id),
        text=_text(message),
        addressed=thread.workspace == NO_GUILD or is_addressed(message, us),
        opens=str(message.id) == thread.thread,
        echo=message.author.id == us,
        automated=message.author.bot or message.webhook_id is not None,
        files=tuple(each.filename for each in message.attachments),
        holds=_forwarded(message),
    )


def _forwarded(message: discord.Message) -> tuple[str, ...]:
    """The id of the message that was forwarded with `message`, whose words it holds."""
    about = message.reference
    if about is None or about.type is not discord.MessageReferenceType.forward:
        return ()
    return (str(about.message_id),) if about.message_id else ()


def _text(message: discord.Message) -> str:
    """What `message` says; what was forwarded with it, as a quote."""
    texts = [message.content or _embedded(message.embeds)]
    for forwarded in message.message_snapshots:
        text = forwarded.content or _embedded(forwarded.embeds)
        texts.append("\n".join(f"> {line}" for line in text.splitlines()))
    return "\n".join(filter(None, texts))


def _embedded(embeds: Sequence[discord.Embed]) -> str:
    # Programs often say what they have to say in embeds alone.
    texts = [text for each in embeds for text in (each.title, each.description)]
    return "\n".join(filter(None, texts))


def is_addressed(message: discord.Message, us: int) -> bool:
    """Whether `message`, said where many listen, is meant for us."""
    if any(user.id == us for user in message.mentions):
        return True
    # The role that Discord made for the app has its name, and people pick it
    # from the list by mistake.
    ours = message.guild.self_role if message.guild else None
    if ours is not None and ours in message.role_mentions:
        return True
    about = message.reference.resolved if message.reference else None
    return isinstance(about, discord.Message) and about.author.id == us
