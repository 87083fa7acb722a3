"""Reads the text files that people give instead of typing. Files are read from Slack
alone, and no more of one than is taken."""

import logging
from collections.abc import Mapping
from typing import Any

from adapters.slack.client import SlackClient, Unfit
from bot.errors import DeliveryError, Unacceptable

log = logging.getLogger(__name__)

FILE_BYTES = 100_000

BAD_FILE = (
    "I could not read that file. Please give a text file (.txt or .md) in UTF-8 of at "
    f"most {FILE_BYTES // 1_000} KB."
)


async def text_of(client: SlackClient, file: Mapping[str, Any]) -> str:
    """What a file says. Raises Unacceptable."""
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    try:
        content = await client.download(url, FILE_BYTES)
        if len(content) > FILE_BYTES:
            raise Unfit("download: too large")
        return content.decode("utf-8-sig")
    except (DeliveryError, UnicodeDecodeError) as error:
        log.info("slack.unread_file %s", type(error).__name__)
        raise Unacceptable(BAD_FILE) from None
