"""Converts the title of a thread to a message before all others. Pure.

People write their question into the title of a forum post, or into the name of a thread
that they open without a message. No message repeats that title.
"""

from dataclasses import replace

import discord

from adapters.discord import ids
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.text.excerpts import excerpt


def title_of(thread: object, key: ThreadKey, us: int, said: str = "") -> Message | None:
    """Return the title of `thread`, with the tags of a forum post, as a message of the
    thread's owner. `key` is the key of the thread, `us` the id of the bot's user, and
    `said` the text of the message that opens the thread.

    Returns None if `thread` is not a thread, if the bot created it, or if it has no
    tags and `said` contains its title.
    """
    if not isinstance(thread, discord.Thread) or thread.owner_id == us:
        return None
    tags = ", ".join(each.name for each in thread.applied_tags)
    if not tags and _words(thread.name.removesuffix("…")) in _words(said):
        return None
    lines = [thread.name, f"Tags: {tags}" if tags else ""]
    return Message(
        thread=key,
        # The first message has the id of the thread, and nothing has the id before
        # that.
        message=str(ids.number(key.thread, "title") - 1),
        # The first message may have the same time.
        at=discord.utils.snowflake_time(thread.id).timestamp() - 0.001,
        author=str(thread.owner_id),
        text=excerpt("Title of this thread", "\n".join(filter(None, lines))),
        addressed=False,
        opens=False,
    )


def with_title(message: Message, channel: object) -> Message:
    """Return `message` for triage. If it begins a forum post, its text is preceded by
    the title of the post."""
    if not message.opens or not isinstance(channel, discord.Thread):
        return message
    return replace(message, text=f"{channel.name}\n\n{message.text}".strip())


def _words(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
