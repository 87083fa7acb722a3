"""Reads text files that people attach to a command or a form.

Rule: only files that Discord lists as uploaded are fetched, from Discord's address; an
address that somebody wrote never is.
"""

from collections.abc import Mapping
from typing import Any

import discord

from adapters.discord.client import translated
from bot.errors import DeliveryError, Unacceptable
from bot.text.characters import replace_lone_surrogates

ENDINGS = (".txt", ".md")

# A text of 20,000 characters, the longest that can be set, has at most 80,000 bytes.
MOST_BYTES = 100 * 1024


async def text_of(attachment: discord.Attachment) -> str:
    """Return the text of an uploaded file.

    Raises Unacceptable with one sentence if it is not an acceptable text file.
    """
    name = attachment.filename
    if not name.lower().endswith(ENDINGS):
        raise Unacceptable(
            f"{_named(name)} is no .txt or .md file; please give me one of these."
        )
    if attachment.size > MOST_BYTES:
        raise Unacceptable(
            f"{_named(name)} has {attachment.size // 1024:,} KB, and I take "
            f"{MOST_BYTES // 1024} KB at the most; please shorten it."
        )
    try:
        async with translated("read a file"):
            content = await attachment.read()
    except DeliveryError as error:
        raise Unacceptable(
            f"I could not fetch {_named(name)} from Discord; please give it once more."
        ) from error
    try:
        # With or without a byte order mark.
        return replace_lone_surrogates(content.decode("utf-8-sig", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise Unacceptable(
            f"{_named(name)} is no text in UTF-8; please save it as that and try again."
        ) from error


def found(
    interaction: discord.Interaction[discord.Client], ids: str
) -> list[discord.Attachment]:
    """Return the uploaded files whose `ids`, separated by blanks, a form contains."""
    data: Mapping[str, Any] = interaction.data or {}
    known = (data.get("resolved") or {}).get("attachments") or {}
    state = interaction._state
    return [
        discord.Attachment(data=known[each], state=state)
        for each in ids.split()
        if each in known
    ]


def _named(name: str) -> str:
    return f"`{name.replace('`', '')[:60]}`"
