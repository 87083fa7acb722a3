"""Asks Claude, through Anthropic's own SDK.

Rule 1: nothing above this file knows the SDK, HTTP or a status code.
Rule 2: a call is made again only while no text of it has been handed out.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import anthropic
import httpx2
from anthropic.lib.streaming import AsyncMessageStream, AsyncMessageStreamManager
from anthropic.types import MessageParam, ModelInfo

from bot.claude import cost
from bot.claude.errors import (
    ELSEWHERE,
    GARBLED,
    Fault,
    Standing,
    judge,
    pause,
    standing,
)
from bot.claude.request import (
    CACHED,
    SAMPLING_VERSION,
    assistant_message,
    message_params,
    output_config,
    snapshot,
    system_blocks,
    tool_params,
)
from bot.claude.usage import call_of, usage_of
from bot.claude.web_search import PAUSED, Rounds
from bot.domain.completion import Report, Request, Usage
from bot.errors import ConfigError, ModelCut, ModelUnreachable

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


@contextlib.asynccontextmanager
async def connect(api_key: str, base_url: str | None) -> AsyncIterator["ClaudeModel"]:
    """Open the one client of this process. Raises ConfigError for an unusable key."""
    async with client(api_key, base_url) as opened:
        yield ClaudeModel(opened)


def client(
    api_key: str, base_url: str | None, *, silence: float = SILENCE, bulk: bool = False
) -> anthropic.AsyncAnthropic:
    """The SDK's client as we use it, whatever else the environment says; `bulk` for
    hundreds of calls at once.

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
        # The other transport looks at every idle connection before each call: with two
        # hundred of them that takes more time than the call (`benchmarks triage`).
        http_client=anthropic.DefaultAioHttpClient() if bulk else None,
    )
    # ANTHROPIC_CUSTOM_HEADERS has no switch: it adds to, and replaces, every header,
    # the key's too. People set it for other programs on the same machine.
    made._custom_headers = {}
    return made


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

        Reports tell of all rounds and tries together. Before each further request that
        adds to what may be billed comes one that is `ahead`, so that it can be paid for
        or not be made. Closing the generator hangs up; what Claude generated so far
        stays billed.
        """
        began = self._clock()
        rounds = Rounds()
        for tries in itertools.count(1):
            spoken, fault = False, None
            async with contextlib.aclosing(self._attempt(request, rounds)) as pieces:
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
            return ModelStatus(model, standing(error, fault), reason=str(fault.error))
        # The SDK hands over what is not JSON as it is, for example a proxy's page.
        if not isinstance(cast(object, found), ModelInfo):
            return ModelStatus(model, "unreachable", reason=ELSEWHERE)
        lifecycle = getattr(found, "lifecycle", "")
        retires = found.retires_at.date() if found.retires_at else None
        if lifecycle == "retired":
            reason = f"{model} was retired: choose another model"
            return ModelStatus(model, "unknown", found.display_name, reason=reason)
        return ModelStatus(model, "accepted", found.display_name, lifecycle, retires)

    async def count(self, request: Request) -> int:
        """How many tokens the prompt has; see the port."""
        try:
            counted = await self._client.messages.count_tokens(
                model=request.model,
                messages=message_params(request),
                system=system_blocks(request),
                tools=tool_params(request),
                timeout=LOOKUP,
            )
            return counted.input_tokens
        except (anthropic.APIError, httpx2.HTTPError, *GARBLED) as error:
            raise judge(error, request.model).error from None

    async def list_models(self) -> list[ModelInfo] | None:
        """All models that the API has for our key; None if it does not say."""
        try:
            async with asyncio.timeout(LOOKUP):
                return [each async for each in self._client.models.list()]
        except (TimeoutError, anthropic.APIError, httpx2.HTTPError, *GARBLED):
            return None

    async def _attempt(
        self, request: Request, rounds: "Rounds"
    ) -> AsyncGenerator["str | Report | Fault", None]:
        """One call. Does not raise, but ends with a Fault when it goes wrong.

        A search of the web may pause the answer; then it is asked for the rest, and
        that is one call to us. `rounds` are those that were completed, to be gone on
        from in the next attempt.
        """
        ended = False
        fault = Fault(
            ModelUnreachable("the stream ended before the answer did"), passing=True
        )
        report = Report(request.model, usage=rounds.lost + rounds.used)
        try:
            while not ended:
                paused = False
                left = rounds.left(request)
                said, call = Usage(), cost.before(left, rounds.prompt)
                if rounds.calls:
                    calls = (*rounds.calls, call)
                    yield replace(report, calls=calls, stop_reason=None, ahead=True)
                async with self._stream(left, rounds.said) as stream:
                    while event := await anext(stream, None):
                        if event.type == "text" and event.text:
                            yield event.text
                        elif event.type == "citation":
                            rounds.sources.note(event.citation)
                        elif event.type in ("message_start", "message_delta"):
                            message = snapshot(stream)
                            said = usage_of(message)
                            call = call_of(message, said, left, rounds.prompt)
                            report = Report(
                                message.model,
                                stream.request_id,
                                rounds.lost + rounds.used + said,
                                message.stop_reason,
                                (*rounds.calls, call),
                            )
                            paused = message.stop_reason == PAUSED and rounds.go_on(
                                request, rounds.used + said, assistant_message(stream)
                            )
                            if paused:
                                report = replace(report, stop_reason=None)
                            ended = report.stop_reason is not None
                            if ended and (listed := rounds.sources.listed):
                                yield listed
                            yield report
                        elif event.type == "message_stop":
                            await _drain(stream)
                            break
                    if not paused:
                        break
                    rounds.pause(call, said, assistant_message(stream))
        except (anthropic.APIError, httpx2.HTTPError, *GARBLED) as error:
            fault = judge(error, request.model)
        # Once the reason for stopping is known, the answer is whole, however the
        # connection ended.
        if not ended:
            if fault.billed or said != Usage():
                rounds.lose(call, said)
            if rounds.calls:
                yield replace(report, stop_reason=None, calls=tuple(rounds.calls))
            yield fault

    def _stream(
        self, request: Request, rounds: Sequence[MessageParam]
    ) -> AsyncMessageStreamManager[Any]:
        # No `thinking`, whose default works on every model. What samples is a 400 on
        # all of them, but for an older version of the API (Claude facts 1.1).
        warm = request.temperature is not None
        return self._client.messages.stream(
            model=request.model,
            max_tokens=request.max_tokens,
            system=system_blocks(request),
            messages=[*message_params(request), *rounds],
            cache_control=anthropic.omit if request.alone else CACHED,
            metadata={"user_id": request.user} if request.user else anthropic.omit,
            output_config=output_config(request),
            stop_sequences=list(request.stop_sequences) or anthropic.omit,
            tools=tool_params(request),
            extra_headers={"anthropic-version": SAMPLING_VERSION} if warm else None,
            extra_body={"temperature": request.temperature} if warm else None,
        )


async def _drain(stream: AsyncMessageStream[Any]) -> None:
    """Read a stream to its end after its last event, if that comes at once."""
    ends = (TimeoutError, anthropic.APIError, httpx2.HTTPError, *GARBLED)
    with contextlib.suppress(*ends):
        async with asyncio.timeout(DRAIN):
            await stream.until_done()
