"""Requests to Claude through the real SDK, and the stream of the answer."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import httpx2
import pytest

from bot.claude.client import ClaudeModel
from bot.claude.stream import _chunks
from bot.domain.completion import Call, ChatMessage, Report, Usage
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    PING,
    Abort,
    Error,
    Event,
    Hold,
    Pause,
    Raw,
    Stall,
    Start,
    Step,
    Stop,
    Think,
)
from tests.support.claude_harness import (
    ASK,
    said,
    text_of,
)

# What is asked, and what comes back


async def test_the_request_is_the_prompt_and_the_two_breakpoints(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    conversation = (
        ChatMessage("user", "one"),
        ChatMessage("assistant", "two"),
        ChatMessage("user", "three"),
    )
    request = replace(ASK, messages=conversation, user="u_1", effort="low")
    await said(model, request)
    hour = {"type": "ephemeral", "ttl": "1h"}
    assert claude.requests[0].body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "stream": True,
        "cache_control": hour,
        "system": [{"type": "text", "text": "You are kind.", "cache_control": hour}],
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "metadata": {"user_id": "u_1"},
        "output_config": {"effort": "low"},
    }


async def test_what_was_not_given_is_not_sent(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    await said(model, replace(ASK, system=""))
    assert set(claude.requests[0].body) == {
        "model",
        "max_tokens",
        "stream",
        "cache_control",
        "messages",
    }


async def test_text_comes_between_a_first_and_a_last_report(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(["Hel", "lo"])
    first, *texts, last = await said(model)
    asked = 4 + 10  # characters over four: the system prompt, then what was said
    names, used = ("claude-sonnet-5-5",), Usage(asked, output=2)
    # Of an answer that has only begun, all that it may write may be billed.
    begun = Call(names, Usage(asked, output=ASK.max_tokens))
    assert first == Report(*names, "req_000001", Usage(asked, output=1), calls=(begun,))
    # What came together is one piece.
    assert "".join(map(str, texts)) == "Hello"
    whole = (Call(names, used, exact=True),)
    assert last == Report(*names, "req_000001", used, "end_turn", whole)


async def test_thinking_and_pings_are_not_shown(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script([PING, Think("Hm.", tokens=7), PING, "Yes", PING, "."])
    *_, last = pieces = await said(model)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "Yes."
    assert isinstance(last, Report)
    assert last.usage.output == 7 + 1  # thinking is billed as output


async def test_a_long_silence_with_pings_is_none(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    # Together longer than a stream of `model` may be silent.
    silence: list[Step] = [PING, Pause(0.3)] * 3
    claude.script([*silence, "Paris."])
    assert await text_of(model) == "Paris."
    assert len(claude.requests) == 1


UNKNOWN = [
    Event("weather", {"type": "weather", "sun": True}),
    Event("content_block_delta", {
        "type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta"},
    }),
    Event("content_block_delta", {
        "type": "content_block_delta", "index": 0,
        "delta": {"type": "citations_delta", "citation": {"type": "x"}},
    }),
    Raw(b": a comment\n\n"),
    Raw(b"data: nameless\n\n"),
    Raw(b"event: empty\n\n"),
]  # fmt: skip


@pytest.mark.parametrize("event", UNKNOWN, ids=str)
async def test_events_from_the_future_are_passed_over(
    claude: ClaudeEmulator, model: ClaudeModel, event: Step
) -> None:
    claude.script(["Hel", event, "lo"])
    assert await text_of(model) == "Hello"
    assert len(claude.requests) == 1


async def test_an_event_from_the_future_may_come_first(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script([Event("weather", {"type": "weather"}), "Hello"])
    assert await text_of(model) == "Hello"


async def test_a_chunk_may_be_as_long_as_it_likes(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    long = "word and “ünïcode” 🧵\n" * 20_000
    claude.script(long)
    assert await text_of(model, replace(ASK, max_tokens=128_000)) == long


@pytest.mark.parametrize(
    ("steps", "text", "reason"),
    [
        ([Stop("refusal", {"type": "refusal", "category": "cyber"})], "", "refusal"),
        (["Well, ", Stop("refusal")], "Well, ", "refusal"),
        (["Half a", Stop("max_tokens")], "Half a", "max_tokens"),
        ([Think(), Stop("max_tokens")], "", "max_tokens"),
        ([Think(), ""], "", "end_turn"),
        (["So", Stop("model_context_window_exceeded")], "So",
         "model_context_window_exceeded"),
        (["So", Stop("a_reason_of_next_year")], "So", "a_reason_of_next_year"),
    ],
)  # fmt: skip
async def test_an_answer_says_how_it_ended(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    steps: Sequence[Step],
    text: str,
    reason: str,
) -> None:
    claude.script(steps)
    *_, last = pieces = await said(model)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == text
    assert isinstance(last, Report)
    assert last.stop_reason == reason


async def test_max_tokens_bounds_the_answer(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script("four" * 10)
    *_, text, last = await said(model, replace(ASK, max_tokens=3))
    assert text == "four" * 3
    assert isinstance(last, Report)
    assert last.stop_reason == "max_tokens"


@pytest.mark.parametrize("end", [Abort(), Stall(), Error()], ids=str)
async def test_what_breaks_after_the_end_breaks_nothing(
    claude: ClaudeEmulator, model: ClaudeModel, end: Step
) -> None:
    claude.script(["Whole.", Stop(), end])
    assert await text_of(model) == "Whole."


async def test_answers_share_one_connection(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    for _ in range(5):
        await said(model)
    assert claude.connections == 1


# Hanging up


async def test_closing_the_answer_hangs_up(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(["One", Hold(asyncio.Event())])
    async with aclosing(model.answer(ASK)) as pieces:
        async for piece in pieces:
            if piece == "One":
                break
    await claude.until(lambda: claude.disconnects == 1)


@pytest.mark.parametrize("steps", [[], [Start()], ["One"]], ids=str)
async def test_cancelling_hangs_up(
    claude: ClaudeEmulator, model: ClaudeModel, steps: list[Step]
) -> None:
    claude.script([*steps, Hold(asyncio.Event())])
    task = asyncio.create_task(said(model))
    await claude.until(lambda: len(claude.requests) == 1)
    if steps == ["One"]:
        await claude.until(lambda: claude.sent[0] != [])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await claude.until(lambda: claude.disconnects == 1)
    assert await text_of(model) != ""


# What caching is worth


async def test_every_turn_of_a_growing_thread_reads_what_the_last_one_wrote(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    thread: tuple[ChatMessage, ...] = ()
    usages: list[Usage] = []
    for turn in range(20):
        thread += (ChatMessage("user", f"Question {turn}. " + "More words. " * 30),)
        claude.script(f"Answer {turn}. " + "Other words. " * 40)
        pieces = await said(model, replace(ASK, messages=thread))
        answer = "".join(piece for piece in pieces if isinstance(piece, str))
        thread += (ChatMessage("assistant", answer),)
        last = pieces[-1]
        assert isinstance(last, Report)
        usages.append(last.usage)
    # Sonnet 5.5 caches nothing below 512 tokens, and says nothing about it.
    small = [usage for usage in usages if usage.prompt < 512]
    written, *warm = usages[len(small) :]
    assert 0 < len(small) < 5
    assert all(usage.cache_read == usage.cache_write_1h == 0 for usage in small)
    assert (written.cache_read, written.input) == (0, 0)
    for before, usage in zip([written, *warm], warm, strict=False):
        assert usage.cache_read == before.prompt
        assert usage.input == usage.cache_write_5m == 0


async def test_a_long_thread_that_was_sent_is_not_kept(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    text, more = "a long thread " * 200_000, asyncio.Event()
    request = replace(ASK, messages=(ChatMessage("user", text),))
    claude.script(["Yes", Hold(more), "."])
    tracemalloc.start()
    try:
        async with aclosing(model.answer(request)) as pieces:
            while await anext(pieces) != "Yes":
                pass
            # The emulator, which is in this process, reads it as well.
            sizes = [
                stat.size
                for stat in tracemalloc.take_snapshot().statistics("filename")
                if "/bot/" in stat.traceback[0].filename
            ]
    finally:
        tracemalloc.stop()
        more.set()
    assert sum(sizes) < len(text) // 4


async def test_an_answer_that_comes_encoded_is_decoded() -> None:
    async def encoded() -> AsyncGenerator[bytes, None]:
        yield gzip.compress(b"data: one")

    headers = {"content-encoding": "gzip"}
    for response, read in (
        (httpx2.Response(200, headers=headers, content=encoded()), b"data: one"),
        (httpx2.Response(200, content=encoded()), gzip.compress(b"data: one")),
    ):
        found = b"".join([chunk async for chunk in _chunks(response)])
        assert found == read
