"""Handles the feedback buttons below an answer."""

import logging
from collections.abc import Mapping
from typing import Any

from adapters.slack.client import SlackClient
from adapters.slack.views import user_of
from bot.domain.scope import Scope
from bot.errors import DeliveryError, StorageError
from bot.messages.controls import NO_ANSWER, THANKS
from bot.ports.host import Host

log = logging.getLogger(__name__)

#: The action id of the buttons, and the prefixes of their values. A turn's key follows
#: the prefix.
FEEDBACK = "feedback"
UP, DOWN = "up:", "down:"


async def take(
    client: SlackClient,
    host: Host,
    workspace: Scope,
    body: Mapping[str, Any],
    value: str,
) -> None:
    """Store the rating in `value`, from a button pressed in `workspace`. Thank the
    person, or say why the rating was not stored. Raises AccessRevoked."""
    container = body.get("container") or {}
    said = body.get("message") or {}
    channel = str(container.get("channel_id"))
    thread = str(said.get("thread_ts") or said.get("ts") or "")
    turn = value.removeprefix(UP).removeprefix(DOWN)
    place = Scope(workspace.platform, workspace.workspace, channel, thread)
    try:
        known = await host.conversations.feedback(place.key, turn, value.startswith(UP))
        refused = host.served.refusal(place.platform, place.workspace)
        text = THANKS if known else refused or NO_ANSWER
    except StorageError as error:
        log.error("slack.not_remembered %s", error)
        text = error.user_text
    await _tell(client, body, place, text)


async def _tell(
    client: SlackClient, body: Mapping[str, Any], place: Scope, text: str
) -> None:
    """Show `text` to the person who pressed, in the thread of the answer. Raises
    AccessRevoked."""
    shown = {"thread_ts": place.thread, "text": text}
    whisper = {"channel": place.channel, "user": user_of(body), **shown}
    try:
        await client.call_when_allowed("chat.postEphemeral", **whisper)
        return
    except DeliveryError as error:
        # The person looks at the channel without being in it.
        log.info("slack.not_whispered %s", error)
    response = {"response_type": "ephemeral", "replace_original": False, **shown}
    try:
        await client.respond(str(body.get("response_url")), response)
    except DeliveryError as error:
        log.warning("slack.untold %s", error)
