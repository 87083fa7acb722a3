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
from types import MappingProxyType, TracebackType
from typing import Any, Self

import anthropic
import httpx2
from anthropic.types import Message

from bot.claude import compacting, compaction, lookups, mcp_servers
from bot.claude.attempt import Attempt, Bodies
from bot.claude.errors import CallFailed, Fault, pause, translated
from bot.claude.key import key_problem
from bot.claude.model_status import ModelStatus
from bot.claude.request import (
    count_parameters,
    parameters,
    sampling_options,
    streaming_headers,
    without_files,
)
from bot.claude.usage import MessageResponse, response_of
from bot.claude.web_search import Rounds
from bot.domain.completion import Report, Request
from bot.errors import ConfigError, ModelCut, ModelDenied, ServerFailed
from bot.messages import claude as messages

log = logging.getLogger(__name__)

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
        self._bodies = Bodies(client.tokens)

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer as it is generated, and reports of its usage.

        Reports cover all rounds and attempts together. Each further request that may be
        billed is announced by a report that is `ahead`, so that the caller can reserve
        its cost or close the generator. Closing the generator closes the connection;
        the text generated so far stays billed. An MCP server that fails before any text
        is left out. Raises as `Model.answer` does.
        """
        if request.compacts:
            for made in await self._compact(request):
                if isinstance(made, Fault):
                    raise made.error
                yield made
            return
        began = self._clock()
        rounds = Rounds()
        spoken = False
        for tries in itertools.count(1):
            yielded, fault = False, None
            attempt = Attempt(self._client.sdk, self._bodies, request, rounds)
            async with contextlib.aclosing(attempt.pieces()) as pieces:
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
                raise mcp_servers.name_server(request, fault.error)
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

    async def _compact(self, request: Request) -> Sequence[str | Report | Fault]:
        """Ask for a compaction as `compacting.ask` does."""
        async with self._bodies.memory(request):
            made, _ = await self._bodies.make(request)
            return await compacting.ask(
                self._client.sdk, request, made, streaming_headers(request)
            )
