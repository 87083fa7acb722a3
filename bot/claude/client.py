"""Talks to the Anthropic API through its SDK.

Rule 1: no package above this one knows the SDK, HTTP or a status code.

Rule 2: a call is retried only as long as none of its text was yielded.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import replace
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, Self

import anthropic
import httpx2
from anthropic.types import Message

from bot.claude import compacting, compaction, cost, lookups, mcp_servers
from bot.claude.body import Body, body
from bot.claude.errors import (
    SDK_ERRORS,
    CallFailed,
    Fault,
    judge,
    pause,
    translated,
)
from bot.claude.key import key_problem
from bot.claude.model_status import ModelStatus
from bot.claude.request import (
    count_parameters,
    file_places,
    files_size,
    loaded,
    parameters,
    sampling_options,
    streaming_headers,
    without_files,
)
from bot.claude.stream import StreamedMessage, open_stream
from bot.claude.usage import MessageResponse, call_of, response_of, usage_of
from bot.claude.web_search import PAUSED, Rounds
from bot.domain.completion import Activity, Report, Request, Usage
from bot.errors import (
    ConfigError,
    ModelCut,
    ModelDenied,
    ModelUnreachable,
    ServerFailed,
)
from bot.messages import claude as messages
from bot.runtime.offload import offload
from bot.runtime.shares import Shares

log = logging.getLogger(__name__)

# The most memory for files on their way to Claude, in bytes, and how often each of
# their bytes is in memory while a request is made and sent: once itself, and once in
# SQLite's copy of the file that is being read. Requests that do not fit wait.
FILE_MEMORY = 256 * 1024 * 1024
FILE_COPIES = 2

_NO_TOKENS: Mapping[str, str] = MappingProxyType({})

PUBLIC_API = "https://api.anthropic.com"

# The longest silence of a stream, in seconds. Pings keep a thinking model's stream
# alive; the SDK's own ten minutes would leave a thread "thinking" that long.
SILENCE = 90.0
CONNECT = 5.0
# The time limit of calls that generate nothing, in seconds.
LOOKUP = 10.0


class ClaudeClient:
    """A connection to the Anthropic API that uses our own values. Close it after
    use."""

    def __init__(
        self, sdk: anthropic.AsyncAnthropic, tokens: Mapping[str, str] = _NO_TOKENS
    ) -> None:
        #: For this package only.
        self.sdk = sdk
        #: The tokens of MCP servers, by name.
        self.tokens = tokens

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.sdk.close()

    async def complete(self, request: Request) -> MessageResponse:
        """Return the whole answer to `request`, without streaming or retries. Raises
        CallFailed."""
        with translated(request.model):
            raw = await self.sdk.messages.with_raw_response.create(
                **parameters(request), **sampling_options(request)
            )
            message: object = await raw.parse()
            # The SDK returns a body that is not JSON unchanged, such as a proxy's page.
            if isinstance(message, Message):
                return response_of(message, request.model, raw.headers)
        raise CallFailed(Fault(ModelDenied(messages.NOT_THE_API)))

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return the number of tokens of the prompt of `request`. If `files`, its files
        are sent and counted, too. Costs nothing. Raises a ModelError."""
        try:
            plain = compaction.without_blocks(replace(request, compacts=False))
            sent, known = (plain, 0) if files else without_files(plain)
            known += mcp_servers.most_tokens(request)
            with translated(request.model):
                counted = await self.sdk.messages.count_tokens(
                    **count_parameters(sent), timeout=LOOKUP
                )
                return counted.input_tokens + known
        except CallFailed as failed:
            raise failed.fault.error from None


@contextlib.asynccontextmanager
async def connect(
    api_key: str,
    base_url: str | None,
    tokens: Mapping[str, str] = _NO_TOKENS,
    spans: anthropic.OpenTelemetryOptions | None = None,
) -> AsyncIterator["ClaudeModel"]:
    """Open the Claude model. `tokens` are the tokens of MCP servers, by name; `spans`
    configures tracing. Raises ConfigError for an unusable key."""
    async with client(api_key, base_url, tokens, spans=spans) as opened:
        yield ClaudeModel(opened)


