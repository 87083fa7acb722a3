"""How bots show a streamed answer on Slack today, each way as a small program.

Each posts a placeholder and edits it while Claude writes, through Slack's own SDK with
its own handler for rate limits, as people set it up; an edit that fails even so is
lost. They differ in when they edit. They are told what was asked, and hear nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

from anthropic import AsyncAnthropic
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.platforms import Question
from benchmarks.watching import MORE, question
from tests.emulators.claude.emulator import ClaudeEmulator

PLACEHOLDER = "_Thinking…_"
MODEL = "claude-sonnet-5-5"

#: Whether to edit now, given how many pieces of the answer have come.
Due = Callable[[int], bool]


def clock_per_reply() -> Callable[[], Due]:
    """An edit of each reply every second."""

    def begin() -> Due:
        return _every_second()

    return begin


def one_clock() -> Callable[[], Due]:
    """An edit every second, whichever reply is first to want it."""
    shared = _every_second()
    return lambda: shared


def every_twenty_pieces() -> Callable[[], Due]:
    """An edit every twenty pieces, and no clock."""
    return lambda: lambda pieces: pieces % 20 == 0


PEERS = {
    "a clock of 1 s per reply": clock_per_reply,
    "one clock of 1 s": one_clock,
    "an edit every 20 chunks": every_twenty_pieces,
}


@contextlib.asynccontextmanager
async def answering(
    peer: str, token: str, slack: str, claude: ClaudeEmulator, asked: Sequence[Question]
) -> AsyncIterator[asyncio.Future[list[None]]]:
    """Answer all of `asked` in the way of `peer`; the future is done when it gives
    up or is done."""
    begin = PEERS[peer]()
    web = AsyncWebClient(token=token, base_url=slack, retry_handlers=[_patient()])
    async with AsyncAnthropic(
        api_key=claude.api_key, base_url=claude.base_url, max_retries=0
    ) as model:
        work = asyncio.gather(
            *(_answer(web, model, each, nth, begin()) for nth, each in enumerate(asked))
        )
        try:
            yield work
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


async def _answer(
    web: AsyncWebClient, model: AsyncAnthropic, asked: Question, nth: int, due: Due
) -> None:
    thread = asked.thread
    posted = None
    with contextlib.suppress(SlackApiError):
        posted = await web.chat_postMessage(
            channel=thread.channel, thread_ts=thread.thread, text=PLACEHOLDER
        )
    text, pieces = "", 0
    async with model.messages.stream(
        model=MODEL,
        max_tokens=4096,
        messages=[{"role": "user", "content": question(nth)}],
    ) as stream:
        async for piece in stream.text_stream:
            text, pieces = text + piece, pieces + 1
            if posted and due(pieces):
                await _edit(web, thread.channel, str(posted["ts"]), text + MORE)
    if posted:
        await _edit(web, thread.channel, str(posted["ts"]), text)


async def _edit(web: AsyncWebClient, channel: str, ts: str, text: str) -> None:
    with contextlib.suppress(SlackApiError):
        await web.chat_update(channel=channel, ts=ts, text=text)


def _every_second() -> Due:
    last = float("-inf")

    def due(pieces: int) -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last < 1.0:
            return False
        last = now
        return True

    return due


def _patient() -> AsyncRateLimitErrorRetryHandler:
    return AsyncRateLimitErrorRetryHandler(max_retry_count=1)
