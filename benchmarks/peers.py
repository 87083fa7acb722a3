"""The ways in which bots stream an answer on Slack today, each as a small program.

Most post a placeholder and edit it while Claude writes, through Slack's own SDK with
its own handler for rate limits, as people set it up; an edit that fails even so is
lost. They differ in when they edit. One has a stream of Slack's for each answer, and
appends to it each second; what an append that fails should have shown comes with the
next. They are told what was asked, and hear nothing.

`python -m benchmarks.peers` is one of them: it reads a line of JSON with what it is to
know, says that it is ready, answers what the next line names, says when it has ended,
and stays until its input ends, so that what it used can be looked at.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from anthropic import AsyncAnthropic
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.watching import MORE, question

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

#: What a peer is told of a question, and of the bot.
Told = dict[str, str]


async def answer_all(told: Told, asked: Callable[[], Awaitable[list[Told]]]) -> None:
    """Answer what `asked` returns, in the way that `told` names."""
    web = AsyncWebClient(
        token=told["token"], base_url=told["slack"], retry_handlers=[_patient()]
    )
    async with AsyncAnthropic(
        api_key=told["key"], base_url=told["claude"], max_retries=0
    ) as model:
        questions = await asked()
        clock = CLOCKS.get(told["method"])
        due = clock() if clock else None
        await asyncio.gather(
            *(
                _answer(web, model, each, nth, due())
                if due
                else _stream(web, model, each, nth)
                for nth, each in enumerate(questions)
            )
        )


async def _answer(
    web: AsyncWebClient, model: AsyncAnthropic, asked: Told, nth: int, due: Due
) -> None:
    channel, posted = asked["channel"], None
    with contextlib.suppress(SlackApiError):
        posted = await web.chat_postMessage(
            channel=channel, thread_ts=asked["thread"], text=PLACEHOLDER
        )
    text, pieces = "", 0
    async with _asked(model, nth) as stream:
        async for piece in stream.text_stream:
            text, pieces = text + piece, pieces + 1
            if posted and due(pieces):
                await _edit(web, channel, str(posted["ts"]), text + MORE)
    if posted:
        await _edit(web, channel, str(posted["ts"]), text)


async def _stream(
    web: AsyncWebClient, model: AsyncAnthropic, asked: Told, nth: int
) -> None:
    channel, started = asked["channel"], None
    with contextlib.suppress(SlackApiError):
        started = await web.chat_startStream(
            channel=channel,
            thread_ts=asked["thread"],
            recipient_team_id=asked["team"],
            recipient_user_id=asked["user"],
        )
    left, due = "", _every_second()
    async with _asked(model, nth) as stream:
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


def _asked(model: AsyncAnthropic, nth: int) -> Any:
    return model.messages.stream(
        model=MODEL,
        max_tokens=4096,
        messages=[{"role": "user", "content": question(nth)}],
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


def main() -> None:
    """Be the peer that the first line of the input describes."""
    told = json.loads(sys.stdin.readline())

    async def asked() -> list[Told]:
        print("ready", flush=True)
        found: list[Told] = json.loads(await asyncio.to_thread(sys.stdin.readline))
        return found

    asyncio.run(answer_all(told, asked))
    print("ended", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