def client(
    api_key: str,
    base_url: str | None,
    tokens: Mapping[str, str] = _NO_TOKENS,
    *,
    silence: float = SILENCE,
    spans: anthropic.OpenTelemetryOptions | None = None,
) -> ClaudeClient:
    """Return a client with our settings, regardless of the environment.

    Raises ConfigError for a key that cannot be sent in a header.
    """
    if problem := key_problem(api_key):
        # If it were sent, the HTTP library would quote it in its error.
        raise ConfigError(problem)
    # At DEBUG, the SDK logs whole requests, including the text that people wrote.
    sdk_log = logging.getLogger("anthropic")
    sdk_log.setLevel(max(sdk_log.getEffectiveLevel(), logging.INFO))
    sdk = anthropic.AsyncAnthropic(
        api_key=api_key,  # keeps it from looking for tokens and profiles
        base_url=base_url or PUBLIC_API,
        max_retries=0,  # it would wait for an hour if a header said so
        timeout=httpx2.Timeout(silence, connect=CONNECT),
        open_telemetry=spans or False,
        # The other transport takes several times as long for each read of a stream
        # (`benchmarks streaming`), and checks every idle connection before each call:
        # with two hundred of them, that takes more time than the call. The dispatcher
        # limits the number of answers. With the SDK's limit of a thousand connections,
        # further answers would wait for others to end. (For aiohttp, 0 means no limit.)
        http_client=anthropic.DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=0)
        ),
    )
    # ANTHROPIC_CUSTOM_HEADERS cannot be switched off: it adds to and replaces every
    # header, even the key's. People set it for other programs on the same machine.
    sdk._custom_headers = {}
    return ClaudeClient(sdk, tokens)


