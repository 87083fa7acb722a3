"""Structured outputs and limits of the emulator, used through the real SDK."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import anthropic
import pydantic
import pytest

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.limits import RateLimits
from tests.emulators.claude.prompt import PrefixCache
from tests.emulators.claude.reply import Fail, Hold
from tests.emulators.claude.schema import bad_format
from tests.emulators.claude.sorting import sorted_by_words

ASK: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello there"}],
}
TEXT: dict[str, Any] = {"type": "string"}


def sealed(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMA = sealed(
    category={"type": "string", "enum": ["bug", "feature", "billing", "how_to"]},
    priority={"type": "string", "enum": ["critical", "high", "medium", "low"]},
    summary=TEXT,
)


def formatted(schema: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": schema}}


def client_of(claude: ClaudeEmulator) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key=claude.api_key, base_url=claude.base_url, max_retries=0
    )


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        yield emulator


@pytest.fixture
async def api(claude: ClaudeEmulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with client_of(claude) as client:
        yield client


# Schemas


REFUSED = (
    ({"type": "object", "properties": {"a": TEXT}}, "additionalProperties"),
    (sealed(a={"type": "object", "properties": {}}), "additionalProperties"),
    (sealed(a={"type": "array", "items": {"type": "object"}}), "additional"),
    (sealed(a={"type": "integer", "minimum": 0}), "minimum"),
    (sealed(a={"type": "integer", "maximum": 9}), "maximum"),
    (sealed(a={"type": "number", "exclusiveMinimum": 0}), "exclusiveMinimum"),
    (sealed(a={"type": "number", "exclusiveMaximum": 9}), "exclusiveMaximum"),
    (sealed(a={"type": "number", "multipleOf": 2}), "multipleOf"),
    (sealed(a={"type": "string", "minLength": 1}), "minLength"),
    (sealed(a={"anyOf": [TEXT | {"maxLength": 9}]}), "maxLength"),
    (sealed(a={"type": "string", "pattern": "a+"}), "pattern"),
    (sealed(a={"type": "array", "items": TEXT, "minItems": 2}), "minItems"),
    (sealed(a={"type": "array", "items": TEXT, "maxItems": 2}), "maxItems"),
    (sealed(a={"$ref": "#"}), "Recursive"),
    (
        sealed(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": {"$ref": "#/$defs/B"}}},
        "Recursive",
    ),
    (
        sealed(a={"$ref": "#/$defs/B"})
        | {"$defs": {"B": sealed(c={"$ref": "#/$defs/B"})}},
        "Recursive",
    ),
    (
        sealed(a={"$ref": "#/$defs/B"})
        | {"$defs": {"B": {"$ref": "#/$defs/C"}, "C": {"$ref": "#/$defs/B"}}},
        "Recursive",
    ),
    (sealed(a={"$ref": "#/$defs/B"}), "nowhere"),
    (sealed(**{f"a{n}": TEXT for n in range(25)}) | {"required": []}, "25 opt"),
    (sealed(**{f"a{n}": {"type": ["string", "null"]} for n in range(17)}), "17 un"),
    ("object", "dictionary"),
)


async def test_refuses_schemas_that_the_api_refuses(
    api: anthropic.AsyncAnthropic,
) -> None:
    for schema, word in REFUSED:
        config: Any = formatted(schema)
        with pytest.raises(anthropic.BadRequestError, match=word) as caught:
            await api.messages.create(**ASK, output_config=config)
        assert caught.value.type == "invalid_request_error", word
        with pytest.raises(anthropic.BadRequestError, match=word):
            await api.messages.count_tokens(
                model=ASK["model"], messages=ASK["messages"], output_config=config
            )


def test_takes_what_it_can_keep_to() -> None:
    many = sealed(**{f"a{n}": TEXT for n in range(24)}) | {"required": []}
    shared = sealed(a={"$ref": "#/$defs/B"}, b={"$ref": "#/$defs/B"})
    shared["$defs"] = {"B": sealed(c=TEXT)}
    few = sealed(a={"type": "array", "items": TEXT, "minItems": 1})
    for schema in (SCHEMA, many, shared, few):
        assert bad_format(formatted(schema)["format"]) is None
    for wrong in ("json", {"type": "json"}, {"type": "json_schema"}):
        assert bad_format(wrong)


async def test_a_schema_adds_tokens(api: anthropic.AsyncAnthropic) -> None:
    model, messages = ASK["model"], ASK["messages"]
    bare = await api.messages.count_tokens(model=model, messages=messages)
    config: Any = formatted(SCHEMA)
    more = await api.messages.count_tokens(
        model=model, messages=messages, output_config=config
    )
    assert more.input_tokens > bare.input_tokens + 50


class Ticket(pydantic.BaseModel):
    category: Literal["bug", "feature", "billing", "how_to"]
    mood: Literal["calm", "angry"] | None
    length: int = pydantic.Field(ge=0)
    tags: list[str]
    urgent: bool


async def test_answers_what_fits_the_schema(api: anthropic.AsyncAnthropic) -> None:
    said = "<ticket>\nThe export fails with an error. I am angry!\n</ticket>"
    asked = ASK | {"messages": [{"role": "user", "content": said}]}
    found = (await api.messages.parse(**asked, output_format=Ticket)).parsed_output
    assert found == Ticket(
        category="bug", mood="angry", length=0, tags=[], urgent=False
    )


async def test_a_script_comes_before_what_fits(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    claude.script("{}")
    config: Any = formatted(SCHEMA)
    answers = [await api.messages.create(**ASK, output_config=config) for _ in range(2)]
    texts = [json.loads(answer.content[0].to_dict()["text"]) for answer in answers]
    assert texts[0] == {}
    assert set(texts[1]) == {"category", "priority", "summary"}


async def test_a_batch_checks_schemas_too(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    configs = (formatted(SCHEMA), formatted({"type": "object"}))
    asked: Any = [
        {"custom_id": str(nth), "params": ASK | {"output_config": config}}
        for nth, config in enumerate(configs)
    ]
    batch = await api.messages.batches.create(requests=asked)
    results = await api.messages.batches.results(batch.id)
    types = {each.custom_id: each.result.type async for each in results}
    assert types == {"0": "succeeded", "1": "errored"}


@pytest.mark.parametrize(
    ("text", "category", "priority"),
    [
        ("Nobody can sign in: error 500.", "bug", "critical"),
        ("Please refund me today, I was charged twice", "billing", "high"),
        ("Ihr habt mir zweimal 49 € abgebucht, bitte Rückzahlung", "billing", "high"),
        ("Es wäre schön, irgendwann einen Dark Mode zu haben", "feature", "low"),
        ("L'application plante parfois", "bug", "medium"),
        ("¿Cómo añado un colega? Gracias", "how_to", "low"),
        ("至急、請求書を送ってください", "billing", "high"),
    ],
)
def test_sorts_by_words(text: str, category: str, priority: str) -> None:
    asked = {"role": "user", "content": f"<ticket>\n{text}\n</ticket>"}
    body = {"messages": [asked], "output_config": formatted(SCHEMA)}
    found = json.loads(sorted_by_words(body))
    assert (found["category"], found["priority"]) == (category, priority)
    assert text.startswith(found["summary"])


def test_other_values_are_chosen_by_their_name_or_always_the_same() -> None:
    schema = sealed(team={"enum": ["red", "blue_sky", "green"]})
    for text, team in (("In the Blue Sky", "blue_sky"), ("To GREEN", "green")):
        body = ASK | {
            "messages": [{"role": "user", "content": text}],
            "output_config": formatted(schema),
        }
        assert json.loads(sorted_by_words(body)) == {"team": team}
    teams = set()
    for nth in range(30):
        body = ASK | {
            "messages": [{"role": "user", "content": f"no {nth}"}],
            "output_config": formatted(schema),
        }
        assert sorted_by_words(body) == sorted_by_words(body)
        teams.add(sorted_by_words(body))
    assert len(teams) == 3


# Limits and memory


class Time:
    """A clock that advances only when a caller sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_says_nothing_of_limits_that_are_not_there(
    api: anthropic.AsyncAnthropic,
) -> None:
    raw = await api.messages.with_raw_response.create(**ASK)
    assert not [name for name in raw.headers if "ratelimit" in name]


