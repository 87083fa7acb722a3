"""Reads text files that people attach to a command or a form.

Rule: only files that Discord lists as uploaded are fetched, from the address that
Discord gives. An address written by a person is never fetched.
"""

from collections.abc import Mapping
from typing import Any

import discord

from adapters.discord.client import translated
from adapters.discord.message_files import name_of
from bot.errors import DeliveryError, Unacceptable
from bot.messages import controls as messages
from bot.text.characters import replace_lone_surrogates

ENDINGS = (".txt", ".md", ".yaml", ".yml")

# A text of 20,000 characters, the longest that can be set, has at most 80,000 bytes.
MOST_BYTES = 100 * 1024


async def text_of(attachment: discord.Attachment) -> str:
    """Return the text of an uploaded file.

    Raises Unacceptable with one sentence if it is not an acceptable text file.
    """
    name = name_of(attachment)
    if not name.lower().endswith(ENDINGS):
        raise Unacceptable(messages.not_a_text_file(file=_name_file(name)))
    if attachment.size > MOST_BYTES:
        raise Unacceptable(
            messages.file_too_large(
                file=_name_file(name),
                kilobytes=attachment.size // 1024,
                most=MOST_BYTES // 1024,
            )
        )
    try:
        async with translated("read a file"):
            content = await attachment.read()
    except DeliveryError as error:
        raise Unacceptable(messages.file_not_fetched(file=_name_file(name))) from error
    try:
        # With or without a byte order mark.
        return replace_lone_surrogates(content.decode("utf-8-sig", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise Unacceptable(messages.file_not_utf8(file=_name_file(name))) from error


def find_files(
    interaction: discord.Interaction[discord.Client], ids: str
) -> list[discord.Attachment]:
    """Return the uploaded files of a form by their `ids`, which are separated by
    blanks."""
    data: Mapping[str, Any] = interaction.data or {}
    known = (data.get("resolved") or {}).get("attachments") or {}
    state = interaction._state
    return [
        discord.Attachment(data=known[each], state=state)
        for each in ids.split()
        if each in known
    ]


def _name_file(name: str) -> str:
    return f"`{name.replace('`', '')[:60]}`"
