"""Asks Claude, through Anthropic's own SDK.

Rule 1: nothing above this file knows the SDK, HTTP or a status code.
Rule 2: an error is made anew here and never chained to the one it translates. What
the SDK raises holds the request, key and conversation included, and its text quotes
whatever the other side answered. Ours name a class, a status and a request id.
Rule 3: a call is made again only while no text of it has been handed out.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import random
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any, Literal, cast

import anthropic
import httpx2
from anthropic.lib.streaming import AsyncMessageStream, AsyncMessageStreamManager
from anthropic.types import (
    CacheControlEphemeralParam,
    Message,
    MessageParam,
    ModelInfo,
    OutputConfigParam,
    TextBlockParam,
)

from bot.errors import (
    ConfigError,
    ModelBusy,
    ModelCut,
    ModelDenied,
    ModelError,
    ModelRejected,
    ModelUnreachable,
    PromptTooLong,
)
from bot.values import Report, Request, Usage

log = logging.getLogger(__name__)

PUBLIC_API = "https://api.anthropic.com"

# The longest silence of a stream, in seconds. Pings keep a thinking model's stream
# alive; the SDK's own ten minutes would leave a thread "thinking" that long.
SILENCE = 90.0
CONNECT = 5.0
# How long we wait for the end of a stream whose answer is complete. Reading it to
# the end lets the next answer use the same connection.
DRAIN = 0.5
LOOKUP = 10.0

# Patience before the first text. Someone sits before the thread and waits.
MOST_TRIES = 5
PATIENCE = 60.0
LONGEST_WAIT = 20.0

# Everything that we send is either frozen or grows at its end, and people answer
# each other within the hour rather than within five minutes.
CACHED: CacheControlEphemeralParam = {"type": "ephemeral", "ttl": "1h"}


@contextlib.asynccontextmanager
async def connect(api_key: str, base_url: str | None) -> AsyncIterator["ClaudeModel"]:
    """Open the one client of this process. Raises ConfigError for an unusable key."""
    async with client(api_key, base_url) as opened:
        yield ClaudeModel(opened)


def client(
    api_key: str, base_url: str | None, *, silence: float = SILENCE
) -> anthropic.AsyncAnthropic:
    """The SDK's client as we use it, whatever else the environment says.

    Raises ConfigError for a key that no header can hold.
    """
    if not api_key or not all("!" <= char <= "~" for char in api_key):
        # Sent anyway, it would be quoted in the error of the HTTP library.
        raise ConfigError(
            "ANTHROPIC_API_KEY is empty or holds a space or another character "
            "that no key has: copy it again"
        )
    # At DEBUG the SDK logs whole requests, and so what people said.
    sdk_log = logging.getLogger("anthropic")
    sdk_log.setLevel(max(sdk_log.getEffectiveLevel(), logging.INFO))
    made = anthropic.AsyncAnthropic(
        api_key=api_key,  # keeps it from looking for tokens and profiles
        base_url=base_url or PUBLIC_API,
        max_retries=0,  # it would wait for an hour if a header said so
        timeout=httpx2.Timeout(silence, connect=CONNECT),
        open_telemetry=False,
    )
    # ANTHROPIC_CUSTOM_HEADERS has no switch: it adds to, and replaces, every header,
    # the key's too. People set it for other programs on the same machine.
    made._custom_headers = {}
    return made


Standing = Literal["accepted", "unknown", "denied", "unreachable"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What the API says of a model."""

    model: str
    standing: Standing
    #: The model's name for people; "" when it is not known.
    name: str = ""
    #: "active" or "deprecated" for an accepted model.
    lifecycle: str = ""
    #: The day on which it stops answering, if one is set.
    retires: date | None = None
    #: What is wrong and what to do, when the model is not accepted.
    reason: str = ""


