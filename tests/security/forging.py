"""Forged payloads that no client would send, in the format of the platforms.

Rule: the platform sets the person and the place, so they are never forged here. The
client sets the ids and values of controls, blocks and forms, so they always are.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.domain.channel_access import ChannelAccess
from tests.emulators.slack import interactions
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.socketmode import Delivery

Json = dict[str, Any]


#: A channel that is there, and that somebody does not see.
HIDDEN = ChannelAccess(exists=True, bot_writes=True)


def _somebody(slack: SlackEmulator, user: str) -> Json:
    name = slack.world.users[user].name.lower()
    return {
        "user": {"id": user, "name": name, "team_id": slack.world.users[user].team},
        "team": {"id": slack.team, "domain": "emulated"},
        "is_enterprise_install": False,
    }


def control(
    slack: SlackEmulator,
    user: str,
    channel: str,
    line: str,
    *,
    block: str = "at|||0",
    thread: str = "",
    action: str = "do:0",
    more: Json | None = None,
) -> Delivery:
    """Use a button on a message that `user` alone sees in `channel`, whose value is
    `line` and which says in its `block` where it stands; `more` makes another control
    of it."""
    button: Json = {"type": "button", "action_id": action, "value": line}
    button |= more or {}
    container = {"type": "message", "message_ts": "1.0", "channel_id": channel}
    if thread:
        container["thread_ts"] = thread
    payload = {
        "type": "block_actions",
        **_somebody(slack, user),
        "container": {**container, "is_ephemeral": True},
        "channel": interactions.place(slack.world, channel),
        "actions": [{**button, "block_id": block, "action_ts": "1.0"}],
        "trigger_id": slack.client._triggers.issue(user),
        "response_url": slack.hooks.issue(user, channel),
    }
    return slack.socket.deliver(payload, kind="interactive", accepts_answer=True)


def form(
    slack: SlackEmulator,
    user: str,
    metadata: Any,
    texts: Mapping[str, str],
) -> Delivery:
    """Send off a form that says `metadata` of where it was opened and what it does."""
    said = metadata if isinstance(metadata, str) else json.dumps(metadata)
    values = {
        name: {"v": {"type": "plain_text_input", "value": text}}
        for name, text in texts.items()
    }
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Forged"},
        "private_metadata": said,
        "blocks": [],
        "state": {"values": values},
    }
    payload = {"type": "view_submission", **_somebody(slack, user), "view": view}
    return slack.socket.deliver(payload, kind="interactive", accepts_answer=True)


def told(slack: SlackEmulator, user: str, sent: Delivery, before: int) -> str:
    """Return the response to what `user` sent: the answer to the delivery, and the
    ephemeral messages after the first `before`."""
    whispers = "\n".join(each.text for each in slack.ephemerals(user)[before:])
    return f"{json.dumps(sent.answer or {}, ensure_ascii=False)}\n{whispers}"
