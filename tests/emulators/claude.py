"""The Messages API on loopback, well enough that the real SDK cannot tell.

Rule: a request that the API of 2026-10-21 refuses is refused here, with the same
status and type, and uses up no script. What an answer does is said in the steps of
`claude_reply`; what a prompt is worth in `claude_prompt`.

    async with ClaudeEmulator() as claude:
        claude.script("Hello!")                        # one answer, then echoes again
        claude.script([Fail(529)], ["Hel", Abort()])   # two answers, both bad
        ... AsyncAnthropic(api_key=claude.api_key, base_url=claude.base_url) ...
        await claude.until(lambda: claude.disconnects == 1)
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.catalogue import DEFAULT_MODEL, MODELS, ModelFacts, find
from tests.emulators.claude_prompt import Body, PrefixCache, refusal, size_of, stranger
from tests.emulators.claude_reply import Answer, Asked, Fail, Reply, Step, failure


class ClaudeEmulator:
    """Serves the Messages API on 127.0.0.1 while its context is open."""

    def __init__(
        self,
        *,
        api_key: str = "sk-ant-emulator",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tokens_per_second: float | None = None,
    ) -> None:
        self.api_key = api_key
        self.base_url = ""
        #: None sends every text as one delta.
        self.tokens_per_second = tokens_per_second
        self.requests: list[Asked] = []
        #: What `/v1/models` says otherwise of a model, or of one that nobody knows.
        self.models: dict[str, dict[str, Any]] = {}
        #: Models that it does not list.
        self.hidden: set[str] = set()
        #: How many clients went away before their answer was complete.
        self.disconnects = 0
        self._clock = clock
        self._sleep = sleep
        self._cache = PrefixCache()
        self._scripts: deque[Answer] = deque()
        self._always: Answer = _echo
        self._changed = asyncio.Event()
        self._peers: set[tuple[str, int]] = set()
        self._closing = False

    def script(self, *answers: Answer) -> None:
        """Give these answers to the next accepted requests, in order."""
        self._scripts.extend(answers)

    def always(self, answer: Answer) -> None:
        """Give `answer` whenever no script is left."""
        self._always = answer

    @property
    def sent(self) -> list[list[tuple[float, int]]]:
        """For each request to /v1/messages: (when, characters of text so far)."""
        return [asked.sent for asked in self.requests if asked.path == "/v1/messages"]

    @property
    def connections(self) -> int:
        """How many TCP connections carried at least one request."""
        return len(self._peers)

    async def until(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait for `predicate`, which is asked again after everything that happens."""
        async with asyncio.timeout(timeout):
            while not predicate():
                self._changed.clear()
                await self._changed.wait()

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
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{model}", self._model)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.01
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
        asked = await self._hear(request)
        if problem := self._refusal(asked):
            return failure(problem, self._request_id)
        asked.usage = self._cache.bill(asked.body, asked.at)
        answer = self._scripts.popleft() if self._scripts else self._always
        reply = Reply(
            request,
            asked,
            id=self._request_id,
            rate=self.tokens_per_second,
            clock=self._clock,
            sleep=self._sleep,
            begun=lambda: self._cache.write(asked.body, asked.at),
            notice=self._changed.set,
        )
        try:
            return await reply.carry_out(_steps(answer, asked.body))
        except (asyncio.CancelledError, ConnectionResetError):
            if not self._closing:
                self.disconnects += 1
                self._changed.set()
            raise

    async def _count(self, request: web.Request) -> web.Response:
        asked = await self._hear(request)
        asked.body.setdefault("max_tokens", 1)  # not asked for here
        if problem := self._refusal(asked):
            return failure(problem, self._request_id)
        return web.json_response({"input_tokens": size_of(asked.body)})

    async def _models(self, request: web.Request) -> web.Response:
        asked = await self._hear(request)
        if problem := self._stranger(asked):
            return failure(problem, self._request_id)
        found = [
            _described(facts) | self.models.get(facts.id, {})
            for facts in MODELS.values()
            if facts.id not in self.hidden
        ]
        found += [
            _described(MODELS[DEFAULT_MODEL]) | {"id": name, **changed}
            for name, changed in self.models.items()
            if name not in MODELS
        ]
        page = {"first_id": found[0]["id"], "last_id": found[-1]["id"]}
        return web.json_response({"data": found, "has_more": False, **page})

    async def _model(self, request: web.Request) -> web.Response:
        asked = await self._hear(request)
        model = request.match_info["model"]
        facts = find(model)
        problem = self._stranger(asked) or self._scripted_failure()
        if problem is None and facts is None:
            problem = Fail(404, message=f"model: {model}")
        if problem or facts is None:
            return failure(problem or Fail(404), self._request_id)
        return web.json_response(_described(facts))

    async def _hear(self, request: web.Request) -> Asked:
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            body = {}  # not JSON; a field will be missing in it
        asked = Asked(
            request.method, request.path, request.headers, body, self._clock()
        )
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        self.requests.append(asked)
        self._changed.set()
        return asked

    def _stranger(self, asked: Asked) -> Fail | None:
        wrong = stranger(asked.headers, self.api_key)
        return Fail(wrong[0], message=wrong[1]) if wrong else None

    def _refusal(self, asked: Asked) -> Fail | None:
        wrong = stranger(asked.headers, self.api_key) or refusal(
            asked.body, asked.headers.get("anthropic-version", "")
        )
        return Fail(wrong[0], message=wrong[1]) if wrong else None

    def _scripted_failure(self) -> Fail | None:
        """The next script, if it is a plain failure: it meets look-ups as well."""
        if self._scripts and isinstance(self._scripts[0], Fail):
            fail = self._scripts.popleft()
            return fail if isinstance(fail, Fail) else None
        return None

    @property
    def questions(self) -> list[Asked]:
        """The requests for an answer, those for a list or a count left out."""
        return [each for each in self.requests if each.path == "/v1/messages"]

    @property
    def _request_id(self) -> str:
        """The id of the newest request."""
        return f"req_{len(self.requests):06d}"


def _steps(answer: Answer, body: Body) -> Sequence[Step]:
    steps = answer(body) if callable(answer) else answer
    # A text is a sequence too, but it is one step.
    if isinstance(steps, Sequence) and not isinstance(steps, str):
        return steps
    return [steps]


def _echo(body: Body) -> str:
    content = body["messages"][-1]["content"]
    said = content if isinstance(content, str) else content[-1].get("text", "")
    return f"You said: {said[:200]}"


def _described(facts: ModelFacts) -> dict[str, Any]:
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
        "capabilities": None,
    }