class ClaudeModel:
    """The Model that is Claude."""

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._chance = chance

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer as it comes; see the port.

        Reports tell of one try each: what a failed try used is not added up.
        Closing the generator hangs up, and Claude's text so far stays billed.
        """
        began = self._clock()
        for tries in itertools.count(1):
            spoken, fault = False, None
            async with contextlib.aclosing(self._attempt(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Fault):
                        fault = piece
                        break
                    spoken = spoken or isinstance(piece, str)
                    yield piece
            if fault is None:
                return
            if spoken:
                raise ModelCut(f"the answer broke off: {fault.error}")
            wait = pause(fault, tries, self._clock() - began, self._chance())
            if wait is None:
                raise fault.error
            log.info("claude.again try=%d wait=%.1f why=%s", tries, wait, fault.error)
            await self._sleep(wait)

    async def examine(self, model: str) -> ModelStatus:
        """Ask the API once whether it would let us use `model`. Never raises."""
        try:
            found = await self._client.models.retrieve(model, timeout=LOOKUP)
        except (anthropic.APIError, httpx2.HTTPError, *GARBLED) as error:
            fault = judge(error, model)
            return ModelStatus(model, _standing(error, fault), reason=str(fault.error))
        # The SDK hands over what is not JSON as it is, for example a proxy's page.
        if not isinstance(cast(object, found), ModelInfo):
            return ModelStatus(model, "unreachable", reason=_ELSE)
        lifecycle = getattr(found, "lifecycle", "")
        retires = found.retires_at.date() if found.retires_at else None
        if lifecycle == "retired":
            reason = f"{model} was retired: choose another model"
            return ModelStatus(model, "unknown", found.display_name, reason=reason)
        return ModelStatus(model, "accepted", found.display_name, lifecycle, retires)

    async def _attempt(
        self, request: Request
    ) -> AsyncGenerator["str | Report | Fault", None]:
        """One call. Does not raise, but ends with a Fault when it goes wrong."""
        ended = False
        fault = Fault(
            ModelUnreachable("the stream ended before the answer did"), passing=True
        )
        try:
            async with self._stream(request) as stream:
                while event := await anext(stream, None):
                    if event.type == "text" and event.text:
                        yield event.text
                    elif event.type in ("message_start", "message_delta"):
                        report = _report(stream)
                        ended = report.stop_reason is not None
                        yield report
                    elif event.type == "message_stop":
                        await _drain(stream)
                        break
        except (anthropic.APIError, httpx2.HTTPError, *GARBLED) as error:
            fault = judge(error, request.model)
        # Once the reason for stopping is known, the answer is whole, however the
        # connection ended.
        if not ended:
            yield fault

    def _stream(self, request: Request) -> AsyncMessageStreamManager[Any]:
        system = TextBlockParam(type="text", text=request.system, cache_control=CACHED)
        messages = [
            cast(MessageParam, {"role": said.role, "content": said.content})
            for said in request.messages
        ]
        effort = cast(OutputConfigParam, {"effort": request.effort})
        # No `thinking`, whose default works on every model, and nothing that
        # samples: `temperature` and its like are a 400 on all of them.
        return self._client.messages.stream(
            model=request.model,
            max_tokens=request.max_tokens,
            # An empty block may not be cached, nor sent.
            system=[system] if request.system else anthropic.omit,
            messages=messages,
            cache_control=CACHED,
            metadata={"user_id": request.user} if request.user else anthropic.omit,
            output_config=effort if request.effort else anthropic.omit,
        )


async def _drain(stream: AsyncMessageStream[Any]) -> None:
    """Read a stream to its end after its last event, if that comes at once."""
    ends = (TimeoutError, anthropic.APIError, httpx2.HTTPError, *GARBLED)
    with contextlib.suppress(*ends):
        async with asyncio.timeout(DRAIN):
            await stream.until_done()


def _report(stream: AsyncMessageStream[Any]) -> Report:
    message = cast(Message, stream.current_message_snapshot)
    used = message.usage
    written = used.cache_creation_input_tokens or 0
    # The split by lifetime comes with the first event only, and the total may grow
    # after it. All that we ask to be written is written for an hour.
    split = used.cache_creation
    short = min(split.ephemeral_5m_input_tokens if split else 0, written)
    return Report(
        model=message.model,
        request_id=stream.request_id,
        usage=Usage(
            input=used.input_tokens or 0,
            cache_write_5m=short,
            cache_write_1h=written - short,
            cache_read=used.cache_read_input_tokens or 0,
            output=used.output_tokens or 0,
        ),
        stop_reason=message.stop_reason,
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One try that failed."""

    #: What it is called if it was the last one.
    error: ModelError
    #: Whether another try may do better.
    passing: bool = False
    #: The wait that was asked for, in seconds.
    retry_after: float | None = None


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

_DENIED = {
    401: "the key is not accepted: set ANTHROPIC_API_KEY to a valid one",
    402: "the account cannot pay: see Billing in Anthropic's console",
    403: "the key in ANTHROPIC_API_KEY may not use {}: choose another model or key",
}
_ELSE = "what answers is not Claude's API: check ANTHROPIC_BASE_URL"


def judge(error: Exception, model: str) -> Fault:
    """What `error`, which the SDK let out while asking `model`, means to us."""
    if isinstance(error, anthropic.APIStatusError):
        return _judge_status(error, model)
    if isinstance(error, UnicodeEncodeError):
        return Fault(ModelRejected("the request holds half a character"))
    names = type(error).__name__
    if error.__cause__ is not None:
        names += f", {type(error.__cause__).__name__}"
    return Fault(ModelUnreachable(f"no whole answer from Claude: {names}"), True)


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
            return Fault(ModelDenied(f"{text if error.type else _ELSE} {facts}"))
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
        words += re.findall(r"^(?:req_\w{1,64}|[a-z_]{1,64})\Z", str(word or ""))
    field = re.match(r"[a-z_]+(\.\w+)*(?=: )", str(error.api_message))
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


def _standing(error: Exception, fault: Fault) -> Standing:
    if not isinstance(fault.error, ModelDenied):
        return "unreachable"
    missing = isinstance(error, anthropic.NotFoundError) and error.type
    return "unknown" if missing else "denied"
