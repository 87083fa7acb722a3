"""Converts everything that people see in a message to one text. Pure.

Besides its typed text, a message may contain forwarded messages, embeds, link previews,
polls, components and stickers (platform facts B5.2). Each of them follows the typed
text as an excerpt with a label, always in the same order.

Rule 1: files of the message itself are in `Message.files` only, and not in the text.
Files of a forwarded message are in both, because they are part of its content.
Rule 2: facts that Discord does not send are left out: a poll without results has no
counts.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import discord
from discord.components import (
    ActionRow,
    Button,
    Component,
    Container,
    FileComponent,
    MediaGalleryComponent,
    SectionComponent,
    SelectMenu,
    TextDisplay,
    ThumbnailComponent,
)

from adapters.discord import ids
from adapters.discord.message_files import name_of
from adapters.discord.parsing import NEVER
from bot.text.excerpts import POLL, PREVIEW_OF, excerpt

#: Types of messages that people and programs write; all others are Discord's own (facts
#: B5).
SPOKEN = {discord.MessageType.default, discord.MessageType.reply}
#: Responses of other programs to commands, and results of polls, which Discord posts in
#: the name of the poll's author. They are read, but not answered.
AUTOMATIC = {
    discord.MessageType.chat_input_command,
    discord.MessageType.context_menu_command,
    discord.MessageType.poll_result,
}

# The type of the embed that holds the result of a poll (facts B5.2).
_RESULT = "poll_result"


def text_of(message: discord.Message, us: int) -> str:
    """Return the text of `message`, followed by an excerpt for each of its other parts.

    The bot's own controls below an answer are left out, because they are not part of
    the answer.
    """
    ours = message.author.id == us
    is_program = message.author.bot or message.webhook_id is not None
    return _join(
        _message_text(message),
        *(_quote_forward(each) for each in message.message_snapshots),
        *_embeds(message.embeds, message.content, by_program=is_program),
        _poll(message.poll) if message.poll is not None else "",
        *_descriptions(message.attachments),
        "" if ours else excerpt("Components", _components(message.components)),
        *_stickers(message.stickers),
    )


def _message_text(message: discord.Message) -> str:
    if message.type in SPOKEN or message.type in AUTOMATIC:
        return message.content
    # A system message, which clients show as a sentence.
    return message.system_content or ""


def _quote_forward(snapshot: discord.MessageSnapshot) -> str:
    """Return a forwarded message as an excerpt. Discord does not name its author (facts
    B5)."""
    files = [_file(name_of(each)) for each in snapshot.attachments]
    said = _join(
        snapshot.content,
        *_embeds(snapshot.embeds, snapshot.content, by_program=None),
        *_descriptions(snapshot.attachments),
        excerpt("Components", _components(snapshot.components)),
        *_stickers(snapshot.stickers),
        "\n".join(files),
    )
    return excerpt(f"Forwarded message of {_time(snapshot.created_at)}", said)


def _embeds(
    embeds: Sequence[discord.Embed], content: str, *, by_program: bool | None
) -> list[str]:
    """Return the embeds of a message with the text `content`; `by_program` is None if
    the author is unknown."""
    return [
        _result(each)
        if each.type == _RESULT
        else excerpt(_label(each, content, by_program=by_program), _embed(each))
        for each in embeds
    ]


def _label(embed: discord.Embed, content: str, *, by_program: bool | None) -> str:
    """Return the label of an embed: that it is a program's embed, or which link it is a
    preview of.

    Only programs write embeds, and those have the type "rich". Discord makes embeds of
    other types, and all embeds of people's messages, from links in the text (facts
    B5.2).
    """
    url = embed.url or ""
    is_preview = (
        embed.type != "rich"
        or by_program is False
        or (bool(url) and url in content.split())
    )
    if not is_preview:
        return "Embed"
    return f"{PREVIEW_OF} {''.join(url.split()) or 'a link'}"


def _embed(embed: discord.Embed) -> str:
    """Return the text of an embed, in the order in which clients show it."""
    provider, author = embed.provider.name or "", embed.author.name or ""
    made_of_link = embed.type != "rich"
    fields = [_field(each.name or "", each.value or "") for each in embed.fields]
    media = [embed.image.url, embed.video.url if made_of_link else None]
    if not embed.image.url:
        # Previews have their picture as a thumbnail.
        media.append(embed.thumbnail.url)
    below = [embed.footer.text or "", _time(embed.timestamp) if embed.timestamp else ""]
    return _lines(
        provider,
        _link(author, embed.author.url),
        # The label of a preview contains the address.
        _link(embed.title or "", None if made_of_link else embed.url),
        embed.description or "",
        *fields,
        *(_medium("image", each) for each in dict.fromkeys(media) if each),
        " · ".join(filter(None, below)),
    )


def _field(name: str, value: str) -> str:
    name, value = name.strip("\u200b \n"), value.strip("\u200b \n")
    if not name or not value:
        return name or value
    return f"{name}:\n{value}" if "\n" in value else f"{name}: {value}"


def _link(text: str, url: str | None) -> str:
    if not text or not url:
        return text or url or ""
    return f"{text} ({url})"


def _poll(poll: discord.Poll) -> str:
    """Return a poll, with its votes if Discord sent any."""
    # The SDK reads missing results as zeros (facts B5.2: they are unknown).
    counts = poll.is_finalised() or poll.total_votes > 0
    answers = []
    for each in poll.answers:
        name = f"{each.emoji or ''} {each.text or ''}"
        votes = f": {_votes(each.vote_count)}" if counts else ""
        answers.append(f"- {name.strip()}{votes}")
    rules = ["Several answers may be chosen."] if poll.multiple else []
    if poll.is_finalised():
        rules.append("The poll is closed.")
    elif poll.expires_at is not None and poll.expires_at < NEVER:
        rules.append(f"Open until {_time(poll.expires_at)}.")
    return excerpt(POLL, _lines(poll.question or "", *answers, " ".join(rules)))


def _result(embed: discord.Embed) -> str:
    """Return the result of a poll."""
    fields = {each.name: each.value or "" for each in embed.fields}
    won, votes = fields.get("victor_answer_text", ""), fields.get("victor_answer_votes")
    total = fields.get("total_votes")
    of_all = f" of {total}" if votes and total else ""
    result = f"Most votes: {won}" if won else "No answer has the most votes."
    if won and votes:
        result += f" ({votes}{of_all})"
    elif total:
        result += f" There are {_votes(int(total))}." if ids.is_id(total) else ""
    question = fields.get("poll_question_text", "")
    return excerpt("Result of a poll", _lines(question, result))


def _votes(count: int) -> str:
    return f"{count} vote{'' if count == 1 else 's'}"


def _descriptions(attachments: Iterable[discord.Attachment]) -> list[str]:
    """Return the descriptions that people gave to pictures."""
    return [
        excerpt(f"Description of {_line(name_of(each))}", each.description or "")
        for each in attachments
    ]


def _components(components: Iterable[Component]) -> str:
    """Return the text of components, and the labels of buttons and menus."""
    return _lines(*map(_component, components))


def _component(component: Component) -> str:
    match component:
        case TextDisplay():
            return component.content
        case ActionRow() | Container():
            return _components(component.children)
        case SectionComponent():
            return _components([*component.children, component.accessory])
        case FileComponent():
            return _file(component.name or _name_of(component.media.url))
        case MediaGalleryComponent():
            return _lines(
                *(_medium("image", i.media.url, i.description) for i in component.items)
            )
        case ThumbnailComponent():
            return _medium("image", component.media.url, component.description)
        case Button():
            name = " ".join(filter(None, [str(component.emoji or ""), component.label]))
            return f"(button: {_link(name, component.url)})" if name else ""
        case SelectMenu():
            options = ", ".join(each.label for each in component.options)
            shown = ": ".join(filter(None, [component.placeholder, options]))
            return f"(menu: {shown})" if shown else ""
    return ""


def _stickers(stickers: Iterable[discord.StickerItem]) -> list[str]:
    return [excerpt("Sticker", each.name) for each in stickers]


def _file(name: str) -> str:
    return f"(file: {_line(name)})"


def _medium(kind: str, url: str | None, description: str | None = None) -> str:
    words = ", ".join(filter(None, [_name_of(url or ""), _line(description or "")]))
    return f"({kind}: {words})" if words else f"({kind})"


def _name_of(url: str) -> str:
    """Return the name of the file at `url`; "" if the address has none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return _line(unquote(path.rpartition("/")[2]))


def _line(text: str) -> str:
    return " ".join(text.split())


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _lines(*parts: str) -> str:
    return "\n".join(filter(str.strip, parts))


def _join(*parts: str) -> str:
    return "\n\n".join(filter(str.strip, parts))
