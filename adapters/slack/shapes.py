"""Finds values in Slack's payloads that Slack never sends there. Pure.

Rule: only fields are checked that the adapter relies on. Missing fields and nulls are
fine unless the payload means nothing without them. Blocks, attachments and files are
not checked, because their readers accept any value.
"""

import re
from collections.abc import Mapping
from typing import Any

TEXT = "text"
#: The ts of a message (platform facts A1.1).
TS = "ts"
_TS = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,16})?")

#: What is expected of a value: a text, a ts, fields by name, fields of any name ("*"),
#: or a list of values that are alike.
Shape = str | Mapping[str, Any] | list[Any]

_OF_ID = {"id": TEXT}
_MESSAGE: Mapping[str, Shape] = {
    **dict.fromkeys(
        ("type", "subtype", "channel", "channel_type", "user", "bot_id", "username"),
        TEXT,
    ),
    **dict.fromkeys(("text", "user_team", "source_team"), TEXT),
    **dict.fromkeys(("ts", "thread_ts", "deleted_ts"), TS),
    "edited": {"ts": TS},
}
_MESSAGES: Mapping[str, Shape] = {
    **_MESSAGE,
    **dict.fromkeys(("message", "previous_message", "root"), _MESSAGE),
}
_CHANNELS: Mapping[str, Shape] = {
    **dict.fromkeys(("channel", "user", "inviter", "tab"), TEXT),
    **dict.fromkeys(("old_channel_id", "new_channel_id"), TEXT),
    "thread_ts": TS,
}
#: The events that are read, by type (facts A1).
_EVENTS: Mapping[str, Shape] = {
    **dict.fromkeys(("message", "app_mention"), _MESSAGES),
    **dict.fromkeys(("app_home_opened", "member_joined_channel"), _CHANNELS),
    **dict.fromkeys(("channel_deleted", "group_deleted"), _CHANNELS),
    **dict.fromkeys(("channel_id_changed", "agent_session_stopped"), _CHANNELS),
    "tokens_revoked": {"tokens": {"bot": [TEXT], "oauth": [TEXT]}},
}
_CHOSEN = {"value": TEXT}
_STATE = {"type": TEXT, "value": TEXT, "selected_option": _CHOSEN, "files": [{}]}
_BODY: Mapping[str, Shape] = {
    **dict.fromkeys(("type", "command", "text", "user_id", "channel_id"), TEXT),
    **dict.fromkeys(("callback_id", "response_url", "trigger_id"), TEXT),
    **dict.fromkeys(("team_id", "enterprise_id"), TEXT),
    **dict.fromkeys(("context_team_id", "context_enterprise_id"), TEXT),
    "event": {"type": TEXT},
    "authorizations": [{"team_id": TEXT, "enterprise_id": TEXT}],
    **dict.fromkeys(("user", "channel", "team", "enterprise"), _OF_ID),
    "message": _MESSAGE,
    "container": {"channel_id": TEXT, "message_ts": TS, "thread_ts": TS},
    "actions": [
        {
            **dict.fromkeys(("action_id", "block_id", "type", "value"), TEXT),
            "selected_option": _CHOSEN,
        }
    ],
    "view": {
        **dict.fromkeys(("id", "type", "callback_id", "hash"), TEXT),
        "private_metadata": TEXT,
        "title": {"text": TEXT},
        "state": {"values": {"*": {"*": _STATE}}},
    },
}
#: The fields without which a payload means nothing, by its type or its event's.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "event_callback": ("event.type",),
    "block_actions": ("user.id", "actions"),
    "view_submission": ("user.id", "view.state.values", "view.title.text"),
    "message_action": ("user.id", "channel.id", "message.ts"),
    "app_home_opened": ("event.user", "event.channel"),
    "member_joined_channel": ("event.user", "event.channel"),
    "agent_session_stopped": ("event.user", "event.channel", "event.thread_ts"),
}


def fault(body: Mapping[str, Any]) -> str:
    """Return the name of a field of `body` with an impossible value, such as
    "event.ts"; "" if there is none."""
    if found := _fault(body, _BODY, ""):
        return found
    event = body.get("event") or {}
    kinds = body.get("type"), event.get("type")
    if found := _fault(event, _EVENTS.get(kinds[1] or "", {}), "event"):
        return found
    needed = [name for kind in kinds for name in _NEEDED.get(kind or "", ())]
    if "command" in body and "response_url" in body:
        needed += ["user_id", "channel_id"]
    return next((name for name in needed if not _has(body, name)), "")


def _fault(value: Any, shape: Shape, name: str) -> str:
    if value is None:
        return ""
    if isinstance(shape, list):
        if not isinstance(value, list) or None in value:
            return name
        found = (_fault(each, shape[0], name) for each in value)
    elif isinstance(shape, str):
        is_text = isinstance(value, str)
        is_good = is_text and (shape == TEXT or _TS.fullmatch(value) or not value)
        return "" if is_good else name
    elif not isinstance(value, Mapping):
        return name or "body"
    else:
        # Names that Slack or an app chose are not part of the result, which is logged.
        found = (
            _fault(value[key], inner, f"{name}.{field}".strip("."))
            for field, inner in shape.items()
            for key in (value if field == "*" else {field} & value.keys())
        )
    return next(filter(None, found), "")


def _has(body: Mapping[str, Any], name: str) -> bool:
    value: Any = body
    for part in name.split("."):
        value = value.get(part)
        if value is None:
            return False
    return value not in ("", [])