async def test_limits_requests_and_says_how_many_are_left() -> None:
    time = Time()
    async with (
        ClaudeEmulator(
            clock=time.clock, limits=RateLimits(2, 10_000, 10_000)
        ) as claude,
        client_of(claude) as api,
    ):
        claude.epoch = start = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
        raw = await api.messages.with_raw_response.create(**ASK)
        prefix = "anthropic-ratelimit"
        assert raw.headers[f"{prefix}-requests-limit"] == "2"
        assert raw.headers[f"{prefix}-requests-remaining"] == "1"
        reset = datetime.fromisoformat(raw.headers[f"{prefix}-requests-reset"])
        assert reset == datetime.fromtimestamp(start, UTC) + timedelta(seconds=30)
        assert raw.headers[f"{prefix}-input-tokens-remaining"] == "9997"
        assert raw.headers[f"{prefix}-output-tokens-remaining"] == "9994"
        async with api.messages.stream(**ASK) as stream:
            assert stream.response.headers[f"{prefix}-requests-remaining"] == "0"
            assert await stream.get_final_text()
        time.now = 9.5
        claude.script("kept")
        with pytest.raises(anthropic.RateLimitError) as caught:
            await api.messages.create(**ASK)
        assert caught.value.type == "rate_limit_error"
        assert caught.value.response.headers["retry-after"] == "21"
        assert claude.throttled == 1
        time.now = 30.0
        answer = await api.messages.create(**ASK)
        assert answer.content[0].to_dict()["text"] == "kept"
        # Another model has its own limits.
        await api.messages.create(**ASK | {"model": "claude-sonnet-5-5"})
        # Refusals and failures have the headers too.
        time.now = 90.0
        claude.script(Fail(529))
        for bad in ({}, {"max_tokens": 0}):
            with pytest.raises(anthropic.APIStatusError) as told:
                await api.messages.create(**ASK | bad)
            assert told.value.response.headers[f"{prefix}-requests-remaining"] == "1"


