"""Reads the files of a message: its own, those of the message that it forwards, and
those that its components show. Pure.

Rule: the address of a file expires after a day, and only its message has a new one
(platform facts B5). So the id of a file contains the ids of its channel and message.
"""

from collections.abc import Iterable, Iterator
from pathlib import PurePath

import discord
from discord.components import Component, Container, FileComponent

from bot.domain.attachment import Attachment
from bot.messages.controls import A_FILE


def attachments(message: discord.Message) -> tuple[Attachment, ...]:
    """Return the files of `message`, each once."""
    here = f"{message.channel.id}/{message.id}"
    found: dict[str, Attachment] = {}
    parts: list[discord.Message | discord.MessageSnapshot]
    parts = [message, *message.message_snapshots]
    for part in parts:
        for each in part.attachments:
            name = f"{here}/{each.id}"
            file = Attachment(name_of(each), each.url, name, each.size)
            found.setdefault(name, file)
        for shown in _file_components(part.components):
            media = shown.media
            name = f"{here}/{media.attachment_id or shown.name}"
            title = shown.name or A_FILE
            found.setdefault(name, Attachment(title, media.url, name, shown.size))
    return tuple(found.values())


def uploaded_file(file: discord.Attachment) -> Attachment:
    """Return a file that was given with a command, and so belongs to no message."""
    return Attachment(name_of(file), file.url, str(file.id), file.size)


def name_of(file: discord.Attachment) -> str:
    """Return the name that people gave to a file. Discord removes the letters of most
    languages from the name, and keeps the original as the title, usually without its
    ending (facts B5)."""
    ending = PurePath(file.filename).suffix or file.filename
    ending = ending if ending.startswith(".") else ""
    title = file.title or ""
    if not title or title.lower().endswith(ending.lower()):
        return title or file.filename
    return f"{title}{ending}"


def message_of(file: Attachment) -> tuple[str, str] | None:
    """Return the ids of the channel and the message of `file`; None if it belongs to no
    message."""
    parts = file.id.split("/", 2)
    return (parts[0], parts[1]) if len(parts) == 3 else None


def _file_components(components: Iterable[Component]) -> Iterator[FileComponent]:
    for each in components:
        if isinstance(each, FileComponent):
            yield each
        elif isinstance(each, Container):
            yield from _file_components(each.children)
