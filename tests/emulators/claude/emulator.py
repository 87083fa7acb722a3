"""The Messages API on loopback, for the real SDK.

Rule: a request that the API of 2026-10-21 refuses is refused here with the same status
and type, and uses no script. `reply` defines the steps of an answer, `prompt` the
checks and the usage of prompts, and `batches` the Message Batches.

        async with ClaudeEmulator() as claude: claude.script("Hello!") # one answer,
        then echoes claude.script([Fail(529)], ["Hel", Abort()]) # two failing answers
        ... AsyncAnthropic(api_key=claude.api_key, base_url=claude.base_url) ... await
        claude.until(lambda: claude.disconnects == 1)
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.claude.catalog import DEFAULT_MODEL, MODELS, ModelFacts, find
from tests.emulators import wire
from tests.emulators.changes import PATIENCE, Changes
from tests.emulators.claude import compaction, mcp_servers
from tests.emulators.claude.batches import Batches
from tests.emulators.claude.limits import Limiter, RateLimits, stamp
from tests.emulators.claude.prompt import (
    Body,
    PrefixCache,
    refusal,
    size_of,
    stranger,
    tokens,
)
from tests.emulators.claude.reply import Answer, Asked, Fail, Reply, Step, failure
from tests.emulators.claude.sorting import sorted_by_words

# The default number of models on a page of the list (claude 1.9).
MODELS_A_PAGE = 20


class ClaudeEmulator:
    """Serves the Messages API on 127.0.0.1 while its context is open."""

    def __init__(
        self,
        *,
        api_key: str = "sk-ant-emulator",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tokens_per_second: float | None = None,
        limits: RateLimits | None = None,
        remember: bool = True,
    ) -> None:
        self.api_key = api_key
        self.base_url = ""
        #: None sends every text as one delta.
        self.tokens_per_second = tokens_per_second
        #: The factor on the number of prompt tokens: see `prompt.refusal`.
        self.density = 1.0
        #: Seconds until each answer that is not streamed.
        self.latency = 0.0
        #: The seconds since 1970 at which `clock` shows 0.
        self.epoch = time.time() - clock()
        #: Whether all requests are kept. Otherwise only the newest request is, and no
        #: answered request of a batch.
        self.remember = remember
        self.requests: list[Asked] = []
        #: How many requests were refused because of `limits`.
        self.throttled = 0
        #: Changes to the entries of `/v1/models`, by model. An unknown model adds an
        #: entry.
        self.models: dict[str, dict[str, Any]] = {}
        #: The remote MCP servers that the API can reach, by address.
        self.mcp: dict[str, mcp_servers.Server] = {}
        #: Models that `/v1/models` does not list.
        self.hidden: set[str] = set()
        #: Whether it acts as a gateway that refuses beta headers in lists of models.
        self.refuses_betas = False
        #: How many clients disconnected before their answer was complete.
        self.disconnects = 0
        #: Whether an answer is completed and billed when its client disconnects.
        self.generates_on = False
        #: How many answers are in progress.
        self.answering = 0
        self._clock = clock
        self._sleep = sleep
        self.cache = PrefixCache()
        self.batches = Batches(self)
        self._limiter = Limiter(limits, clock, lambda: self.epoch) if limits else None
        self._heard = 0
        self._scripts: deque[Answer] = deque()
        self._always: Answer = _unscripted
        self._changes = Changes()
        self._peers: set[tuple[str, int]] = set()
        self._closing = False

    def script(self, *answers: Answer) -> None:
        """Give these answers to the next accepted requests, in order."""
        self._scripts.extend(answers)

    def always(self, answer: Answer) -> None:
        """Give `answer` to every request for which no script is left."""
        self._always = answer

    def forget_scripts(self) -> None:
        """Drop the scripts and the answer of `always`."""
        self._scripts.clear()
        self._always = _unscripted

    @property
    def sent(self) -> list[list[tuple[float, int]]]:
        """For each request to /v1/messages: (when, characters of text so far)."""
        return [asked.sent for asked in self.requests if asked.path == "/v1/messages"]

    @property
    def connections(self) -> int:
        """The number of TCP connections that carried at least one request."""
        return len(self._peers)

    async def until(
        self, predicate: Callable[[], bool], timeout: float = PATIENCE
    ) -> None:
        """Wait until `predicate()` is true. It is tested after every change."""
        await self._changes.until(predicate, timeout=timeout, dump=self._dump)

    def _dump(self) -> str:
        return f"{len(self.requests)} requests, {self.answering} being answered"

    async def refuse(self) -> None:
        """Close the port: new connections are refused from now on."""
        await self._site.stop()

    async def accept(self) -> None:
        """Listen again, at the same address."""
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()

    async def __aenter__(self) -> Self:
        # 32 MB is the API's own limit (claude 1.5); aiohttp answers 413 beyond it.
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        self.batches.add_to(app.router)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{model}", self._model)
        self._runner = wire.runner(
            app, handler_cancellation=True, shutdown_timeout=0.01
        )
        await self._runner.setup()
        self._port = 0
        await self.accept()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        await self._runner.cleanup()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        asked = await self.hear(request)
        if problem := self._refusal(asked):
            return failure(problem, asked.id)
        asked.usage = self.cache.bill(asked.body, asked.at)
        if problem := self._throttled(asked):
            return failure(problem, asked.id)
        if wrong := mcp_servers.unreachable(asked.body, self.mcp):
            return failure(Fail(400, message=wrong), asked.id)
        if compaction.is_asked(asked.body):
            return self._compacted(asked)
        reply = Reply(
            request,
            asked,
            id=asked.id,
            rate=self.tokens_per_second,
            clock=self._clock,
            sleep=self._sleep,
            begun=lambda: self.cache.write(asked.body, asked.at),
            notice=self._changes.mark,
            headers=self._limits_left(asked),
            servers=self.mcp,
        )
        steps = self.answer(asked.body)
        self.answering += 1
        try:
            if self.latency and not asked.body.get("stream"):
                await self._sleep(self.latency)
            response = await reply.carry_out(steps)
        except (asyncio.CancelledError, ConnectionResetError):
            if not self._closing:
                self.disconnects += 1
            if self.generates_on:
                reply.generate_on()
            raise
        finally:
            asked.billed = None if reply.is_free else reply.used
            asked.text = reply.text
            self.answering -= 1
            self._changes.mark()
            if self._limiter:
                self._limiter.spend(asked.body["model"], reply.spent)
        if not response.prepared:
            response.headers.update(self._limits_left(asked))
        return response

    def _compacted(self, asked: Asked) -> web.Response:
        """Answer with a compaction block, whose text is the script."""
        [step] = self.answer(asked.body)
        if isinstance(step, Fail):
            asked.failed = True
            return failure(step, asked.id)
        assert isinstance(step, str)
        assert asked.usage is not None
        self.cache.write(asked.body, asked.at)
        asked.billed = replace(asked.usage, output=tokens(step))
        model = str(asked.body["model"])
        made = compaction.message(asked.id, model, step, asked.billed)
        return web.json_response(made, headers={"request-id": asked.id})

    def answer(self, body: Body) -> Sequence[Step]:
        """Return the steps of the answer to `body`, and use up a script if one is
        left."""
        answer = self._scripts.popleft() if self._scripts else self._always
        steps = answer(body) if callable(answer) else answer
        # A text is a sequence too, but it is one step.
        if isinstance(steps, Sequence) and not isinstance(steps, str):
            return steps
        return [steps]

    def _throttled(self, asked: Asked) -> Fail | None:
        """Return the refusal by the rate limits, or None."""
        if self._limiter is None or asked.usage is None:
            return None
        wait = self._limiter.admit(asked.body["model"], asked.usage)
        if wait <= 0:
            return None
        self.throttled += 1
        asked.failed = True
        told = {"retry-after": str(math.ceil(wait)), **self._limits_left(asked)}
        message = "This request would exceed the rate limit of your organization"
        return Fail(429, message=message, headers=told)

    def _limits_left(self, asked: Asked) -> dict[str, str]:
        model = str(asked.body.get("model"))
        return self._limiter.headers(model) if self._limiter else {}

    async def _count(self, request: web.Request) -> web.Response:
        asked = await self.hear(request)
        asked.body.setdefault("max_tokens", 1)  # not asked for here
        if problem := self._refusal(asked):
            return failure(problem, asked.id)
        return web.json_response({"input_tokens": size_of(asked.body)})

    async def _models(self, request: web.Request) -> web.Response:
        asked = await self.hear(request)
        if problem := self.stranger(asked):
            return failure(problem, asked.id)
        beta = asked.headers.get("anthropic-beta", "")
        if beta and self.refuses_betas:
            return failure(Fail(400, message="anthropic-beta"), asked.id)
        found = [
            _described(facts, beta) | self.models.get(facts.id, {})
            for facts in MODELS.values()
            if facts.id not in self.hidden
        ]
        found += [
            _described(MODELS[DEFAULT_MODEL]) | {"id": name, **changed}
            for name, changed in self.models.items()
            if name not in MODELS
        ]
        after = request.query.get("after_id")
        begin = [each["id"] for each in found].index(after) + 1 if after else 0
        page = found[begin : begin + MODELS_A_PAGE]
        more = len(found) > begin + MODELS_A_PAGE
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]}
        return web.json_response({"data": page, "has_more": more, **ends})

    async def _model(self, request: web.Request) -> web.Response:
        asked = await self.hear(request)
        model = request.match_info["model"]
        facts = find(model)
        problem = self.stranger(asked) or self._scripted_failure()
        if problem is None and facts is None:
            problem = Fail(404, message=f"model: {model}")
        if problem or facts is None:
            return failure(problem or Fail(404), asked.id)
        return web.json_response(_described(facts))

    async def hear(self, request: web.Request, most: int = 0) -> Asked:
        """Read `request` and record it. With `most`, it may have that many bytes."""
        if most:
            request = request.clone(client_max_size=most)
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            body = {}  # not JSON; a field will be missing in it
        asked = Asked(
            request.method, request.path, request.headers, body, self._clock()
        )
        self._heard += 1
        asked.id = f"req_{self._heard:06d}"
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        if not self.remember:
            self.requests.clear()
        self.requests.append(asked)
        self._changes.mark()
        return asked

    def now(self) -> float:
        """Return the time by the emulator's clock."""
        return self._clock()

    def stamp(self, at: float) -> str:
        """Return a time of the emulator's clock in RFC 3339."""
        return stamp(self.epoch + at)

    def stranger(self, asked: Asked) -> Fail | None:
        """Return the refusal of the key or the version, or None."""
        wrong = stranger(asked.headers, self.api_key)
        return Fail(wrong[0], message=wrong[1]) if wrong else None

    def _refusal(self, asked: Asked) -> Fail | None:
        if problem := self.stranger(asked):
            return problem
        if problem := compaction.wrong(asked.body, asked.headers):
            return problem
        version = asked.headers.get("anthropic-version", "")
        said = self.models.get(str(asked.body.get("model")), {})
        wrong = refusal(
            *(compaction.plain(asked.body), version, self.density),
            filters=_code_calls_tools(said),
            headers=asked.headers,
        )
        if wrong is None:
            return None
        return Fail(wrong[0], message=wrong[1], headers=self._limits_left(asked))

    def _scripted_failure(self) -> Fail | None:
        """Return the next script if it is a plain failure, which look-ups of models use
        up too."""
        if self._scripts and isinstance(self._scripts[0], Fail):
            fail = self._scripts.popleft()
            return fail if isinstance(fail, Fail) else None
        return None

    @property
    def questions(self) -> list[Asked]:
        """The requests for an answer, without those for lists and counts."""
        return [each for each in self.requests if each.path == "/v1/messages"]


