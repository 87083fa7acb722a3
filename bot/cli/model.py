"""Opens the model: Claude or, without a key, the offline model.

Importing Claude's SDK takes longer than the rest of the start, so it is imported in a
thread when the platforms are connected, or at the first question. Questions that arrive
during the import wait for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from importlib.util import find_spec

from bot.claude.catalog import ModelAvailability
from bot.claude.key import key_problem
from bot.claude.offline import OfflineModel
from bot.cli.platforms import load_module
from bot.config import Config
from bot.domain.completion import Report, Request
from bot.domain.tracing import Tracing
from bot.errors import ConfigError, ModelDenied
from bot.messages import config as messages
from bot.ports.model import Model
from bot.runtime import heap
from bot.runtime.background import begin, end


@contextlib.asynccontextmanager
async def open_model(settings: Config, *, answers: bool = True) -> AsyncIterator[Model]:
    """Open the model.

    Without a key, this is the offline model, or a model that refuses all requests if
    this process does not answer (`answers` is False). Raises ConfigError for an
    unusable key.
    """
    if settings.api_key is None:
        yield OfflineModel() if answers else NoModel()
        return
    if problem := key_problem(settings.api_key):
        raise ConfigError(problem)
    async with contextlib.AsyncExitStack() as stack:
        address = settings.api_key, settings.base_url
        if settings.tracing and find_spec("opentelemetry.sdk") is None:
            raise ConfigError(messages.TRACING_NOT_INSTALLED)
        model = ClaudeOnceLoaded(
            *(*address, stack, settings.mcp.tokens), settings.tracing
        )
        try:
            yield model
        finally:
            await model.close()


class NoModel:
    """The model of a process that has no key and leaves answers to other processes."""

    def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Raise ModelDenied."""
        raise ModelDenied(messages.NO_KEY_HERE)

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Raise ModelDenied."""
        raise ModelDenied(messages.NO_KEY_HERE)


class ClaudeOnceLoaded:
    """Claude, with an SDK that is imported on first use.

    `stack` closes the connection, `tokens` are those of MCP servers by name, and
    `tracing` is the destination of spans.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None,
        stack: contextlib.AsyncExitStack,
        tokens: Mapping[str, str],
        tracing: Tracing | None = None,
    ) -> None:
        self._address = api_key, base_url
        self._tokens = tokens
        self._tracing = tracing
        self._stack = stack
        self._model: Model | None = None
        self._loading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop waiting for the import if it is still running."""
        if self._loading is not None:
            end(self._loading)
            await asyncio.wait({self._loading})

    def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Answer as `Model.answer` does."""
        if self._model is not None:
            return self._model.answer(request)
        return self._answer(request)

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Count as `Model.count` does."""
        return await (await self._load_model()).count(request, files=files)

    async def survey(self) -> ModelAvailability | None:
        """Return the availability of our models; None if the API cannot be reached."""
        await self._load_model()
        check_models = load_module("bot.claude.model_list").check_models
        found: ModelAvailability | None = await check_models(*self._address)
        return found

    async def _answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        model = await self._load_model()
        async with contextlib.aclosing(model.answer(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def _load_model(self) -> Model:
        if self._loading is None:
            self._loading = begin("load the model", self._load())
        await asyncio.shield(self._loading)
        # If loading failed, the reason is in the log.
        assert self._model is not None
        return self._model

    async def _load(self) -> None:
        heap.grow()
        client = await asyncio.to_thread(load_module, "bot.claude.client")
        spans = None
        if self._tracing is not None:
            tracing = await asyncio.to_thread(load_module, "bot.claude.tracing")
            opened = tracing.spans(self._tracing)
            spans = await self._stack.enter_async_context(opened)
        heap.keep()
        connection = client.connect(*self._address, self._tokens, spans)
        self._model = await self._stack.enter_async_context(connection)
