"""Builds the payloads for uses of the app's controls, commands and views (A10).

Rule: these functions only build payloads. client.py decides whether a person can do
something.
"""

from typing import Any

from tests.emulators.slack import blocks as kit
from tests.emulators.slack import controls
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.controls import Control
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.world import Message, World


def block_actions(world: World, user: str, control: Control, state: Json) -> Json:
    """Return the payload for the use of `control`, which is now in `state`. The caller
    adds the place."""
    name = control.element
    action: dict[str, Any] = {
        "type": control.kind,
        "action_id": control.action,
        "block_id": control.block,
        "action_ts": world.next_ts(),
    }
    for field in ("text", "value", "style", "icon", "placeholder"):
        if field in name:
            action[field] = name[field]
    return {
        "type": "block_actions",
        **_somebody(world, user),
        "actions": [{**action, **state}],
    }


def on_message(world: World, message: Message | Whisper) -> Json:
    """Return the part of a payload that describes the message with the used control. An
    ephemeral message itself is not in it, because Slack does not store it.
    """
    ephemeral = isinstance(message, Whisper)
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
        **thread,
    }
    return {
        "container": container,
        "channel": place(world, message.channel),
        **({} if isinstance(message, Whisper) else {"message": world.json(message)}),
    }


def values(blocks: list[Json]) -> Json:
    """Return `state.values` of a message: the states of its menus, by block."""
    found: Json = {}
    for block in blocks:
        for element in kit.parts(block):
            if element["type"] in controls.MENUS:
                row = found.setdefault(block["block_id"], {})
                row[element["action_id"]] = controls.initial(element)
    return found


def message_action(
    world: World, user: str, message: Message, *, callback_id: str
) -> Json:
    """Return the payload for the use of a message shortcut."""
    return {
        "type": "message_action",
        **_somebody(world, user),
        "callback_id": callback_id,
        "message_ts": message.ts,
        "message": world.json(message),
        "channel": place(world, message.channel),
        "action_ts": world.next_ts(),
    }


def view_event(world: World, user: str, view: Json, *, kind: str) -> Json:
    """Return the payload for a modal that is submitted ("view_submission") or closed
    ("view_closed")."""
    more: Json = {"is_cleared": False}
    if kind == "view_submission":
        more = {"response_urls": []}
    return {"type": kind, **_somebody(world, user), "view": view, **more}


def slash_command(
    world: World, user: str, channel: str, command: str, text: str
) -> Json:
    """Return the payload for a typed command, which never names a thread."""
    return {
        "token": "verification",
        "team_id": world.team,
        "team_domain": "emulated",
        "channel_id": channel,
        "channel_name": place(world, channel)["name"],
        "user_id": user,
        "user_name": world.users[user].name.lower(),
        "command": command,
        "text": text,
        "api_app_id": world.app,
        **({"enterprise_id": world.enterprise} if world.enterprise else {}),
        "is_enterprise_install": str(world.is_org_wide).lower(),
    }


def place(world: World, channel: str) -> Json:
    """Return a channel as payloads name it."""
    here = world.channels[channel]
    names = {"im": "directmessage", "channel": here.name}
    return {"id": channel, "name": names.get(here.kind, "privategroup")}


def _somebody(world: World, user: str) -> Json:
    name = world.users[user].name.lower()
    person = {"id": user, "username": name, "name": name}
    return {
        "token": "verification",
        "user": {**person, "team_id": world.users[user].team},
        "api_app_id": world.app,
        "team": {"id": world.team, "domain": "emulated"},
        "enterprise": {"id": world.enterprise} if world.enterprise else None,
        "is_enterprise_install": world.is_org_wide,
    }
