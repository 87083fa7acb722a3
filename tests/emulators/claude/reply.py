"""The steps of an emulated answer, and their wire format.

Rule: steps are carried out in order. Nothing is random, and only steps wait. Numbers in
comments point into the facts sheet ("claude 1.9").
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from aiohttp import web

from bot.domain.completion import Usage
from tests.emulators.claude import mcp_servers, web_tools
from tests.emulators.claude.files import documents
from tests.emulators.claude.message import TYPES, error_of, message_of, usage_of
from tests.emulators.claude.prompt import Body, tokens

# Steps that need no open response. At the beginning, they come before the headers.


@dataclass(frozen=True)
class Hold:
    """Waits for `event`."""

    event: asyncio.Event
    #: Seconds between pings during the wait; 0 for no pings.
    pings: float = 0.0


@dataclass(frozen=True)
class Pause:
    """Waits for `seconds`, on the emulator's own `sleep`."""

    seconds: float


@dataclass(frozen=True)
class Fail:
    """Answers with an HTTP error instead of a stream. `page` replaces the JSON."""

    status: int
    type: str = ""
    message: str = "scripted"
    headers: Mapping[str, str] = field(default_factory=dict)
    error_code: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Abort:
    """Cuts the connection without closing it."""


@dataclass(frozen=True)
class Stall:
    """Sends nothing more until the client disconnects."""


# Steps that need the headers to be sent, and nothing else.


@dataclass(frozen=True)
class Open:
    """Sends the headers of the stream."""


@dataclass(frozen=True)
class Raw:
    """Sends bytes unchanged."""

    content: bytes


@dataclass(frozen=True)
class Event:
    """Sends any event, known or not."""

    name: str
    body: Any


@dataclass(frozen=True)
class Error:
    """An `error` event; the stream ends with it (claude 1.9)."""

    type: str = "overloaded_error"
    message: str = "Overloaded"


@dataclass(frozen=True)
class End:
    """Ends the response properly, although the answer is unfinished."""


# Steps that need a message to have begun. A plain `str` sends that text, as one delta
# or at `tokens_per_second`. After the last step, the answer ends as with `Stop()`.


@dataclass(frozen=True)
class Start:
    """Sends `message_start`."""


@dataclass(frozen=True)
class Other:
    """Answers with another model than the requested one (claude 1.8: `fallbacks`)."""

    model: str


@dataclass(frozen=True)
class Think:
    """Sends a thinking block. Without `text`, it is as with display "omitted"."""

    text: str = ""
    tokens: int = 30


@dataclass(frozen=True)
class Search:
    """Searches the web once, and sends `text`, which cites the results (claude 1.8)."""

    query: str
    #: The results: (title, address).
    found: Sequence[tuple[str, str]] = ()
    text: str = ""
    #: Tokens of the results. If there are any, the prompt, the output and all results
    #: so far are read again as input (claude 1.8, 6.2). How much is read is not
    #: documented, so the maximum is taken.
    tokens: int = 0


@dataclass(frozen=True)
class Fetch:
    """Fetches `url` once, and sends `text`, which cites the page (claude 1.8). A
    forbidden URL gives an error, after which `text` is sent anyway."""

    url: str
    title: str = "A page"
    text: str = ""
    #: Tokens of the page. The prompt is read again, as for a search.
    tokens: int = 0


@dataclass(frozen=True)
class Code:
    """Runs code that filters results and may use tools (claude 1.8). The end of the
    answer names its container. With `pending`, the code has not ended."""

    inside: Sequence["Search | Fetch"] = ()
    pending: bool = False
    #: Tokens of its output. The prompt is read again.
    tokens: int = 0


@dataclass(frozen=True)
class Ask:
    """Calls a tool of an MCP server once, and sends `text` (claude 1.8). A tool that is
    not offered to the model is not called."""

    server: str
    tool: str
    text: str = ""
    #: The result of the tool, and whether that is an error.
    result: str = "Found."
    error: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    #: Tokens of the result. The prompt is read again, as for a search.
    tokens: int = 0


@dataclass(frozen=True)
class Cite:
    """Sends `text` in its own block, which cites `pages` (first and last) of the PDF
    with `title` in its title (claude 1.7). Without such a PDF, or without citations
    enabled for it, nothing is cited."""

    text: str
    title: str
    pages: tuple[int, int]


@dataclass(frozen=True)
class Stop:
    """Ends the answer for `reason`."""

    reason: str = "end_turn"
    details: Mapping[str, Any] | None = None


