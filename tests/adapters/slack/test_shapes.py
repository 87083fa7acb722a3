"""Values that Slack never sends in a field, as far as the adapter relies on it."""

from typing import Any

import pytest

from adapters.slack.shapes import fault

EVENT = {"type": "event_callback", "team_id": "T1", "context_team_id": None}
PRESSED = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "channel": {"id": "C1"},
    "enterprise": None,
}


def event(**fields: Any) -> dict[str, Any]:
    return {**EVENT, "event": {"type": "message", **fields}}


@pytest.mark.parametrize(
    "body",
    [
        event(ts="1795300000.000200", user="U1", channel="C1", thread_ts=None),
        # Only the fields of events that are read are checked.
        {**EVENT, "event": {"type": "channel_rename", "channel": {"id": "C1"}}},
        {**PRESSED, "actions": [{"action_id": "a", "selected_option": None}]},
        {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1},
        {"command": "/x", "response_url": "", "user_id": "U1", "channel_id": "C1"},
        {"type": "view_closed", "user": {"id": "U1"}, "view": {"id": "V1"}},
    ],
)
def test_what_slack_sends_has_no_fault(body: dict[str, Any]) -> None:
    assert fault(body) == ""


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (EVENT, "event.type"),
        ({**EVENT, "event": None}, "event.type"),
        ({**EVENT, "event": "x"}, "event"),
        ({**EVENT, "authorizations": [None], "event": {}}, "authorizations"),
        (event(ts="nan"), "event.ts"),
        (event(ts=1795300000.0002), "event.ts"),
        (event(user={"id": "U1"}), "event.user"),
        (event(message=[]), "event.message"),
        (event(previous_message={"text": 5}), "event.previous_message.text"),
        (
            {**EVENT, "event": {"type": "app_home_opened", "user": "U1"}},
            "event.channel",
        ),
        ({**PRESSED, "actions": []}, "actions"),
        ({**PRESSED, "actions": [{"value": 5}]}, "actions.value"),
        ({**PRESSED, "actions": [{}], "user": None}, "user.id"),
        (
            {
                "type": "view_submission",
                "user": {"id": "U1"},
                "view": {"title": {"text": "x"}, "state": {"values": {"words": 1}}},
            },
            "view.state.values.*",
        ),
    ],
)
def test_a_fault_is_named_by_its_field(body: dict[str, Any], name: str) -> None:
    assert fault(body) == name
