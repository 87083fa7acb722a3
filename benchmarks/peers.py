"""The methods by which bots stream an answer on Slack today, as small programs.

Most post a placeholder and edit it while Claude writes, through Slack's SDK with its
handler for rate limits, as is usual. An edit that fails anyway is lost. They differ in
the times of their edits. One uses a native Slack stream for each answer and appends to
it every second; the text of a failed append is sent with the next one. None receives
events: the questions are passed to each.

`python -m benchmarks.peers` runs one of them. It reads a line of JSON with its settings
and prints "ready". Each further line lists questions, which it answers concurrently;
then it prints "ended". It runs until its input ends, so that its CPU time can be read.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from anthropic import AsyncAnthropic
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.watching import MORE

PLACEHOLDER = "_Thinking…_"
MODEL = "claude-sonnet-5-5"

#: Returns whether to edit now, given the number of pieces received.
Due = Callable[[int], bool]


def clock_per_reply() -> Callable[[], Due]:
    """Return a factory of clocks: one edit of each reply per second."""

    def begin() -> Due:
        return _every_second()

    return begin


def one_clock() -> Callable[[], Due]:
    """Return a factory of one shared clock: one edit per second, of the first reply
    due."""
    shared = _every_second()
    return lambda: shared


def every_twenty_pieces() -> Callable[[], Due]:
    """Return a factory without a clock: one edit per twenty pieces."""
    return lambda: lambda pieces: pieces % 20 == 0


CLOCKS = {
    "a clock of 1 s per reply": clock_per_reply,
    "one clock of 1 s": one_clock,
    "an edit every 20 chunks": every_twenty_pieces,
}
STREAMS = "a stream per reply, each second"
PEERS = (*CLOCKS, STREAMS)

#: The settings of a peer, or a question and its place.
Fields = dict[str, str]


async def run() -> None:
    """Answer the questions of each line of the input, until it ends."""
    settings: Fields = json.loads(sys.stdin.readline())
    web = AsyncWebClient(
        token=settings["token"], base_url=settings["slack"], retry_handlers=[_patient()]
    )
    async with AsyncAnthropic(
        api_key=settings["key"], base_url=settings["claude"], max_retries=0
    ) as model:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            clock = CLOCKS.get(settings["method"])
            due = clock() if clock else None
            await asyncio.gather(
                *(
                    _answer(web, model, each, due())
                    if due
                    else _stream(web, model, each)
                    for each in json.loads(line)
                )
            )
            print("ended", flush=True)


async def _answer(
    web: AsyncWebClient, model: AsyncAnthropic, asked: Fields, due: Due
) -> None:
    channel, posted = asked["channel"], None
    with contextlib.suppress(SlackApiError):
        posted = await web.chat_postMessage(
            channel=channel, thread_ts=asked["thread"], text=PLACEHOLDER
        )
    text, pieces = "", 0
    async with _asked(model, asked) as stream:
        async for piece in stream.text_stream:
            text, pieces = text + piece, pieces + 1
            if posted and due(pieces):
                await _edit(web, channel, str(posted["ts"]), text + MORE)
    if posted:
        await _edit(web, channel, str(posted["ts"]), text)


async def _stream(web: AsyncWebClient, model: AsyncAnthropic, asked: Fields) -> None:
    channel, started = asked["channel"], None
    with contextlib.suppress(SlackApiError):
        started = await web.chat_startStream(
            channel=channel,
            thread_ts=asked["thread"],
            recipient_team_id=asked["team"],
            recipient_user_id=asked["user"],
        )
    left, due = "", _every_second()
    async with _asked(model, asked) as stream:
        async for piece in stream.text_stream:
            left += piece
            if started and due(0):
                with contextlib.suppress(SlackApiError):
                    sent = left
                    await web.chat_appendStream(
                        channel=channel, ts=str(started["ts"]), markdown_text=sent
                    )
                    left = left[len(sent) :]
    if started:
        with contextlib.suppress(SlackApiError):
            await web.chat_stopStream(
                channel=channel, ts=str(started["ts"]), markdown_text=left or None
            )


def _asked(model: AsyncAnthropic, asked: Fields) -> Any:
    return model.messages.stream(
        model=MODEL,
        max_tokens=4096,
        messages=[{"role": "user", "content": asked["text"]}],
    )


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


if __name__ == "__main__":
    asyncio.run(run())