async def test_limits_input_that_is_not_cached() -> None:
    time = Time()
    system = [
        {"type": "text", "text": "x" * 4000, "cache_control": {"type": "ephemeral"}}
    ]
    async with (
        ClaudeEmulator(clock=time.clock, limits=RateLimits(99, 1200, 9999)) as claude,
        client_of(claude) as api,
    ):
        asked = ASK | {"system": system}
        for _ in range(5):
            await api.messages.create(**asked)
        with pytest.raises(anthropic.RateLimitError) as caught:
            await api.messages.create(**ASK | {"system": "y" * 2000})
        # 503 tokens are needed, 185 are left, and 20 are refilled per second.
        assert caught.value.response.headers["retry-after"] == "16"
        time.now = 16.0
        await api.messages.create(**ASK | {"system": "y" * 2000})


async def test_limits_output_after_it_was_said() -> None:
    time = Time()
    async with (
        ClaudeEmulator(clock=time.clock, limits=RateLimits(99, 9999, 60)) as claude,
        client_of(claude) as api,
    ):
        claude.script("four" * 70)
        raw = await api.messages.with_raw_response.create(**ASK)
        assert raw.headers["anthropic-ratelimit-output-tokens-remaining"] == "0"
        with pytest.raises(anthropic.RateLimitError) as caught:
            await api.messages.create(**ASK)
        assert caught.value.response.headers["retry-after"] == "11"
        time.now = 11.0
        await api.messages.create(**ASK)


async def test_waits_before_an_answer_that_is_not_streamed() -> None:
    time = Time()
    async with (
        ClaudeEmulator(clock=time.clock, sleep=time.sleep) as claude,
        client_of(claude) as api,
    ):
        claude.latency = 1.5
        await api.messages.create(**ASK)
        assert time.now == 1.5
        async with api.messages.stream(**ASK) as stream:
            await stream.get_final_text()
        assert time.now == 1.5


async def test_calls_that_wait_do_not_confuse_their_ids() -> None:
    async with ClaudeEmulator() as claude, client_of(claude) as api:
        go = asyncio.Event()
        claude.script([Hold(go), "a"], [Hold(go), "b"])
        calls = [asyncio.create_task(api.messages.create(**ASK)) for _ in range(2)]
        await claude.until(lambda: len(claude.requests) == 2)
        go.set()
        ids = {answer.id for answer in await asyncio.gather(*calls)}
        assert ids == {"msg_000001", "msg_000002"}


async def test_pings_while_it_is_held() -> None:
    async with ClaudeEmulator() as claude, client_of(claude) as api:
        go, lines = asyncio.Event(), list[str]()
        claude.script([Hold(go, pings=0.01), "a"])
        streaming = api.messages.with_streaming_response
        async with streaming.create(**ASK, stream=True) as response:
            async for line in response.iter_lines():
                lines.append(line)
                if line == "event: ping":
                    go.set()
        assert lines[0] == "event: ping"
        assert "event: message_stop" in lines


async def test_remembers_only_the_newest_request_when_told_so() -> None:
    async with ClaudeEmulator(remember=False) as claude, client_of(claude) as api:
        for _ in range(3):
            answer = await api.messages.create(**ASK)
        assert answer.id == "msg_000003"
        assert len(claude.requests) == 1


def test_the_cache_does_not_grow_with_messages_that_are_not_cached() -> None:
    cache = PrefixCache()
    system = [
        {"type": "text", "text": "x" * 4000, "cache_control": {"type": "ephemeral"}}
    ]
    for nth in range(50):
        said = [{"role": "user", "content": f"ticket {nth}"}]
        cache.write(ASK | {"system": system, "messages": said}, 0.0)
    assert len(cache._entries) == 1
