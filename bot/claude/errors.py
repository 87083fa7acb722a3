"""Translates the SDK's errors into ours, and decides whether to retry. Pure.

Rule: an error is created anew here and never chained to the SDK's error, which holds
the request, with key and conversation, and whose text quotes the response. Our errors
name a class, a status and a request id.
"""

import contextlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import anthropic
import httpx2

from bot.claude.model_status import Standing
from bot.errors import (
    FileRefused,
    ModelBusy,
    ModelDenied,
    ModelError,
    ModelGone,
    ModelRejected,
    ModelUnreachable,
    PromptTooLong,
    ServerFailed,
)
from bot.messages import claude as messages

# Limits on the retries of a call before its first text, in attempts and in seconds: a
# person is waiting in the thread.
MOST_TRIES = 5
PATIENCE = 60.0
LONGEST_WAIT = 20.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt."""

    #: Error to raise if this was the last attempt.
    error: ModelError
    #: Whether a retry may succeed.
    passing: bool = False
    #: The wait that the API asked for, in seconds.
    retry_after: float | None = None
    #: Whether the attempt may be billed although it failed.
    billed: bool = True
    #: The numbers of the message and of the block of a refused file; None if unknown.
    place: tuple[int, int] | None = None
    #: Whether the request was refused because of its compaction block.
    of_block: bool = False

    def naming(self, files: Mapping[tuple[int, int], str]) -> "Fault":
        """Return the fault with the digest of the refused file.

        `files` are the digests of the files in the request, by place.
        """
        if self.place is None:
            return self
        error = FileRefused(str(self.error), files.get(self.place, ""))
        return replace(self, error=error)


class CallFailed(Exception):
    """Raised by calls that are not retried here. `fault` describes the failure."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault.error))
        self.fault = fault


def pause(fault: Fault, tries: int, elapsed: float, chance: float) -> float | None:
    """Return the seconds to wait after `tries` attempts in `elapsed` seconds, or None.

    None means to give up. `chance`, from 0 to 1, is jitter: it spreads out callers that
    failed together.
    """
    if not fault.passing or tries >= MOST_TRIES:
        return None
    if fault.retry_after is None:
        wait = 2.0 ** (tries - 1) * (0.5 + chance / 2)
    elif fault.retry_after > LONGEST_WAIT:
        return None
    else:
        wait = fault.retry_after + chance
    return wait if elapsed + wait <= PATIENCE else None


# The SDK's exceptions for a malformed response: bad JSON or UTF-8, a delta for a
# content block that was not started, a missing field.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError)

# The codes of errors about a compaction block begin with this (Claude facts 1.8).
_OF_BLOCK = "compaction_"

#: Everything that a call of the SDK may raise.
SDK_ERRORS = (anthropic.APIError, httpx2.HTTPError, *_MALFORMED)

# An `error` event in a stream comes with status 200. Its type determines the status
# that the same error has outside of a stream.
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}

# Errors of a connection that was never made, so that no request was sent. The second
# set has the class names of the two transports below httpx2: one of them reports every
# broken connection as `httpx2.ConnectError`, even if it broke after the request was
# sent.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_NOT_CONNECTED = frozenset(
    (
        *("ConnectError", "ConnectTimeout", "PoolTimeout"),
        *("ClientConnectorError", "ConnectionTimeoutError"),
    )
)

# Timeouts: the answer may have been generated nevertheless.
_TIMED_OUT = (408, 499, 504)


# An error type, a code or a request id, and the field at fault, as the API writes them.
_WORD = re.compile(r"^(?:req_\w{1,64}|[a-z_]{1,64})\Z")
_FIELD = re.compile(r"\A[a-z_]++(\.\w++)*+(?=: )")


# The API's error about a file that it does not accept, and the place of the file
# (Claude facts 1.5 and 1.7). The wording is not documented; a request without files is
# not affected.
_DIMENSIONS = "image_dimensions_too_large"
_OF_FILE = re.compile(r"\b(?:image|pdf|document)")
_PLACE = re.compile(r"\bmessages\.([0-9]{1,6})\.content\.([0-9]{1,6})\b")

# The API's error about an MCP server that it cannot use: "Connection error while
# communicating with MCP server", without a name, and "Invalid authorization token for
# MCP server 'NAME'" (anthropics/anthropic-sdk-typescript issue 1027, -python issue
# 1029; the wording is not documented). A proxy that does not know the connector names
# the connector's header or a field. The request would be answered without the servers.
_SERVER = re.compile(r"mcp server '([a-z0-9_-]{1,64})'")
_BUSY = ("rate_limit_error", "overloaded_error", "request_too_large")


@contextlib.contextmanager
def translated(model: str) -> Iterator[None]:
    """Raise CallFailed for any error of the SDK in a call for `model`."""
    try:
        yield
    except SDK_ERRORS as error:
        raise CallFailed(judge(error, model)) from None


def judge(error: Exception, model: str, *, asks_servers: bool = False) -> Fault:
    """Classify `error`, which the SDK raised in a call for `model`.

    `asks_servers` is whether the call has MCP servers.
    """
    if isinstance(error, anthropic.APIStatusError):
        if asks_servers and (failed := _server_failed(error)):
            return Fault(failed, billed=_may_be_billed(error))
        return replace(_judge_status(error, model), billed=_may_be_billed(error))
    if isinstance(error, UnicodeEncodeError):
        return Fault(ModelRejected(messages.HALF_A_CHARACTER), billed=False)
    text = messages.no_whole_answer(errors=names_of(error))
    return Fault(ModelUnreachable(text), True, billed=_may_be_sent(error))


