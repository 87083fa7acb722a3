"""Measures the CPU time of reading an answer and of sending a long thread."""

import asyncio
import contextlib
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Sequence

import anthropic
from rich.table import Table

from benchmarks.table import ratio, span, table
from bot.claude.body import body
from bot.claude.client import client
from bot.claude.request import parameters
from bot.claude.stream import open_stream
from bot.domain.completion import ChatMessage, Request

DELTAS = 1000
TURNS = 1000
ROUNDS = 7
# Seconds between two deltas, so that they arrive separately, as from Claude.
PAUSE = 0.0005

HEAD = b"""\
HTTP/1.1 200 OK\r
content-type: text/event-stream; charset=utf-8\r
request-id: req_1\r
transfer-encoding: chunked\r
\r
"""
START = b"""\
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":\
"assistant","model":"claude-sonnet-5-5","content":[],"stop_reason":null,\
"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":25,\
"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text",\
"text":""}}

"""
DELTA = b"""\
event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":\
" words"}}

"""
STOP = b"""\
event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,\
"stop_details":null},"usage":{"output_tokens":1000}}

event: message_stop
data: {"type":"message_stop"}

"""
LONG = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=tuple(
        ChatMessage(("user", "assistant")[nth % 2], f"Message {nth}. " + "Words. " * 40)
        for nth in range(2 * TURNS + 1)
    ),
    max_tokens=4096,
)
SHORT = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", "Hello?"),),
    max_tokens=4096,
)

Way = Callable[[anthropic.AsyncAnthropic, Request], Awaitable[int]]


async def measure(platforms: Sequence[str]) -> Table:
    """Read answers and send threads with each client in turn, in one process."""
    rows: list[tuple[str, ...]] = []
    with _Server() as server:
        for what, request, server.deltas, server.pause in (
            (f"{DELTAS:,} deltas, one by one", SHORT, DELTAS, PAUSE),
            (f"{DELTAS:,} deltas in a burst", SHORT, DELTAS, 0.0),
            (f"{TURNS:,} turns sent", LONG, 0, 0.0),
        ):
            found = await _compare(server, request)
            first = next(iter(found.values()))
            for name, took in found.items():
                middle = span(statistics.median(took))
                rows.append((f"{what}: {name}", middle, ratio(took, first)))
    return table(
        "streaming: what Claude's answers cost",
        ("way", "CPU", "ratio"),
        rows,
        caption=f"""Medians of {ROUNDS} answers each, by turns in one process; only the
        thread of the reader is counted, its event loop included. The SDK uses httpx2
        unless it says otherwise; Threadkeep uses aiohttp.""",
    )


async def _compare(server: "_Server", request: Request) -> dict[str, list[float]]:
    """Return the CPU seconds of each client."""
    url = server.url
    async with (
        anthropic.AsyncAnthropic(api_key="key", base_url=url, max_retries=0) as plain,
        client("key", url) as ours,
    ):
        ways: dict[str, tuple[anthropic.AsyncAnthropic, Way]] = {
            "the SDK's helper": (plain, _helper),
            "the SDK's helper over aiohttp": (ours.sdk, _helper),
            "Threadkeep": (ours.sdk, _reader),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for nth in range(ROUNDS + 1):
            for name, (sdk, way) in ways.items():
                began = time.thread_time()
                assert await way(sdk, request) == server.deltas
                if nth:  # the first one connects
                    took[name].append(time.thread_time() - began)
    return took


async def _helper(sdk: anthropic.AsyncAnthropic, request: Request) -> int:
    count = 0
    async with sdk.messages.stream(**parameters(request)) as stream:
        async for event in stream:
            count += event.type == "text"
    return count


async def _reader(sdk: anthropic.AsyncAnthropic, request: Request) -> int:
    count = 0
    sent = body(request, (), {})
    async with (
        open_stream(sdk, sent, {}, keep=False) as stream,
        contextlib.aclosing(stream.pieces()) as pieces,
    ):
        async for piece in pieces:
            # Deltas that arrive together are one piece.
            count += piece.count(" words") if isinstance(piece, str) else 0
    return count


class _Server:
    """A server on loopback, in its own thread."""

    def __init__(self) -> None:
        self.url = ""
        self.deltas = 0
        #: Seconds between two deltas.
        self.pause = 0.0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "_Server":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
                await reader.readexactly(int(size))
                writer.write(HEAD + _chunk(START))
                for _ in range(self.deltas):
                    if self.pause:
                        await asyncio.sleep(self.pause)
                    writer.write(_chunk(DELTA))
                writer.write(_chunk(STOP) + b"0\r\n\r\n")
                await writer.drain()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)
