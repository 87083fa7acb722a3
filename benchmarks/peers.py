"""The ways in which bots stream an answer on Slack today, each as a small program.

Most post a placeholder and edit it while Claude writes, through Slack's own SDK with
its own handler for rate limits, as people set it up; an edit that fails even so is
lost. They differ in when they edit. One has a stream of Slack's for each answer, and
appends to it each second; what an append that fails should have shown comes with the
next. None receives events: each is given the questions.

`python -m benchmarks.peers` is one of them. It reads a line of JSON with its settings
and prints "ready". Each further line lists questions, which it answers together; then
it prints "ended". It stays until its input ends, so that its use of the processor can
be read.
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


CLOCKS = {
    "a clock of 1 s per reply": clock_per_reply,
    "one clock of 1 s": one_clock,
    "an edit every 20 chunks": every_twenty_pieces,
}
STREAMS = "a stream per reply, each second"
PEERS = (*CLOCKS, STREAMS)

#: The settings of a peer, or a question and where it was asked.
Fields = dict[str, str]


async def run() -> None:
    """Answer what the lines of the input list, until it ends."""
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
