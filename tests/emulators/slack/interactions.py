"""What the app is sent when somebody uses its buttons or commands (A10)."""

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.world import World


def block_actions(world: World, user: str, channel: str, ts: str, action: str) -> Json:
    """Somebody presses the button with this `action_id` on a message.

    Raises KeyError if the message has no such button.
    """
    message = world.messages[channel][ts]
    button = kit.buttons(message.blocks or [])[action]
    place = {"type": "message", "message_ts": ts, "channel_id": channel}
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    name = world.users[user].name.lower()
    return {
        "type": "block_actions",
        "user": {"id": user, "username": name, "name": name, "team_id": world.team},
        "api_app_id": world.app,
        "container": {**place, "is_ephemeral": False, **thread},
        "trigger_id": world.number("trigger"),
        "team": {"id": world.team, "domain": "emulated"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": _name(world, channel)},
        "message": world.json(message),
        "state": {"values": {}},
        "actions": [{**button, "action_ts": world.next_ts()}],
    }


def slash_command(
    world: World, user: str, channel: str, command: str, text: str
) -> Json:
    """Somebody types a command; Slack says no thread, ever."""
    return {
        "team_id": world.team,
        "team_domain": "emulated",
        "channel_id": channel,
        "channel_name": _name(world, channel),
        "user_id": user,
        "user_name": world.users[user].name.lower(),
        "command": command,
        "text": text,
        "trigger_id": world.number("trigger"),
        "api_app_id": world.app,
        "is_enterprise_install": "false",
    }


def _name(world: World, channel: str) -> str:
    place = world.channels[channel]
    names = {"im": "directmessage", "channel": place.name}
    return names.get(place.kind, "privategroup")
