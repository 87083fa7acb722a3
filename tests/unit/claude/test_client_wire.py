"""The bytes of a request and of a stream, as they are and as they may be."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.claude.client import ClaudeModel, client
from bot.claude.request import parameters, sampling_options
from bot.domain.completion import ChatMessage, Report, Request
from bot.errors import ModelCut
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Raw, Search, Start, Step, Stop, Think
from tests.support.claude_harness import ASK, broken, said, text_of

# The request

LONG = replace(
    ASK,
    messages=tuple(
        ChatMessage(("user", "assistant")[nth % 2], f'“{nth}” 🧵\n\\"\u2028\x00/')
        for nth in range(2001)
    ),
)
REQUESTS = {
    "plain": ASK,
    "long": LONG,
    "set": replace(
        ASK,
        user="u_1",
        effort="low",
        stop_sequences=("END", "é"),
        schema='{"type":"object","properties":{},"additionalProperties":false}',
        cache_ttl="5m",
    ),
    "searching": replace(ASK, searches=3),
    "older": replace(ASK, model="claude-sonnet-4-6", temperature=0.2, system=""),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_the_sdk_would_send_the_same(
    claude: ClaudeEmulator, model: ClaudeModel, request_: Request
) -> None:
    await said(model, request_)
    async with (
        client(claude.api_key, claude.base_url, silence=0.8) as opened,
        opened.sdk.messages.stream(
            **parameters(request_), **sampling_options(request_)
        ) as stream,
    ):
        await stream.until_done()
    ours, sdks = claude.requests
    assert ours.body == sdks.body
    told = {
        name: value
        for name, value in sdks.headers.items()
        if "helper" not in name.lower() and name.lower() != "content-length"
    }
    assert told.items() <= dict(ours.headers).items()


async def test_a_prompt_may_be_longer_than_a_megabyte(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    long = "word " * 400_000
    assert await text_of(model, replace(ASK, messages=(ChatMessage("user", long),)))
    assert claude.requests[0].body["messages"][0]["content"] == long


async def test_a_paused_answer_is_handed_back_as_the_sdk_would(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    steps: list[Step] = [
        Think("Hm. ", tokens=3),
        Search("a", [("A", "https://a.example/")], "First. "),
        Raw(event("content_block_start", index=4, content_block={"type": "new"})),
        Stop("pause_turn"),
    ]
    searching = replace(ASK, searches=2)
    claude.script(steps, "Then.", steps)
    await said(model, searching)
    async with (
        client(claude.api_key, claude.base_url, silence=0.8) as opened,
        opened.sdk.messages.stream(**parameters(searching)) as stream,
    ):
        message = await stream.get_final_message()
    handed_back = claude.requests[1].body["messages"][-1]
    assert handed_back == {
        "role": "assistant",
        "content": [block.to_dict() for block in message.content],
    }


# The stream


def event(name: str, **body: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


def delta(index: int = 0, **body: Any) -> bytes:
    return event("content_block_delta", index=index, delta=body)


def words(text: str) -> bytes:
    return delta(type="text_delta", text=text)


TEXT = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
CLOSE = event("content_block_stop", index=0)
END = event(
    "message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5}
)
OVER = event("message_stop")


def streamed(*pieces: bytes) -> Sequence[Step]:
    """Return an answer with one block, whose events are `pieces`."""
    return [Start(), Raw(b"".join((TEXT, *pieces, CLOSE, END, OVER)))]


HARMLESS = {
    "comment": b": hello\n\n",
    "nameless": b"data: nameless\n\n",
    "no data": b"event: content_block_delta\n\n",
    "empty data": b"event: content_block_delta\ndata:\n\n",
    "unknown event": event("weather", index="none", delta=[1]),
    "unknown delta": delta(type="smell_delta", text=7),
    "unknown field": event(
        "content_block_delta", index=0, new=1, delta={"type": "text_delta", "text": ""}
    ),
    "unknown citation": delta(type="citations_delta", citation={"type": "x"}),
    "no citation": delta(type="citations_delta", citation=None),
    "a second start": event(
        "message_start", message={"model": "x", "usage": {"output_tokens": 9}}
    ),
    "unknown block": event(
        "content_block_start", index=1, content_block={"type": "hologram"}
    )
    + delta(1, type="text_delta", text="unseen"),
    "several data lines": b'event: ping\ndata: {"type":\ndata: "ping"}\n\n',
}


@pytest.mark.parametrize("piece", HARMLESS.values(), ids=HARMLESS)
async def test_what_is_unknown_changes_nothing(
    claude: ClaudeEmulator, model: ClaudeModel, piece: bytes
) -> None:
    claude.script(streamed(words("Hel"), piece, words("lo")))
    assert await text_of(model) == "Hello"
    assert len(claude.requests) == 1


async def test_the_end_may_be_reported_in_several_events(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    cited = {"type": "web_search_result_location", "url": "https://a.example/"}
    quote = delta(type="citations_delta", citation=cited)
    more = event("message_delta", delta={}, usage={"output_tokens": 7})
    events = (TEXT, words("So."), quote, CLOSE, END, END, more, OVER)
    claude.script([Start(), Raw(b"".join(events))])
    *pieces, last = await said(model)
    text = "".join(each for each in pieces if isinstance(each, str))
    assert text.count("https://a.example/") == 2  # The address is the title, too.
    assert isinstance(last, Report)
    assert (last.stop_reason, last.usage.output) == ("end_turn", 7)


CUTTING = {
    "JSON": b"event: content_block_delta\ndata: {broken\n\n",
    "UTF-8": words("x").replace(b'"x"', b'"\xff"'),
    "no object": b"event: content_block_delta\ndata: []\n\n",
    "no text": delta(type="text_delta"),
    "no such block": delta(9, type="text_delta", text="x"),
    "no index": event("content_block_delta", delta={"type": "text_delta", "text": "x"}),
    "no usage": event("message_delta", delta={"stop_reason": "end_turn"}),
    "an error": event("error", error={"type": "overloaded_error", "message": "M"}),
    "no JSON in an error": b"event: error\ndata: oops\n\n",
    "nothing in an error": b"event: error\ndata\n\n",
}


@pytest.mark.parametrize("piece", CUTTING.values(), ids=CUTTING)
async def test_what_is_malformed_cuts_the_answer(
    claude: ClaudeEmulator, model: ClaudeModel, piece: bytes
) -> None:
    claude.script(streamed(words("Hel"), piece, words("lo")))
    text, error = await broken(model)
    assert (text, type(error)) == ("Hel", ModelCut)
    assert len(claude.requests) == 1


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
async def test_lines_may_end_otherwise(
    claude: ClaudeEmulator, model: ClaudeModel, end: bytes
) -> None:
    start, raw = streamed(words("Hel"), words("lo"))
    assert isinstance(raw, Raw)
    claude.script([start, Raw(raw.content.replace(b"\n", end))])
    assert await text_of(model) == "Hello"


async def test_a_character_may_be_split_between_deltas(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(streamed(words("a\ud83e"), words("\uddf5b")))
    assert await text_of(model) == "a\ud83e\uddf5b"


async def test_ten_thousand_empty_deltas_say_nothing(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(streamed(*[words("")] * 10_000, words("Hello")))
    first, text, last = await said(model)
    assert text == "Hello"
    assert isinstance(first, Report)
    assert isinstance(last, Report)


async def test_an_event_may_be_a_megabyte(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    long = "word " * 200_000
    claude.script(streamed(words(long)))
    assert await text_of(model) == long


async def test_totals_that_are_not_told_again_stay(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    usage = {
        "input_tokens": 7,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 10},
        "output_tokens": 1,
        "inference_geo": "us",
        "service_tier": "standard",
    }
    start = event("message_start", message={"model": ASK.model, "usage": usage})
    told = event("message_delta", delta={}, usage={"output_tokens": 3})
    more = {"output_tokens": 9, "input_tokens": 8, "cache_read_input_tokens": None}
    last = event("message_delta", delta={"stop_reason": "end_turn"}, usage=more)
    parts = (start, TEXT, words("Hi"), CLOSE, told, last, OVER)
    claude.script(Raw(b"".join(parts)))
    *_, report = await said(model)
    assert isinstance(report, Report)
    used = report.usage
    assert (used.input, used.output) == (8, 9)
    assert (used.cache_write_5m, used.cache_write_1h, used.cache_read) == (10, 20, 5)
    assert report.calls is not None
    assert report.calls[0].share > 1
