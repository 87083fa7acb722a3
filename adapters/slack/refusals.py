"""Maps Slack's refusals of calls to our errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import (
    AccessRevoked,
    DeliveryError,
    MessageGone,
    ThreadGone,
    Throttled,
    Unfit,
)
from bot.messages import config as messages
from bot.messages import installations as install_messages

# Error codes by meaning (platform facts A5.3, A5.5, A17).
REVOKED = {
    "account_inactive",
    "invalid_auth",
    "not_authed",
    "not_allowed_token_type",
    "org_login_required",
    "token_expired",
    "token_revoked",
}
GONE = {
    "cannot_reply_to_message",
    "cant_update_message",
    "channel_not_found",
    "edit_window_closed",
    "ekm_access_denied",
    "is_archived",
    "is_inactive",
    "messages_tab_disabled",
    "missing_scope",
    "no_permission",
    "not_in_channel",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "thread_not_found",
}
DELETED = "message_not_found"
# Whom the workspace does not know, or does not show to the app.
NOBODY = {"user_not_found", "user_not_visible"}
UNFIT = {
    "block_mismatch",
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "too_many_blocks",
    "view_too_large",
}
# The same for views, with Slack's codes for a block that it does not accept (facts
# A10).
UNFIT_VIEW = {*UNFIT, "invalid_arguments", "invalid_view"}
# Errors of streams only (facts A7.1). After the first, the stream is over.
OVER = {"message_not_in_streaming_state"}
UNSTREAMABLE = {
    *OVER,
    "channel_type_not_supported",
    "invalid_chunks",
    "invalid_thread_ts",
    "message_not_owned_by_app",
    "missing_recipient_team_id",
    "missing_recipient_user_id",
    "stopped_by_user",
    "streaming_mode_mismatch",
    "streaming_state_conflict",
    "unknown_method",
}
# Error codes of `OPTIONAL` methods that mean that the method is not available to this
# app, plan or workspace (Slack's pages of the methods).
OPTIONAL = {"usergroups.list"}
UNAVAILABLE = {
    "access_denied",
    "enterprise_is_restricted",
    "feature_not_enabled",
    "method_deprecated",
    "not_allowed_token_type",
    "paid_teams_only",
    "plan_upgrade_required",
    "unknown_method",
}
# Errors of Slack itself, and of a workspace that is being moved: the call may succeed
# later, or may have succeeded.
TRANSIENT = {
    "fatal_error",
    "internal_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
# Methods of answers. An answer that Slack refuses for a reason that is not listed here
# is written in a simpler form, and then given up. It would be refused for ever.
ANSWERING = {"chat.postMessage", "chat.update"}
LIMITED = {"message_limit_exceeded", "rate_limited", "ratelimited"}

# Seconds to wait for a rate limit if Slack does not say how long.
DEFAULT_PAUSE = 5.0


class NoSuchPerson(DeliveryError):
    """The workspace does not know the person."""


class Unavailable(DeliveryError):
    """Slack does not offer this method to this app, plan or workspace."""


class Unstreamable(DeliveryError):
    """Slack does not allow this message, or any message in its channel, as a stream; or
    the message is an open stream and cannot be edited. `is_over` says whether the
    stream has ended."""

    def __init__(self, message: str, *, is_over: bool) -> None:
        super().__init__(message)
        self.is_over = is_over


@dataclass(frozen=True, slots=True)
class Refusal:
    """Slack's refusal of a call of `method`."""

    method: str
    status: int
    #: The body of the answer; empty if it cannot be read.
    data: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def needed(self) -> frozenset[str]:
        """The scopes that the call needs according to Slack (facts A5.3)."""
        return frozenset(filter(None, str(self.data.get("needed") or "").split(",")))

    def meaning(self, workspace: str) -> Exception:
        """Return the error to raise for this refusal. `workspace` is the workspace of
        the token, or "" if it is the only one."""
        code = str(self.data.get("error") or "")
        message = f"{self.method}: {code or f'HTTP {self.status}'}"
        if self.status == 429 or code in LIMITED:
            return Throttled(message, self._pause)
        if self.method in OPTIONAL and code in UNAVAILABLE:
            return Unavailable(message)
        if code in REVOKED:
            if workspace:
                place = f"slack:{workspace}"
                text = install_messages.refused(place=place, error=message)
                return AccessRevoked(text, workspace)
            return AccessRevoked(messages.slack_token_revoked(error=message))
        if code == DELETED:
            return MessageGone(message)
        if code in NOBODY:
            return NoSuchPerson(message)
        if code in GONE:
            needed = ",".join(sorted(self.needed))
            hint = f", the app needs the scope {needed}" if needed else ""
            return ThreadGone(message + hint)
        if code in UNSTREAMABLE:
            return Unstreamable(message, is_over=code in OVER)
        unfit = UNFIT_VIEW if self.method.startswith("views.") else UNFIT
        is_final = self.status == 200 and code and code not in TRANSIENT
        if code in unfit or (self.method in ANSWERING and is_final):
            return Unfit(message)
        if self.method == "chat.startStream" and is_final:
            return Unstreamable(message, is_over=False)
        return DeliveryError(message)

    @property
    def _pause(self) -> float:
        try:
            return float(self.headers.get("Retry-After", DEFAULT_PAUSE))
        except ValueError:
            return DEFAULT_PAUSE


def refusal(method: str, error: SlackApiError) -> Refusal:
    """Return the refusal in an error of the SDK after a call of `method`."""
    response: Any = error.response
    # If the body is not JSON, the SDK passes the raw response instead.
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = getattr(response, "data", None)
    headers = getattr(response, "headers", None) or {}
    return Refusal(method, status, data if isinstance(data, dict) else {}, headers)
