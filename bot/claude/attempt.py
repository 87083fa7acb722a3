"""One attempt at an answer: a request, and the requests for its remainder."""

import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from functools import partial

import anthropic
from anthropic.types import MessageParam

from bot.claude import cost, mcp_servers, web_tools
from bot.claude.body import Body, body
from bot.claude.errors import SDK_ERRORS, Fault, judge
from bot.claude.request import file_places, files_size, load_files, streaming_headers
from bot.claude.stream import Block, MessageStream, Piece, StreamedMessage, open_stream
from bot.claude.usage import call_of, usage_of
from bot.claude.web_search import PAUSED, Rounds
from bot.domain.completion import Activity, Call, Report, Request, Usage
from bot.errors import ModelUnreachable
from bot.runtime.offload import offload
from bot.runtime.shares import Share, Shares

# The most memory for files on their way to Claude, in bytes, and how often each of
# their bytes is in memory while a request is made and sent: once itself, and once in
# SQLite's copy of the file that is being read. Requests that do not fit wait.
_FILE_MEMORY = 256 * 1024 * 1024
_FILE_COPIES = 2


class Bodies:
    """Makes the bodies of requests, in limited memory for their files.

    `tokens` are the tokens of MCP servers, by name.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._memory = Shares(_FILE_MEMORY)

    def memory(self, request: Request) -> contextlib.AbstractAsyncContextManager[Share]:
        """Return the share of the memory that the files of `request` need."""
        return self._memory.taken(files_size(request) * _FILE_COPIES)

    async def make(
        self, request: Request, rounds: Sequence[MessageParam] = ()
    ) -> tuple[Body, Mapping[tuple[int, int], str]]:
        """Return the body of `request` after the messages `rounds`, and the digests of
        its files as `file_places` does. The files are loaded only for the body."""
        whole = await load_files(request)
        make = partial(body, whole, rounds, self._tokens)
        return await offload(make, files_size(whole)), file_places(whole)


@dataclass(slots=True)
class _Round:
    """One request, and what the API has reported about its answer."""

    request: Request
    #: The call before the API has reported anything, and as far as it has.
    planned: Call
    call: Call
    used: Usage = field(default_factory=Usage)
    message: StreamedMessage | None = None
    #: Whether the message has paused, and is to be continued.
    is_paused: bool = False
    #: The digests of the files of the request, by place.
    places: Mapping[tuple[int, int], str] = field(default_factory=dict)
    #: The text before the citations that come next.
    text: str = ""

    @classmethod
    def of(cls, request: Request, rounds: Rounds) -> "_Round":
        """Return the round for the remainder of `request` after `rounds`."""
        left = rounds.left(request)
        planned = cost.planned_call(left, rounds.prompt)
        return cls(left, planned, planned)


class Attempt:
    """One attempt at the answer to `request`.

    A tool may pause the answer. The requests for its remainder belong to the same
    attempt. `rounds` are the completed rounds, from which the next attempt continues.
    """

    def __init__(
        self,
        sdk: anthropic.AsyncAnthropic,
        bodies: Bodies,
        request: Request,
        rounds: Rounds,
    ) -> None:
        self._sdk = sdk
        self._bodies = bodies
        self._request = request
        self._rounds = rounds
        self._round = _Round.of(request, rounds)
        self._report = Report(
            request.model,
            usage=rounds.lost + rounds.used,
            asked=rounds.asked,
            failed=rounds.failed,
        )

    async def pieces(self) -> AsyncGenerator[str | Report | Fault, None]:
        """Yield the answer as it is generated, and reports of its usage. Does not
        raise: a failure is yielded last, as a Fault."""
        fault = Fault(
            ModelUnreachable("the stream ended before the answer did"), passing=True
        )
        try:
            while True:
                if self._rounds.calls:
                    calls = (*self._rounds.calls, self._round.call)
                    yield replace(self._report, calls=calls, ahead=True)
                async with (
                    self._stream() as stream,
                    contextlib.aclosing(stream.pieces()) as pieces,
                ):
                    async for piece in pieces:
                        for each in self._take(piece, stream.request_id):
                            yield each
                if not self._has_next_round():
                    break
        except SDK_ERRORS as error:
            asks = bool(self._request.servers)
            fault = judge(error, self._request.model, asks_servers=asks)
        # Once the stop reason is known, the answer is complete, even if the connection
        # then fails.
        if self._report.stop_reason is None:
            here, rounds = self._round, self._rounds
            rounds.asked = self._report.asked
            if fault.billed or here.used != Usage():
                rounds.lose(here.call, here.used)
            if rounds.calls:
                yield replace(self._report, calls=tuple(rounds.calls))
            yield fault.naming(here.places)

    @contextlib.asynccontextmanager
    async def _stream(self) -> AsyncIterator[MessageStream]:
        """Send the request of this round, and open the stream of its answer."""
        request = self._round.request
        async with self._bodies.memory(request) as memory:
            made, self._round.places = await self._bodies.make(
                request, self._rounds.messages
            )
            async with open_stream(
                self._sdk,
                made,
                streaming_headers(request),
                keep=request.tool_uses > 0,
                model=request.model,
            ) as stream:
                # The request was sent, so nothing holds its files any longer.
                memory.give_back()
                yield stream

    def _take(self, piece: Piece, id: str | None) -> Iterator[str | Report]:
        """Yield what `piece` of the answer to the request `id` means for the caller."""
        if isinstance(piece, str):
            self._round.text = piece
            yield self._rounds.join(piece)
        elif isinstance(piece, Block):
            self._rounds.is_broken |= piece.type.endswith("tool_use")
            if page := web_tools.page(piece.start):
                self._rounds.sources.add_page(*page)
        elif isinstance(piece, StreamedMessage):
            has_ended = self._report.stop_reason is not None
            self._update(piece, id)
            listed = self._rounds.sources.listed
            if listed and self._report.stop_reason is not None and not has_ended:
                yield listed
            yield self._report
        elif isinstance(piece, Activity):
            yield self._report_activity(piece)
        elif numbers := self._rounds.sources.cite(piece, self._round.text):
            yield numbers

    def _update(self, message: StreamedMessage, id: str | None) -> None:
        """Report the usage and the stop reason of `message`."""
        here, rounds = self._round, self._rounds
        here.message = message
        here.used = usage_of(message)
        here.call = call_of(message, here.used, here.request, here.planned)
        here.is_paused = message.stop_reason == PAUSED and rounds.continues(
            self._request, rounds.used + here.used, message.param()
        )
        self._report = Report(
            message.model,
            id,
            rounds.lost + rounds.used + here.used,
            None if here.is_paused else message.stop_reason,
            (*rounds.calls, here.call),
            asked=rounds.asked + message.calls,
            failed=rounds.failed,
            listings=tuple(message.listings),
        )

    def _report_activity(self, activity: Activity) -> Report:
        """Return the report of `activity`, which has just begun."""
        here = self._round
        assert here.message is not None
        calls = here.message.calls
        self._report = replace(self._report, asked=self._rounds.asked + calls)
        if grown := len(calls) > here.request.server_calls:
            # The results of this call are read, too.
            here.request = replace(here.request, server_calls=len(calls))
            here.planned = cost.planned_call(here.request, self._rounds.prompt)
            here.call = call_of(here.message, here.used, here.request, here.planned)
            billed = (*self._rounds.calls, here.call)
            self._report = replace(self._report, calls=billed)
        shown = mcp_servers.with_label(activity, self._request)
        return replace(self._report, activity=shown, grown=grown)

    def _has_next_round(self) -> bool:
        """Begin the next round if the answer has paused; return whether it has."""
        here = self._round
        if here.message is None or not here.is_paused:
            return False
        self._rounds.pause(here.call, here.used, here.message, here.message.param())
        self._round = _Round.of(self._request, self._rounds)
        return True