def _server_failed(error: anthropic.APIStatusError) -> ServerFailed | None:
    message = str(error.api_message).lower()
    busy = error.status_code in (413, 429, 529) or error.type in _BUSY
    if busy or "mcp" not in message:
        return None
    found = _SERVER.search(message)
    text = messages.server_failed(facts=_facts(error))
    return ServerFailed(text, found[1] if found else "")


def names_of(error: Exception) -> str:
    """Return the type names of `error` and its cause. Their texts may quote a
    request."""
    cause = error.__cause__
    return ", ".join(type(e).__name__ for e in (error, cause) if e is not None)


def _may_be_sent(error: Exception) -> bool:
    """Return whether the request that ended with `error` may have been sent."""
    outer = error.__cause__ if isinstance(error, anthropic.APIError) else error
    if not isinstance(outer, _NOT_SENT) or outer.__cause__ is None:
        return True
    names = {kind.__name__ for kind in type(outer.__cause__).__mro__}
    return not names & _NOT_CONNECTED


def _may_be_billed(error: anthropic.APIStatusError) -> bool:
    """Return whether a request that ended with `error` may be billed.

    A request that the API itself rejects before it answers is not billed. After an
    error within a stream, a timeout, or the error page of a proxy, it is unknown how
    far the API got.
    """
    status = error.status_code
    if status == 200 or status in _TIMED_OUT:
        return True
    return status >= 500 and not error.type


def _judge_status(error: anthropic.APIStatusError, model: str) -> Fault:
    status = error.status_code
    if status == 200:
        status = _STATUS.get(str(error.type), 500)
    facts = _facts(error)
    message = str(error.api_message).lower()
    if _over_limit(error.error_code, message):
        return Fault(ModelDenied(messages.over_spend_limit(facts=facts)))
    passing = error.response.headers.get("x-should-retry") != "false"
    wait = _retry_after(error.response.headers)
    match status:
        case 429 | 529:
            text = messages.OVERLOADED if status == 529 else messages.RATE_LIMITED
            return Fault(ModelBusy(f"{text} {facts}", wait), passing, wait)
        case _ if status in (408, 409) or status >= 500:
            text = messages.claude_failed(facts=facts)
            return Fault(ModelUnreachable(text), passing, wait)
        case 401 | 402 | 403:
            return Fault(ModelDenied(f"{_denial(status, model)} {facts}"))
        case 404:
            # Only the API itself sends an error type.
            if not error.type:
                return Fault(ModelDenied(f"{messages.NOT_THE_API} {facts}"))
            text = messages.no_such_model(model=model)
            return Fault(ModelGone(f"{text} {facts}", model))
        case _ if status == 413 or _is_too_long(message):
            return Fault(PromptTooLong(messages.thread_too_long(facts=facts)))
    refused = messages.request_refused(facts=facts)
    if str(error.error_code) == _DIMENSIONS or _OF_FILE.search(message):
        found = _PLACE.search(message)
        place = (int(found[1]), int(found[2])) if found else None
        return Fault(FileRefused(refused), place=place)
    of_block = str(error.error_code).startswith(_OF_BLOCK)
    return Fault(ModelRejected(refused), of_block=of_block)


def _denial(status: int, model: str) -> str:
    if status == 401:
        return messages.KEY_NOT_ACCEPTED
    if status == 402:
        return messages.CANNOT_PAY
    return messages.key_may_not_use(model=model)


def _is_too_long(message: str) -> bool:
    # The second text is about a prompt that leaves no room for `max_tokens`
    # (docker/docker-agent issue 569; the wording is not documented).
    return "prompt is too long" in message or "exceed context limit" in message


def _over_limit(code: str | None, message: str) -> bool:
    # The tier's spend limit has a code. The account owner's own limits and an exhausted
    # credit are a 400 that only the wording distinguishes.
    return (
        str(code).endswith("spend_limit_reached")
        or "specified api usage limits" in message
        or "credit balance is too low" in message
    )


def _facts(error: anthropic.APIStatusError) -> str:
    """Return status, type, code, request id and the field at fault, in brackets."""
    # Not the message itself: some gateways quote the key or the prompt in it.
    words = [str(error.status_code)]
    for word in (error.type, error.error_code, error.request_id):
        words += _WORD.findall(str(word or ""))
    field = _FIELD.match(str(error.api_message))
    if field and error.status_code == 400:
        words.append(f"at {field[0]}")
    return f"({', '.join(words)})"


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Return Retry-After in seconds. It is a number, or a date by the server's own
    clock."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
            seconds = (until - parsedate_to_datetime(headers["date"])).total_seconds()
        except (ValueError, TypeError, KeyError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def standing(error: Exception, fault: Fault) -> Standing:
    """Return the standing of the key and the model according to `error` and its
    `fault`."""
    if not isinstance(fault.error, ModelDenied):
        return "unreachable"
    missing = isinstance(error, anthropic.NotFoundError) and error.type
    return "unknown" if missing else "denied"
