"""Converts posts of the local workspace to messages of the core, with the mentions in
their text. Pure.

A mention is a name after an "@". All names are known here, so none is ambiguous.
"""

import re

from adapters.web import directory
from bot.domain.message import Mark, MarkKind, Message
from bot.domain.platform import EditInterval, Limits, WriteKind
from bot.domain.post import Post
from bot.messages.web import HINT
from bot.text import references

# The ids of members, by the name after the "@".
_NAMES = {each.name.lower(): each.id for each in directory.MEMBERS}
_EVERYONE = ("everyone", "here", "channel")
# All names are words of a few letters.
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z]{1,20})\b")

#: One message holds any answer; the limit bounds an answer that does not end. A write
#: costs a transaction and a few milliseconds in each open page, so a long answer is
#: written less often: nobody reads that fast.
LIMITS = Limits(
    part_chars=1_000_000,
    paces={
        WriteKind.EDIT: EditInterval(first=0.05, last=0.5, grown=30_000),
    },
    # There are no `pings`: a name after an "@" in an answer notifies nobody here.
    silence=0.0,
    hint=HINT,
)


def marks(text: str) -> tuple[str | Mark, ...]:
    """Return `text` in parts: words, and the mentions between them."""
    found: list[str | Mark] = []
    at = 0
    for each in _MENTION.finditer(text):
        mark = _mark(each[1].lower())
        if mark is None:
            continue
        if words := text[at : each.start()]:
            found.append(words)
        found.append(mark)
        at = each.end()
    if rest := text[at:]:
        found.append(rest)
    return tuple(found)


def message_of(post: Post) -> Message:
    """Return `post` of a person, or of the bot, as the core receives it."""
    parts = marks(post.text)
    addressed = post.thread.channel.startswith(directory.DIRECT) or any(
        isinstance(each, Mark) and each.kind is MarkKind.BOT for each in parts
    )
    return Message(
        thread=post.thread,
        message=post.message,
        at=post.at,
        author=post.author or directory.BOT,
        text=post.text,
        addressed=addressed and bool(post.author),
        opens=post.message == post.thread.thread,
        echo=not post.author,
        files=post.files,
        parts=parts,
        name=directory.name_of(post.author),
    )


def without_mention(text: str) -> str:
    """Return `text` without mentions of the bot."""
    kept = _MENTION.sub(
        lambda found: "" if found[1].lower() == directory.BOT else found[0], text
    )
    return " ".join(kept.split(" ")).strip()


def typed_text(text: str) -> str:
    """Return `text` without mentions of the bot, and with other mentions in the form of
    settings ("user:olga")."""

    def drawn(found: re.Match[str]) -> str:
        mark = _mark(found[1].lower())
        if mark is None:
            return found[0]
        if mark.kind is MarkKind.BOT:
            return ""
        return f"user:{mark.id}" if mark.id else "everyone"

    return _MENTION.sub(drawn, text).strip()


def render(text: str) -> str:
    """Return a text of the core with names in place of its references; an address and
    a time stay as words."""

    def drawn(found: references.Reference) -> str:
        if found.kind is references.ReferenceKind.USER:
            return f"@{directory.name_of(found.id)}"
        if found.kind is references.ReferenceKind.CHANNEL:
            return directory.channel_name(found.id) or found.id
        return references.plain(found, zone=None)

    return references.render(text, drawn)


def _mark(name: str) -> Mark | None:
    if name == directory.BOT:
        return Mark(MarkKind.BOT, directory.BOT)
    if name in _EVERYONE:
        return Mark(MarkKind.EVERYONE)
    return Mark(MarkKind.PERSON, _NAMES[name]) if name in _NAMES else None
