"""The meaning of Slack's error codes. What becomes of each meaning is tested where the
call is made, with one code."""

import pytest

from adapters.slack.refusals import Refusal, Unavailable, Unstreamable
from bot.errors import (
    AccessRevoked,
    DeliveryError,
    MessageGone,
    ThreadGone,
    Throttled,
    Unfit,
)

CODES: dict[tuple[str, type[Exception]], tuple[str, ...]] = {
    ("chat.postMessage", AccessRevoked): (
        *("account_inactive", "invalid_auth", "not_allowed_token_type"),
        "token_revoked",
    ),
    ("chat.postMessage", ThreadGone): (
        *("ekm_access_denied", "restricted_action_non_threadable_channel"),
        *("channel_not_found", "is_archived", "missing_scope"),
        *("not_in_channel", "restricted_action", "team_access_not_granted"),
    ),
    ("chat.postMessage", MessageGone): ("message_not_found",),
    ("chat.postMessage", Unfit): (
        *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"),
        # An answer that Slack refuses for an unknown reason would be refused for ever.
        *("msg_too_long", "invalid_arguments", "posting_to_channel_denied"),
    ),
    ("chat.startStream", Unstreamable): ("posting_to_channel_denied",),
    ("conversations.replies", DeliveryError): ("posting_to_channel_denied",),
    ("chat.postMessage", Throttled): ("message_limit_exceeded", "ratelimited"),
    ("chat.postMessage", DeliveryError): ("fatal_error", "internal_error"),
    ("views.open", Unfit): (
        *("invalid_arguments", "invalid_blocks", "invalid_view", "view_too_large"),
    ),
    ("chat.appendStream", Unstreamable): (
        *("channel_type_not_supported", "invalid_chunks", "stopped_by_user"),
        *("message_not_in_streaming_state", "missing_recipient_team_id"),
        *("streaming_mode_mismatch", "unknown_method"),
    ),
    ("usergroups.list", Unavailable): (
        *("not_allowed_token_type", "plan_upgrade_required", "unknown_method"),
    ),
}


@pytest.mark.parametrize(
    ("method", "code", "meaning"),
    [(to, code, means) for (to, means), codes in CODES.items() for code in codes],
)
def test_a_code_has_a_meaning(method: str, code: str, meaning: type[Exception]) -> None:
    found = Refusal(method, 200, {"error": code}, {}).meaning("")
    assert type(found) is meaning
    assert code in str(found)
    if isinstance(found, Unstreamable):
        assert found.is_over is (code == "message_not_in_streaming_state")
