"""Takes in what readers think of an answer, from the buttons below it."""

from collections.abc import Mapping
from typing import Any

from adapters.slack.client import SlackClient
from adapters.slack.sentences import NO_ANSWER, THANKS
from adapters.slack.views import user_of
from bot.domain.scope import Scope
from bot.ports.platform import Host

#: The action of the buttons, and what their values begin with, before a turn's key.
FEEDBACK = "feedback"
UP, DOWN = "up:", "down:"


async def take(
    client: SlackClient,
    host: Host,
    workspace: Scope,
    body: Mapping[str, Any],
    value: str,
) -> None:
    """Note what `value`, of a button that `body` tells of in `workspace`, says of an
    answer, and thank for it.

    Raises DeliveryError, StorageError or AccessRevoked.
    """
    container = body.get("container") or {}
    said = body.get("message") or {}
    channel = str(container.get("channel_id"))
    thread = str(said.get("thread_ts") or said.get("ts") or "")
    turn = value.removeprefix(UP).removeprefix(DOWN)
    place = Scope(workspace.platform, workspace.workspace, channel, thread)
    refused = host.served.refusal(place.platform, place.workspace)
    known = await host.conversations.feedback(place.key, turn, value.startswith(UP))
    await client.call(
        "chat.postEphemeral",
        channel=channel,
        thread_ts=thread,
        user=user_of(body),
        text=THANKS if known else refused or NO_ANSWER,
    )