def _code_calls_tools(model: dict[str, Any]) -> bool:
    """Return whether `model`'s capabilities let its code call tools (claude 1.8)."""
    capabilities = model.get("capabilities") or {}
    return bool(capabilities.get("code_execution", {}).get("supported"))


def _unscripted(body: Body) -> str:
    """Return an echo or, if the request has a schema, JSON that matches it."""
    config = body.get("output_config") or {}
    return sorted_by_words(body) if config.get("format") else _echo(body)


def _echo(body: Body) -> str:
    content = body["messages"][-1]["content"]
    said = content if isinstance(content, str) else content[-1].get("text", "")
    return f"You said: {said[:200]}"


def _described(facts: ModelFacts, beta: str = "") -> dict[str, Any]:
    # The capability is only listed with the beta header (claude 1.8).
    supported = {"supported": compaction.has(facts.id)}
    capabilities = {"compaction": {**supported, "summarize": supported}}
    family, _, version = facts.id.removeprefix("claude-").partition("-")
    return {
        "type": "model",
        "id": facts.id,
        "display_name": f"Claude {family.title()} {version.replace('-', '.')}",
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "deprecated" if facts.retires else "active",
        "line": family,
        "deprecated_at": None,
        "retires_at": f"{facts.retires}T00:00:00Z" if facts.retires else None,
        "max_input_tokens": facts.context,
        "max_tokens": facts.max_output,
        "capabilities": capabilities if compaction.BETA in beta else None,
    }