PING = Event("ping", {"type": "ping"})

_Bare = Hold | Pause | Fail | Abort | Stall
_Sent = Open | Raw | Event | Error | End
_Used = Search | Fetch | Code | Ask
Step = str | Start | Other | Think | _Used | Cite | Stop | _Sent | _Bare
Answer = Step | Sequence[Step] | Callable[[Body], Step | Sequence[Step]]


def failure(fail: Fail, request_id: str) -> web.Response:
    """Return the HTTP response for `fail`."""
    headers = {"request-id": request_id, **fail.headers}
    if fail.page is not None:
        page = fail.page.encode()
        kind = "text/html"
        return web.Response(
            status=fail.status, body=page, content_type=kind, headers=headers
        )
    kind = fail.type or TYPES.get(fail.status, "api_error")
    body = error_of(kind, fail.message, fail.error_code, request_id)
    return web.json_response(body, status=fail.status, headers=headers)


@dataclass
class Asked:
    """A request that was received, and its outcome."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body
    #: The time of arrival, by the emulator's clock.
    at: float
    id: str = ""
    usage: Usage | None = None
    #: Whether it was refused or cut before its answer had begun.
    failed: bool = False
    #: The usage that the API bills; None while it is being answered, and for a refused
    #: request, which costs nothing.
    billed: Usage | None = None
    #: The model that answered instead of the requested one; "" for none.
    answered_by: str = ""
    #: The text of the answer so far.
    text: str = ""
    #: The progress of the text: (time, characters sent by then).
    sent: list[tuple[float, int]] = field(default_factory=list)


class Reply:
    """Carries out the steps of one answer."""

    def __init__(
        self,
        request: web.Request,
        asked: Asked,
        *,
        id: str,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        begun: Callable[[], None],
        notice: Callable[[], None],
        headers: Mapping[str, str],
        servers: mcp_servers.Servers,
    ) -> None:
        self._request = request
        self._servers = servers
        self._asked = asked
        self._id = id
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._begun = begun
        self._notice = notice
        self._response = web.StreamResponse(
            headers={
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache",
                "request-id": id,
                **headers,
            }
        )
        self._started = self._stopped = False
        self._blocks = 0
        self._in_text = False
        self._text = ""
        self._thought = self._searches = self._fetches = self._codes = self._asks = 0
        #: How often the model was called again after a tool.
        self._rounds = 0
        #: Tokens of output that is not text, of tool results, and of input read again.
        self._queried = self._found = self._read_again = 0
        self._stopped_by: str | None = None
        self._left: Sequence[Step] = ()
        #: Whether it was answered with an HTTP error, and whether Claude declined.
        self.refused = self.declined = False

    @property
    def is_free(self) -> bool:
        """True if it costs nothing: it was refused, or declined before any output
        (claude 1.6)."""
        return self.refused or (self.declined and not (self._blocks or self.spent))

    @property
    def text(self) -> str:
        """The text so far."""
        return self._text

    @property
    def spent(self) -> int:
        """The output tokens so far, at most `max_tokens` (claude 0.9)."""
        written = tokens(self._text) + self._thought + self._queried
        return min(written, int(self._asked.body["max_tokens"]))

    @property
    def used(self) -> Usage:
        """The usage that is billed if nothing follows: the prompt, and all output so
        far, sent or not (claude 1.4: tokens generated until the client disconnected are
        billed)."""
        used = self._asked.usage or Usage()
        return replace(
            used,
            input=used.input + self._read_again,
            output=self.spent,
            searches=self._searches,
            fetches=self._fetches,
        )

    def generate_on(self) -> None:
        """Generate the rest of the answer without sending it. Whether the API stops at
        once when a client disconnects is not documented (claude 1.4, 6.2)."""
        for step in self._left:
            match step:
                case str():
                    self._text += step
                case Think():
                    self._thought += step.tokens
                case Search() if self._may_search():
                    self._searched(step)
                    self._text += step.text
                case Fetch() if self._may_fetch():
                    self._fetched(step)
                    self._text += step.text
                case Code() if self._may_run():
                    self._codes += 1
                    self._found_more("code", step.tokens)
                case Ask() if self._may_ask(step):
                    self._found_more(json.dumps(dict(step.given)), step.tokens)
                    self._text += step.text
                case Cite():
                    self._text += step.text
                case Stop() | Fail() | Abort() | Error() | End():
                    break

    async def carry_out(self, steps: Sequence[Step]) -> web.StreamResponse:
        """Carry out `steps`, and end the answer if they did not end it."""
        if not self._asked.body.get("stream"):
            return await self._at_once(steps)
        for nth, step in enumerate(steps):
            # A text that is cut while it is sent may be counted twice, so the bill of a
            # cut answer may be too high, but never too low.
            self._left = steps[nth:]
            match step:
                case Hold():
                    await self._hold(step)
                case Pause():
                    await self._sleep(step.seconds)
                case Fail():
                    self._asked.failed = self.refused = True
                    return failure(step, self._id)
                case Abort():
                    self._asked.failed = not self._response.prepared
                    return self._abort()
                case Stall():
                    await asyncio.Event().wait()
                case Open():
                    await self._open()
                case Raw():
                    await self._write(step.content)
                case Event():
                    await self._event(step.name, step.body)
                case Error():
                    body = error_of(step.type, step.message, None, self._id)
                    await self._event("error", body)
                    return self._response
                case End():
                    await self._open()
                    return self._response
                case Start():
                    await self._start()
                case Other():
                    self._asked.answered_by = step.model
                case Think():
                    await self._think(step)
                case Search():
                    await self._search(step)
                case Fetch():
                    await self._fetch(step)
                case Code() if self._may_run():
                    await self._run(step)
                case Ask():
                    await self._ask(step)
                case Cite():
                    await self._cite(step)
                case Stop():
                    await self._stop(step)
                case str():
                    await self._say(step)
        self._left = ()
        if not self._stopped:
            await self._stop(Stop())
        return self._response

    async def _at_once(self, steps: Sequence[Step]) -> web.StreamResponse:
        stop = Stop()
        for nth, step in enumerate(steps):
            self._left = steps[nth:]
            match step:
                case Hold():
                    await step.event.wait()
                case Fail():
                    self._asked.failed = self.refused = True
                    return failure(step, self._id)
                case Abort():
                    return self._abort()
                case Stall():
                    await asyncio.Event().wait()
                case Other():
                    self._asked.answered_by = step.model
                case Think():
                    self._thought += step.tokens
                case Stop():
                    stop = step
                case str():
                    self._text += step
        self._begun()
        self.declined = stop.reason == "refusal"
        content = [{"type": "text", "text": self._text}] if self._text else []
        message = self._message(content, stop)
        return web.json_response(message, headers={"request-id": self._id})

    def _abort(self) -> web.StreamResponse:
        assert self._request.transport is not None
        self._request.transport.abort()
        return self._response

    async def _hold(self, step: Hold) -> None:
        while step.pings and not step.event.is_set():
            try:
                async with asyncio.timeout(step.pings):
                    await step.event.wait()
            except TimeoutError:
                await self._event("ping", {"type": "ping"})
        await step.event.wait()

    async def _open(self) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)

    async def _write(self, content: bytes) -> None:
        await self._open()
        await self._response.write(content)

    async def _event(self, name: str, body: Any) -> None:
        await self._write(f"event: {name}\ndata: {json.dumps(body)}\n\n".encode())
        self._notice()

    async def _start(self) -> None:
        if not self._started:
            self._started = True
            self._begun()
            message = self._message([], None)
            await self._event(
                "message_start", {"type": "message_start", "message": message}
            )
            for listing in mcp_servers.listings(self._asked.body, self._servers):
                await self._begin_block(listing)
                await self._end_block()

    async def _think(self, step: Think) -> None:
        await self._begin_block({"type": "thinking", "thinking": "", "signature": ""})
        if step.text:
            await self._delta({"type": "thinking_delta", "thinking": step.text})
        self._thought += step.tokens
        await self._delta({"type": "signature_delta", "signature": "EqQB"})
        await self._end_block()

    async def _search(self, step: Search) -> None:
        if not self._may_search():
            await self._say(step.text)
            return
        self._searched(step)
        name = f"srvtoolu_{self._searches:02}"
        await self._use(name, "web_search", {"query": step.query})
        results = [
            {
                "type": "web_search_result",
                "title": title,
                "url": url,
                "encrypted_content": "EqQB",
                "page_age": None,
            }
            for title, url in step.found
        ]
        kind = {"type": "web_search_tool_result", "tool_use_id": name}
        await self._begin_block({**kind, "content": results})
        await self._end_block()
        if step.text:
            await self._say(step.text)
        for title, url in step.found if self._in_text else ():
            citation = {
                "type": "web_search_result_location",
                "title": title,
                "url": url,
                "encrypted_index": "Eo8B",
                "cited_text": step.text[:150],
            }
            await self._delta({"type": "citations_delta", "citation": citation})

    async def _use(self, id: str, name: str, given: Mapping[str, Any]) -> None:
        """Send the use of a tool that the API runs, with the input `given`."""
        use = {"type": "server_tool_use", "id": id, "name": name, "input": {}}
        await self._use_block(use, json.dumps(given))

    async def _use_block(self, use: Body, given: str) -> None:
        if self._in_text:
            await self._end_block()
            self._in_text = False
        await self._begin_block(use)
        await self._delta({"type": "input_json_delta", "partial_json": given})
        await self._end_block()

    async def _fetch(self, step: Fetch) -> None:
        if not self._may_fetch():
            await self._say(step.text)
            return
        body, title = self._asked.body, step.title
        error = web_tools.fetch_error(body, step.url, self._fetches)
        self._fetched(step)
        name = f"srvtoolu_f{self._fetches:02}"
        await self._use(name, "web_fetch", {"url": step.url})
        page = web_tools.fetched(name, step.url, title, "A page.", error)
        await self._begin_block(page)
        await self._end_block()
        if step.text:
            await self._say(step.text)
        cites = (web_tools.tool_of(body, "web_fetch") or {}).get("citations") or {}
        if self._in_text and not error and cites.get("enabled"):
            citation = {
                "type": "char_location",
                "cited_text": step.text[:150],
                "document_index": 0,
                "document_title": title,
                "start_char_index": 0,
                "end_char_index": 7,
                "file_id": None,
            }
            await self._delta({"type": "citations_delta", "citation": citation})

    async def _cite(self, step: Cite) -> None:
        if self._in_text:
            await self._end_block()
            self._in_text = False
        await self._say(step.text)
        for nth, document in enumerate(documents(self._asked.body)):
            cites = (document.get("citations") or {}).get("enabled")
            title = str(document.get("title"))
            if not self._in_text or not cites or step.title not in title:
                continue
            citation = {
                "type": "page_location",
                "cited_text": step.text[:150],
                "document_index": nth,
                "document_title": title,
                "start_page_number": step.pages[0],
                "end_page_number": step.pages[1] + 1,
                "file_id": None,
            }
            await self._delta({"type": "citations_delta", "citation": citation})
            await self._end_block()
            self._in_text = False
            break

    async def _run(self, step: Code) -> None:
        self._codes += 1
        name = f"srvtoolu_c{self._codes:02}"
        await self._use(name, "code_execution", {"code": "print(await web())"})
        for each in step.inside:
            await (
                self._search(each) if isinstance(each, Search) else self._fetch(each)
            )
        if not step.pending:
            await self._begin_block(web_tools.ran(name))
            await self._end_block()
        self._found_more("code", step.tokens)

    async def _ask(self, step: Ask) -> None:
        if self._may_ask(step):
            self._asks += 1
            given = json.dumps(dict(step.given))
            self._found_more(given, step.tokens)
            id = f"mcptoolu_{self._asks:02}"
            use = {"type": "mcp_tool_use", "id": id, "name": step.tool, "input": {}}
            await self._use_block({**use, "server_name": step.server}, given)
            text, is_error = mcp_servers.called(
                *(self._asked.body, self._servers, step.server, step.tool, step.result),
                error=step.error,
            )
            kind = {"type": "mcp_tool_result", "tool_use_id": id, "is_error": is_error}
            content = [{"type": "text", "text": text}]
            await self._begin_block({**kind, "content": content})
            await self._end_block()
        if step.text:
            await self._say(step.text)

    def _may_ask(self, step: Ask) -> bool:
        """Return whether the tool is offered, `max_tokens` leaves room for the call,
        and the answer does not pause instead."""
        tools = mcp_servers.offered(self._asked.body, self._servers)
        more = self._rounds < web_tools.ITERATIONS
        room = self._asked.body["max_tokens"] - self.spent
        return more and room > 1 and (step.server, step.tool) in tools

    def _may_search(self) -> bool:
        """Return whether `max_uses` allows one more search (claude 1.8)."""
        if not self._asked.body.get("tools"):
            return True
        return self._may("web_search", self._searches)

    def _may_fetch(self) -> bool:
        return self._may("web_fetch", self._fetches)

    def _may(self, name: str, used: int) -> bool:
        tool = web_tools.tool_of(self._asked.body, name)
        more = self._rounds < web_tools.ITERATIONS
        return more and tool is not None and used < tool.get("max_uses", math.inf)

    def _may_run(self) -> bool:
        """Return whether the tools may run code and the answer does not pause
        instead."""
        more = self._rounds < web_tools.ITERATIONS
        return more and web_tools.filtering(self._asked.body)

    def _searched(self, step: Search) -> None:
        self._searches += 1
        self._found_more(step.query, step.tokens)

    def _fetched(self, step: Fetch) -> None:
        self._fetches += 1
        self._found_more(step.url, step.tokens)

    def _found_more(self, written: str, size: int) -> None:
        """Count the output `written` for a tool, and the input read again after a
        result of `size` tokens."""
        self._queried += tokens(written)
        if size:
            self._rounds += 1
            self._found += size
            prompt = (self._asked.usage or Usage()).prompt
            self._read_again += prompt + self.spent + self._found

    async def _say(self, text: str) -> None:
        if self._stopped:
            return
        stops = self._asked.body.get("stop_sequences") or ()
        ends = {text.index(stop): stop for stop in stops if stop in text}
        if ends:
            # The sequence itself is not sent (claude 1.6).
            self._stopped_by = ends[min(ends)]
            text = text[: min(ends)]
        if not self._in_text:
            await self._begin_block({"type": "text", "text": ""})
            self._in_text = True
        # Thinking counts against `max_tokens` as well (claude 0.9).
        apart = self._thought + self._queried
        room = 4 * (self._asked.body["max_tokens"] - apart) - len(self._text)
        size = 4 if self._rate else max(1, len(text))
        began = self._clock()
        for nth, at in enumerate(range(0, min(len(text), max(0, room)), size), start=1):
            if self._rate:
                # Each wait is relative to the start, so that slow writes do not lower
                # the rate.
                await self._sleep(began + nth / self._rate - self._clock())
            piece = text[at : min(at + size, room)]
            self._text += piece
            self._asked.sent.append((self._clock(), len(self._text)))
            await self._write(_encoded(self._blocks, piece))
            self._notice()
        if len(text) > room:
            await self._stop(Stop("max_tokens"))
        elif self._stopped_by is not None:
            await self._stop(Stop("stop_sequence"))

    async def _stop(self, step: Stop) -> None:
        if self._stopped:
            return
        self._stopped = True
        self.declined = step.reason == "refusal"
        await self._start()
        if self._in_text:
            await self._end_block()
            self._in_text = False
        message = self._message([], step)
        usage = {k: v for k, v in message["usage"].items() if k in _DELTA_USAGE}
        delta = {
            k: message[k] for k in ("stop_reason", "stop_sequence", "stop_details")
        }
        if self._codes:
            # The container is named at the end only (claude 1.4).
            expires = "2026-12-29T12:00:00Z"
            delta["container"] = {"id": "container_01", "expires_at": expires}
        await self._event(
            "message_delta", {"type": "message_delta", "delta": delta, "usage": usage}
        )
        await self._event("message_stop", {"type": "message_stop"})

    async def _begin_block(self, block: Mapping[str, Any]) -> None:
        await self._start()
        start = {"index": self._blocks, "content_block": block}
        await self._event(
            "content_block_start", {"type": "content_block_start"} | start
        )

    async def _delta(self, delta: Mapping[str, Any]) -> None:
        body = {"type": "content_block_delta", "index": self._blocks, "delta": delta}
        await self._event("content_block_delta", body)

    async def _end_block(self) -> None:
        body = {"type": "content_block_stop", "index": self._blocks}
        await self._event("content_block_stop", body)
        self._blocks += 1

    def _message(self, content: list[Any], stop: Stop | None) -> Body:
        return message_of(
            id=self._id.replace("req", "msg"),
            model=self._asked.answered_by or self._asked.body["model"],
            content=content,
            usage=usage_of(
                self.used if stop else self._asked.usage or Usage(),
                output=self.spent if stop else 1,
                thought=self._thought,
                searches=self._searches,
                fetches=self._fetches,
            ),
            reason=stop.reason if stop else None,
            sequence=self._stopped_by if stop else None,
            details=stop.details if stop else None,
        )


# `message_delta` repeats these and leaves the rest to `message_start` (claude 1.9).
_DELTA_USAGE = {
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
}


@lru_cache(1_000)
def _encoded(index: int, text: str) -> bytes:
    """Return one encoded delta of text. Cached, because many answers send the same text
    in pieces of a few characters."""
    delta = {"type": "text_delta", "text": text}
    body = {"type": "content_block_delta", "index": index, "delta": delta}
    return f"event: content_block_delta\ndata: {json.dumps(body)}\n\n".encode()
