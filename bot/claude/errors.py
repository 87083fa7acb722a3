"""What an error that Anthropic's SDK lets out means, and whether to try again. Pure.

Rule: an error is made anew here and never chained to the one it translates. What the
SDK raises holds the request, key and conversation included, and its text quotes
whatever the other side answered. Ours name a class, a status and a request id.
"""

import math
import re
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Literal

import anthropic
import httpx2

from bot.errors import (
    ModelBusy,
    ModelDenied,
    ModelError,
    ModelRejected,
    ModelUnreachable,
    PromptTooLong,
)

# Patience before the first text. Someone sits before the thread and waits.
MOST_TRIES = 5
PATIENCE = 60.0
LONGEST_WAIT = 20.0

Standing = Literal["accepted", "unknown", "denied", "unreachable"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One try that failed."""

    #: What it is called if it was the last one.
    error: ModelError
    #: Whether another try may do better.
    passing: bool = False
    #: The wait that was asked for, in seconds.
    retry_after: float | None = None
    #: Whether the try may be billed although it failed.
    billed: bool = True


def pause(fault: Fault, tries: int, elapsed: float, chance: float) -> float | None:
    """Seconds to wait after `tries` tries in `elapsed` seconds; None to give up.

    `chance` is from 0 to 1 and keeps those who failed together from coming back
    together.
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


# What escapes from the SDK when a stream is not made of the events it expects: bad
# JSON or UTF-8, a block that never began, a field that is not there.
GARBLED = (ValueError, LookupError, TypeError, AttributeError)

# An `error` event in a stream comes with status 200; its type says which status the
# same error has outside a stream.
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

# What says that a connection was never made, so that no request was sent. The second
# are the classes of the two transports below: of one of them every broken connection
# becomes an `httpx2.ConnectError`, also one that broke after the request was sent.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_NOT_CONNECTED = frozenset(
    (
        *("ConnectError", "ConnectTimeout", "PoolTimeout"),
        *("ClientConnectorError", "ConnectionTimeoutError"),
    )
)

# With these somebody waited in vain for an answer that may have been made.
_TIMED_OUT = (408, 499, 504)

_DENIED = {
    401: "the key is not accepted: set ANTHROPIC_API_KEY to a valid one",
    402: "the account cannot pay: see Billing in Anthropic's console",
    403: "the key in ANTHROPIC_API_KEY may not use {}: choose another model or key",
}
ELSEWHERE = "what answers is not Claude's API: check ANTHROPIC_BASE_URL"


# A type, a code or a request id, and the field at fault, as the API writes them.
_WORD = re.compile(r"^(?:req_\w{1,64}|[a-z_]{1,64})\Z")
_FIELD = re.compile(r"\A[a-z_]++(\.\w++)*+(?=: )")


def judge(error: Exception, model: str) -> Fault:
    """What `error`, which the SDK let out while asking `model`, means to us."""
    if isinstance(error, anthropic.APIStatusError):
        return replace(_judge_status(error, model), billed=_may_be_billed(error))
    if isinstance(error, UnicodeEncodeError):
        return Fault(ModelRejected("the request holds half a character"), billed=False)
    names = type(error).__name__
    if error.__cause__ is not None:
        names += f", {type(error.__cause__).__name__}"
    text = f"no whole answer from Claude: {names}"
    return Fault(ModelUnreachable(text), True, billed=_may_be_sent(error))


def _may_be_sent(error: Exception) -> bool:
    """Whether a request that ended with `error` may have reached the other side."""
    outer = error.__cause__ if isinstance(error, anthropic.APIError) else error
    if not isinstance(outer, _NOT_SENT) or outer.__cause__ is None:
        return True
    names = {kind.__name__ for kind in type(outer.__cause__).__mro__}
    return not names & _NOT_CONNECTED


def _may_be_billed(error: anthropic.APIStatusError) -> bool:
    """Whether a request that ended with `error` may be billed.

    One that the API itself refuses before an answer begins is not. An error within a
    stream, a timeout, and the page of somebody between us and the API say nothing of
    how far the API came.
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
    told = str(error.api_message).lower()
    if _over_limit(error.error_code, told):
        text = "the account is out of credit or over its spend limit"
        return Fault(ModelDenied(f"{text}: raise it in Anthropic's console {facts}"))
    passing = error.response.headers.get("x-should-retry") != "false"
    wait = _retry_after(error.response.headers)
    match status:
        case 429 | 529:
            text = "Claude is overloaded" if status == 529 else "over our rate limit"
            return Fault(ModelBusy(f"{text} {facts}", wait), passing, wait)
        case _ if status in (408, 409) or status >= 500:
            text = f"Claude's side failed {facts}"
            return Fault(ModelUnreachable(text), passing, wait)
        case 401 | 402 | 403:
            return Fault(ModelDenied(f"{_DENIED[status].format(model)} {facts}"))
        case 404:
            text = f"there is no model {model} for this key: choose another model"
            # Whoever is not the API has no type of error to tell.
            return Fault(ModelDenied(f"{text if error.type else ELSEWHERE} {facts}"))
        case _ if status == 413 or "prompt is too long" in told:
            return Fault(PromptTooLong(f"the thread is too long {facts}"))
    return Fault(ModelRejected(f"the request was refused {facts}"))


def _over_limit(code: str | None, told: str) -> bool:
    # The limit of the tier has a code; those that the owner of the account set, and
    # a spent credit, come as a 400 that only its wording tells apart.
    return (
        str(code).endswith("spend_limit_reached")
        or "specified api usage limits" in told
        or "credit balance is too low" in told
    )


def _facts(error: anthropic.APIStatusError) -> str:
    """Status, type, code, request id and the field at fault, in brackets."""
    # The message itself stays out: some gateways quote the key or the prompt in it.
    words = [str(error.status_code)]
    for word in (error.type, error.error_code, error.request_id):
        words += _WORD.findall(str(word or ""))
    field = _FIELD.match(str(error.api_message))
    if field and error.status_code == 400:
        words.append(f"at {field[0]}")
    return f"({', '.join(words)})"


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds, from a number of them or from a date and the server's own clock."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            until = parsedate_to_datetime(told)
            seconds = (until - parsedate_to_datetime(headers["date"])).total_seconds()
        except (ValueError, TypeError, KeyError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def standing(error: Exception, fault: Fault) -> Standing:
    if not isinstance(fault.error, ModelDenied):
        return "unreachable"
    missing = isinstance(error, anthropic.NotFoundError) and error.type
    return "unknown" if missing else "denied"
