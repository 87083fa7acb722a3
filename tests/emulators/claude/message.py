"""Bodies of responses of the Messages API: messages, their usage, and errors.

Rule: pure. Numbers in comments point into the facts sheet ("claude 1.9").
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.completion import Usage
from tests.emulators.claude.prompt import Body

# claude 1.9, last paragraph on errors.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_of(kind: str, message: str, code: str | None, request_id: str) -> Body:
    """Return the body of an error in an HTTP response, a stream or the results of a
    batch."""
    details = {"error_code": code} if code else None
    error = {"type": kind, "message": message, "details": details}
    return {"type": "error", "error": error, "request_id": request_id}


def usage_of(
    used: Usage,
    *,
    output: int,
    thought: int,
    searches: int = 0,
    fetches: int = 0,
    tier: str = "standard",
) -> Body:
    """Return the `usage` of a message. `output` includes the `thought` tokens."""
    return {
        "input_tokens": used.input,
        "cache_creation_input_tokens": used.cache_write_5m + used.cache_write_1h,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": used.cache_write_5m,
            "ephemeral_1h_input_tokens": used.cache_write_1h,
        },
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thought},
        "server_tool_use": (
            {"web_search_requests": searches, "web_fetch_requests": fetches}
            if searches or fetches
            else None
        ),
        "service_tier": tier,
        "inference_geo": "global",
    }


def message_of(
    *,
    id: str,
    model: str,
    content: list[Any],
    usage: Body,
    reason: str | None = None,
    sequence: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Body:
    """Return a complete message. `reason`, `sequence` and `details` say why it
    stopped."""
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "stop_details": details,
        "usage": usage,
    }
