"""Posts what is no answer, for all to see: texts with controls, files, and signs under
messages.

Rule: nothing here unfurls, and nobody is called by it.
"""

import logging
from typing import Any

from adapters.slack import blocks, files
from adapters.slack.client import SlackClient
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from bot.ui.elements import Response

log = logging.getLogger(__name__)

#: Tells such a post from an answer whose metadata is still to come.
TOLD = "threadkeep_told"

NO_FILE = (
    "I could not hand over the table as a file. If that goes on, please have the app "
    "given the scope `files:write`."
)

#: What Slack calls the emoji that we use.
NAMES = {
    "🔴": "red_circle",
    "🟠": "large_orange_circle",
    "🟡": "large_yellow_circle",
    "⚪": "white_circle",
}


async def post(client: SlackClient, place: Scope, told: Response) -> None:
    """Say `told` to all in a thread, or at the top of a channel; its file is uploaded
    below it. Raises DeliveryError."""
    drawn = blocks.message(told, place, attached=True)
    await client.call(
        "chat.postMessage",
        channel=place.channel,
        thread_ts=place.thread or None,
        unfurl_links=False,
        unfurl_media=False,
        metadata={"event_type": TOLD, "event_payload": {}},
        **drawn,
    )
    if told.file is None:
        return
    try:
        await files.put(client, place, told.file)
    except DeliveryError as error:
        log.warning("slack.no_file %s", error)
        await post(client, place, Response(NO_FILE, public=True))


async def mark(client: SlackClient, place: Scope, message: str, sign: str) -> None:
    """Put an emoji under a message. Raises DeliveryError."""
    given: dict[str, Any] = {"channel": place.channel, "timestamp": message}
    try:
        await client.call("reactions.add", name=NAMES[sign], **given)
    except DeliveryError as error:
        # Ours is there: an earlier try did it.
        if "already_reacted" not in str(error):
            raise
