"""Reads the mentions of a Discord message, and the author of the message that it
replies to. Pure; decides nothing.

Rule: quoted text addresses nobody, so mentions in quotes are left out.
"""

import re

import discord

from bot.domain.message import Mark, MarkKind

# A user, a role, everybody, or an emoji of a server (facts B5).
_MARK = re.compile(
    r"<@!?([0-9]{1,20})>|<@&([0-9]{1,20})>|@(everyone|here)\b|<a?:\w{1,32}:[0-9]{1,20}>"
)
# A quoted line, or everything after ">>> ".
_QUOTE = re.compile(r"^(?:>>> [\s\S]*+|> [^\n]*+\n?)", re.MULTILINE)


def parts(message: discord.Message, us: int) -> tuple[str | Mark, ...]:
    """Return the words and marks of `message`, in order, without quotes; `us` is the id
    of the bot's user. Stickers, which say no more than emoji, are marks as well."""
    found: list[str | Mark] = []
    text, end = _QUOTE.sub("", message.content), 0
    role = message.guild.self_role if message.guild else None
    for match in _MARK.finditer(text):
        user, group, everyone = match.groups()
        if everyone and not message.mention_everyone:
            # Without the permission, @everyone and @here are plain text.
            continue
        if words := text[end : match.start()]:
            found.append(words)
        if user:
            kind = MarkKind.BOT if user == str(us) else MarkKind.PERSON
            found.append(Mark(kind, user))
        elif group:
            ours = role is not None and group == str(role.id)
            found.append(Mark(MarkKind.BOT if ours else MarkKind.GROUP, group))
        else:
            found.append(Mark(MarkKind.EVERYONE if everyone else MarkKind.EMOJI))
        end = match.end()
    if words := text[end:]:
        found.append(words)
    found += [Mark(MarkKind.EMOJI)] * len(message.stickers)
    return tuple(found)


def answers(message: discord.Message, us: int) -> Mark | None:
    """Return the author of the message that `message` replies to; None if `message` is
    not a reply, replies to its own author, or came without the other message."""
    about = message.reference.resolved if message.reference else None
    if not isinstance(about, discord.Message) or about.author.id == message.author.id:
        return None
    ours = about.author.id == us
    return Mark(MarkKind.BOT if ours else MarkKind.PERSON, str(about.author.id))