class ClaudeModel:
    """`Model` backed by the Anthropic API."""

    def __init__(
        self,
        client: ClaudeClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._file_memory = Shares(FILE_MEMORY)

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer as it is generated, and reports of its usage.

        Reports cover all rounds and attempts together. Each further request that may be
        billed is announced by a report that is `ahead`, so that the caller can reserve
        its cost or close the generator. Closing the generator closes the connection;
        the text generated so far stays billed. An MCP server that fails before any text
        is left out. Raises as `Model.answer` does.
        """
        if request.compacts:
            for made in await self._compacted(request):
                if isinstance(made, Fault):
                    raise made.error
                yield made
            return
        began = self._clock()
        rounds = Rounds()
        spoken = False
        for tries in itertools.count(1):
            yielded, fault = False, None
            async with contextlib.aclosing(self._attempt(request, rounds)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Fault):
                        fault = piece
                        break
                    yielded = yielded or isinstance(piece, str)
                    spoken = spoken or yielded
                    yield piece
            if fault is None:
                return
            if fault.of_block and compaction.is_used(request):
                log.warning("compaction.refused model=%s", request.model)
                request = compaction.without_blocks(request)
                continue
            failed = mcp_servers.at_fault(request, fault.error)
            if failed and not spoken:
                log.warning("mcp.failed servers=%s %s", ",".join(failed), fault.error)
                request = mcp_servers.without(request, failed)
                rounds.restart(failed)
                continue
            if isinstance(fault.error, ServerFailed):
                raise mcp_servers.named(request, fault.error)
            if yielded:
                raise ModelCut(messages.answer_cut(error=fault.error))
            wait = pause(fault, tries, self._clock() - began, self._chance())
            if wait is None:
                raise fault.error
            log.info("claude.again try=%d wait=%.1f why=%s", tries, wait, fault.error)
            await self._sleep(wait)

    async def examine(self, model: str) -> ModelStatus:
        """Ask the API once whether this key may use `model`. Never raises."""
        return await lookups.examine(self._client.sdk, model, LOOKUP)

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Count tokens as `Model.count` does."""
        return await self._client.count(request, files=files)

    async def list_models(self) -> list[Mapping[str, Any]] | None:
        """Return all models that the key may use, in the API's form, or None if they
        cannot be read."""
        return await lookups.list_models(self._client.sdk, LOOKUP)

    async def _attempt(
        self, request: Request, rounds: "Rounds"
    ) -> AsyncGenerator["str | Report | Fault", None]:
        """Make one attempt. Does not raise: a failure is yielded last, as a Fault.

        A web search may pause the answer. The requests for its remainder belong to the
        same attempt. `rounds` are the completed rounds, from which the next attempt
        continues.
        """
        ended = False
        fault = Fault(
            ModelUnreachable("the stream ended before the answer did"), passing=True
        )
        report = Report(
            request.model,
            usage=rounds.lost + rounds.used,
            asked=rounds.asked,
            failed=rounds.failed,
        )
        #: The files of the request that was sent last.
        places: dict[tuple[int, int], str] = {}
        try:
            while not ended:
                paused = False
                left = rounds.left(request)
                planned = cost.planned_call(left, rounds.prompt)
                used, call = Usage(), planned
                if rounds.calls:
                    calls = (*rounds.calls, call)
                    yield replace(report, calls=calls, stop_reason=None, ahead=True)
                message: StreamedMessage | None = None
                text = ""
                memory = files_size(left) * FILE_COPIES
                async with (
                    self._file_memory.taken(memory) as share,
                    open_stream(
                        self._client.sdk,
                        await self._body(left, rounds, places),
                        streaming_headers(left),
                        keep=left.tool_uses > 0,
                        model=left.model,
                    ) as stream,
                    contextlib.aclosing(stream.pieces()) as pieces,
                ):
                    # The request was sent, so nothing holds its files any longer.
                    share.give_back()
                    async for piece in pieces:
                        if isinstance(piece, str):
                            yield (text := piece)
                            continue
                        if isinstance(piece, Activity):
                            assert message is not None
                            report = replace(report, asked=rounds.asked + message.calls)
                            count = len(message.calls)
                            if grown := count > left.server_calls:
                                # The results of this call are read, too.
                                left = replace(left, server_calls=count)
                                planned = cost.planned_call(left, rounds.prompt)
                                call = call_of(message, used, left, planned)
                                calls = (*rounds.calls, call)
                                report = replace(report, calls=calls)
                            shown = mcp_servers.labelled(piece, request)
                            yield replace(report, activity=shown, grown=grown)
                            continue
                        if not isinstance(piece, StreamedMessage):
                            if numbers := rounds.sources.cite(piece, text):
                                yield numbers
                            continue
                        message = piece
                        used = usage_of(message)
                        call = call_of(message, used, left, planned)
                        report = Report(
                            message.model,
                            stream.request_id,
                            rounds.lost + rounds.used + used,
                            message.stop_reason,
                            (*rounds.calls, call),
                            asked=rounds.asked + message.calls,
                            failed=rounds.failed,
                            listings=tuple(message.listings),
                        )
                        paused = message.stop_reason == PAUSED and rounds.continues(
                            request, rounds.used + used, message.param()
                        )
                        if paused:
                            report = replace(report, stop_reason=None)
                        ended = report.stop_reason is not None
                        if ended and (listed := rounds.sources.listed):
                            yield listed
                        yield report
                if message is None or not paused:
                    break
                rounds.pause(call, used, message, message.param())
        except SDK_ERRORS as error:
            asks = bool(request.servers)
            fault = judge(error, request.model, asks_servers=asks).naming(places)
        # Once the stop reason is known, the answer is complete, even if the connection
        # then fails.
        if not ended:
            rounds.asked = report.asked
            if fault.billed or used != Usage():
                rounds.lose(call, used)
            if rounds.calls:
                yield replace(report, stop_reason=None, calls=tuple(rounds.calls))
            yield fault

    async def _compacted(self, request: Request) -> Sequence[str | Report | Fault]:
        """Ask for a compaction as `compacting.ask` does."""
        async with self._file_memory.taken(files_size(request) * FILE_COPIES):
            whole = await self._body(request, Rounds(), {})
            return await compacting.ask(
                self._client.sdk, request, whole, streaming_headers(request)
            )

    async def _body(
        self, request: Request, rounds: Rounds, places: dict[tuple[int, int], str]
    ) -> Body:
        """Return the body of `request`, and put its files into `places`. The files are
        loaded only for the body."""
        whole = await loaded(request)
        places.clear()
        places.update(file_places(whole))
        make = partial(body, whole, rounds.messages, self._client.tokens)
        return await offload(make, files_size(whole))
