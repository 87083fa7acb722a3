"""Reads text files that people attach, and uploads the bot's own files. Reads files
from Slack only, up to a size limit."""

import contextlib
import io
import json
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from adapters.slack.client import SlackClient
from adapters.slack.file_source import SlackFiles
from adapters.slack.message_files import attachment
from bot.domain.scope import Scope
from bot.errors import DeliveryError, FileUnread, ThreadGone, Unacceptable
from bot.messages.controls import text_file_needed
from bot.runtime.offload import offload
from bot.text.characters import replace_lone_surrogates
from bot.ui.elements import File

log = logging.getLogger(__name__)

FILE_BYTES = 100_000

# The most characters that are encoded at once, which takes at most a millisecond.
PIECE_CHARS = 100_000

BAD_FILE = text_file_needed(kilobytes=FILE_BYTES // 1_000)


async def text_of(client: SlackClient, place: Scope, file: Mapping[str, Any]) -> str:
    """Return the text of a file that was attached in `place`. Raises Unacceptable."""
    content = io.BytesIO()
    try:
        await SlackFiles(client).fetch(place, attachment(file), content, FILE_BYTES)
        text = content.getvalue().decode("utf-8-sig", "surrogatepass")
        return replace_lone_surrogates(text)
    except (DeliveryError, FileUnread, UnicodeDecodeError) as error:
        log.info("slack.unread_file %s", type(error).__name__)
        raise Unacceptable(BAD_FILE) from None


def _encode(text: str) -> bytes:
    # In pieces, since encoding a long text at once would block the event loop.
    return b"".join(
        text[start : start + PIECE_CHARS].encode()
        for start in range(0, len(text), PIECE_CHARS)
    )


async def put(client: SlackClient, place: Scope, file: File) -> None:
    """Upload `file` to a thread or channel. Raises DeliveryError."""
    content = await offload(partial(_encode, file.text), len(file.text))
    id = await send(client, file.name, content)
    with contextlib.suppress(ThreadGone):
        await show(client, place, {id: file.name})


async def send(client: SlackClient, name: str, content: bytes) -> str:
    """Send a file to Slack without showing it, in the first two of Slack's three upload
    steps (facts A15). Return the file's id. Raises DeliveryError."""
    begun = await client.call_when_allowed(
        "files.getUploadURLExternal", filename=name, length=len(content)
    )
    await client.upload(str(begun["upload_url"]), content)
    return str(begun["file_id"])


async def show(client: SlackClient, place: Scope, names: Mapping[str, str]) -> None:
    """Show files that were sent in one message. `names` holds their names by id. Raises
    DeliveryError.

    If the root of the thread is gone, Slack shows the files at the top of the channel,
    and its answer does not say so. In this case, delete the files and raise ThreadGone.
    """
    await client.call_when_allowed(
        "files.completeUploadExternal",
        files=json.dumps([{"id": id, "title": name} for id, name in names.items()]),
        channel_id=place.channel,
        thread_ts=place.thread or None,
    )
    if not place.thread:
        return
    try:
        await client.require_root(place.channel, place.thread)
    except ThreadGone:
        for id in names:
            await client.call_when_allowed("files.delete", file=id)
        raise
