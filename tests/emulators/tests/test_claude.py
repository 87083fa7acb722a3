"""The emulator of the Messages API enforces the rules of the API."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pypdf
import pytest

from bot.domain.completion import Usage
from tests.emulators.claude import prompt as api_prompt
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.prompt import Body, PrefixCache, refusal
from tests.emulators.claude.reply import Abort, Cite, End, Fail, Pause, Stop, Think

HOUR: Body = {"type": "ephemeral", "ttl": "1h"}
SHORT: Body = {"type": "ephemeral", "ttl": "5m"}
ASK: Body = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello there"}],
}


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        yield emulator


@pytest.fixture
async def http(claude: ClaudeEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {
        "authorization": f"Bearer {claude.api_key}",
        "anthropic-version": "2026-10-21",
    }
    async with aiohttp.ClientSession(claude.base_url, headers=headers) as session:
        yield session


async def post(
    http: aiohttp.ClientSession, body: Any, path: str = "/v1/messages"
) -> tuple[int, Any]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json()


async def events(http: aiohttp.ClientSession, body: Body) -> list[Body]:
    async with http.post("/v1/messages", json=body | {"stream": True}) as response:
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        found = []
        for event in (await response.text()).split("\n\n")[:-1]:
            name, data = event.split("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
        return found


# Refusals


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"model": "claude-novel-9"}, 404, "claude-novel-9"),
        ({"model": None}, 404, "None"),
        ({"temperature": 0.2}, 400, "temperature: Extra inputs are not permitted"),
        ({"top_p": 1}, 400, "top_p: Extra"),
        ({"top_k": 1}, 400, "top_k: Extra"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": "many"}, 400, "max_tokens"),
        ({"max_tokens": 128_001}, 400, "128000"),
        ({"output_config": {"effort": "heroic"}}, 400, "effort"),
        ({"model": "claude-haiku-4-5", "output_config": {"effort": "low"}}, 400,
         "effort"),
        ({"messages": []}, 400, "at least one"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "first message"),
        ({"messages": [{"role": "user", "content": "x"},
                       {"role": "assistant", "content": "y"}]}, 400, "prefill"),
        ({"messages": [{"role": "user", "content": "x"},
                       {"role": "judge", "content": "y"}]}, 400, "messages.1.role"),
        ({"messages": [{"role": "user", "content": ""}]}, 400, "messages.0"),
        ({"messages": [{"role": "user", "content": " \n"}]}, 400, "non-whitespace"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
         400, "non-empty"),
        ({"system": [{"type": "text", "text": ""}]}, 400, "non-empty"),
        ({"system": [{"type": "text", "text": "", "cache_control": HOUR}]}, 400,
         "cache_control"),
        ({"cache_control": {"type": "forever"}}, 400, "ephemeral"),
        ({"cache_control": {"type": "ephemeral", "ttl": "1d"}}, 400, "1h"),
        ({"system": [{"type": "text", "text": "x", "cache_control": HOUR}] * 4,
          "cache_control": HOUR}, 400, "maximum of 4"),
        ({"system": [{"type": "text", "text": "x", "cache_control": SHORT}],
          "cache_control": HOUR}, 400, "must not come after"),
        ({"model": "claude-haiku-4-5",
          "messages": [{"role": "user", "content": "word " * 160_004}]}, 400,
         "prompt is too long: 200005 tokens > 200000 maximum"),
    ],
)  # fmt: skip
async def test_refuses_what_the_api_refuses(
    claude: ClaudeEmulator,
    http: aiohttp.ClientSession,
    change: Body,
    status: int,
    word: str,
) -> None:
    claude.script("still there")
    told, body = await post(http, ASK | change)
    assert told == status
    assert body["type"] == "error"
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    assert body["error"]["type"] == kind
    assert word in body["error"]["message"]
    assert body["request_id"] == "req_000001"
    _, answer = await post(http, ASK)
    assert answer["content"][0]["text"] == "still there"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer nobody"}, 401),
        ({"authorization": "", "x-api-key": "sk-ant-emulator"}, 401),
        ({"anthropic-version": "2022-01-01"}, 400),
    ],
)
async def test_refuses_strangers_and_old_versions(
    http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        async with http.post(path, json=ASK, headers=headers) as response:
            assert response.status == status
    for path in ("/v1/models", "/v1/models/claude-sonnet-5-5"):
        async with http.get(path, headers=headers) as response:
            assert response.status == status


async def test_what_is_not_json_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/messages", data=b"{") as response:
        assert response.status == 400


def test_refuses_more_than_a_hundred_thousand_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert api_prompt.MOST_MESSAGES == 100_000
    monkeypatch.setattr(api_prompt, "MOST_MESSAGES", 100)
    one = {"role": "user", "content": "x"}
    assert refusal(ASK | {"messages": [one] * 100}) is None
    told = refusal(ASK | {"messages": [one] * 101})
    assert told == (400, "messages: at most 100 items are allowed")


async def test_takes_several_people_in_a_row_and_prefill_where_it_is_old(
    http: aiohttp.ClientSession,
) -> None:
    people = [{"role": "user", "content": name} for name in ("Ann", "Bob")]
    assert (await post(http, ASK | {"messages": people}))[0] == 200
    prefill = [*people, {"role": "assistant", "content": "So"}]
    old = {"model": "claude-haiku-4-5", "messages": prefill}
    assert (await post(http, ASK | old))[0] == 200


# Answers


async def test_answers_at_once_without_stream(http: aiohttp.ClientSession) -> None:
    status, message = await post(http, ASK)
    assert status == 200
    assert message["content"] == [{"type": "text", "text": "You said: Hello there"}]
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["input_tokens"] == 3
    assert message["usage"]["output_tokens"] == 6


async def test_streams_the_events_of_the_api_in_order(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    claude.script([Think("Hm"), "Hel", "lo", Stop("refusal", {"type": "refusal"})])
    found = await events(http, ASK)
    assert [event["type"].removeprefix("content_block_") for event in found] == [
        "message_start",
        *("start", "delta", "delta", "stop"),
        *("start", "delta", "delta", "stop"),
        "message_delta",
        "message_stop",
    ]
    assert [event["index"] for event in found[1:9]] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found[0]["message"]["stop_reason"] is None
    assert found[-2]["delta"]["stop_reason"] == "refusal"
    assert found[-2]["delta"]["stop_details"] == {"type": "refusal"}
    assert found[-2]["usage"]["output_tokens"] == 30 + 2


async def test_answers_in_the_order_of_the_scripts_and_then_as_always(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    claude.always(lambda body: f"of {len(body['messages'])}")
    claude.script("one", Fail(529))
    told = [await post(http, ASK) for _ in range(3)]
    assert [status for status, _ in told] == [200, 529, 200]
    assert told[1][1]["error"]["type"] == "overloaded_error"
    assert told[2][1]["content"][0]["text"] == "of 1"


async def test_stops_at_max_tokens(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    claude.script([Think(tokens=90), "four" * 11, "not said"])
    *_, delta, _ = found = await events(http, ASK)
    texts = [event["delta"].get("text", "") for event in found if "delta" in event]
    assert "".join(texts) == "four" * 10
    assert delta["delta"]["stop_reason"] == "max_tokens"


async def test_counts_tokens(http: aiohttp.ClientSession) -> None:
    body = {key: ASK[key] for key in ("model", "messages")} | {"system": "four"}
    assert await post(http, body, "/v1/messages/count_tokens") == (
        200,
        {"input_tokens": 4},
    )


async def test_knows_the_models(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/models") as response:
        models = (await response.json())["data"]
    assert models[1]["id"] == "claude-sonnet-5-5"
    async with http.get("/v1/models/claude-sonnet-5-5") as response:
        assert await response.json() == models[1]
    async with http.get("/v1/models/claude-novel-9") as response:
        assert response.status == 404


# Records for tests


async def test_remembers_requests_and_tells_when_they_come(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    waiting = asyncio.create_task(claude.until(lambda: len(claude.requests) == 2))
    await post(http, ASK)
    assert not waiting.done()
    await post(http, ASK)
    await waiting
    assert [asked.body for asked in claude.requests] == [ASK, ASK]
    assert claude.connections == 1


async def test_until_does_not_wait_for_ever(claude: ClaudeEmulator) -> None:
    with pytest.raises(AssertionError):
        await claude.until(lambda: False, timeout=0.01)


async def test_says_tokens_at_the_rate_and_remembers_when() -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async with ClaudeEmulator(
        clock=lambda: now, sleep=sleep, tokens_per_second=4
    ) as claude:
        headers = {
            "authorization": f"Bearer {claude.api_key}",
            "anthropic-version": "2026-10-21",
        }
        async with aiohttp.ClientSession(claude.base_url, headers=headers) as http:
            claude.script([Pause(1.0), "twelve chars"])
            await events(http, ASK)
        assert claude.sent == [[(1.25, 4), (1.5, 8), (1.75, 12)]]


async def test_cuts_and_ends_where_it_is_told(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    claude.script(["Hel", End()], ["Hel", Abort()])
    assert (await events(http, ASK))[-1]["type"] == "content_block_delta"
    with pytest.raises(aiohttp.ClientPayloadError):
        await events(http, ASK)
    assert claude.disconnects == 0


async def test_closes_and_opens_its_port(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    await claude.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(http, ASK)
    await claude.accept()
    assert (await post(http, ASK))[0] == 200


# Bills


def prompt(*sizes: int, **rest: Any) -> Body:
    """Return a prompt whose messages have `sizes` tokens, cached for an hour."""
    said = [
        {"role": "user", "content": f"{nth:4}" + "x" * (4 * size - 4)}
        for nth, size in enumerate(sizes)
    ]
    return ASK | {"messages": said, "cache_control": HOUR} | rest


def spend(cache: PrefixCache, body: Body, now: float = 0.0) -> Usage:
    used = cache.bill(body, now)
    cache.write(body, now)
    return used


def test_reads_the_prefix_that_the_last_turn_wrote() -> None:
    cache = PrefixCache()
    assert spend(cache, prompt(600)) == Usage(cache_write_1h=600)
    assert spend(cache, prompt(600, 50, 70)) == Usage(
        cache_read=600, cache_write_1h=120
    )
    assert spend(cache, prompt(600, 50, 70)) == Usage(cache_read=720)


def test_caches_nothing_below_the_models_minimum() -> None:
    cache = PrefixCache()
    assert spend(cache, prompt(511)) == Usage(input=511)
    assert spend(cache, prompt(511, 1)) == Usage(cache_write_1h=512)
    old = {"model": "claude-haiku-4-5"}
    assert spend(cache, prompt(4095, **old)) == Usage(input=4095)


def test_an_hour_is_counted_from_the_last_use() -> None:
    cache = PrefixCache()
    spend(cache, prompt(600), now=0)
    assert spend(cache, prompt(600), now=3599).cache_read == 600
    assert spend(cache, prompt(600), now=3599 + 3599).cache_read == 600
    assert spend(cache, prompt(600), now=3599 + 3599 + 3600).cache_read == 0


def test_five_minutes_and_an_hour_are_billed_apart() -> None:
    cache = PrefixCache()
    system = [{"type": "text", "text": "x" * 2400, "cache_control": HOUR}]
    body = prompt(100, system=system, cache_control=SHORT)
    assert spend(cache, body) == Usage(cache_write_1h=600, cache_write_5m=100)
    assert spend(cache, body, now=301) == Usage(cache_read=600, cache_write_5m=100)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "claude-opus-5-5"},
        {"system": "You are someone else."},
        {"output_config": {"effort": "low"}},
    ],
)
def test_another_model_system_or_effort_reads_nothing(change: Body) -> None:
    cache = PrefixCache()
    spend(cache, prompt(600))
    assert spend(cache, prompt(600) | change).cache_read == 0


def test_a_changed_word_is_read_up_to_the_block_before_it() -> None:
    cache = PrefixCache()
    spend(cache, prompt(600))
    spend(cache, prompt(600, 50))
    changed = prompt(600, 50)
    changed["messages"][1]["content"] = "another"
    assert spend(cache, changed).cache_read == 600


def test_looks_back_twenty_blocks_and_no_further() -> None:
    near, far = PrefixCache(), PrefixCache()
    spend(near, prompt(600))
    spend(far, prompt(600))
    assert spend(near, prompt(600, *[1] * 19)).cache_read == 600
    assert spend(far, prompt(600, *[1] * 20)).cache_read == 0


async def test_a_failed_request_writes_nothing(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    claude.script(Fail(529))
    await post(http, prompt(600))
    await post(http, prompt(600))
    await post(http, prompt(600))
    assert [asked.usage for asked in claude.requests] == [
        Usage(cache_write_1h=600),
        Usage(cache_write_1h=600),
        Usage(cache_read=600),
    ]


def test_tools_are_of_known_versions_and_forms() -> None:
    """claude 1.8."""
    fetch: Body = {"type": "web_fetch_20260318", "name": "web_fetch"}
    old = fetch | {"type": "web_fetch_20250910"}
    given, only = {"type": "all"}, {"type": "only", "tools": []}
    for tool, wrong in (
        (fetch, None),
        (fetch | {"use_cache": False, "response_inclusion": "excluded"}, None),
        (fetch | {"type": "web_fetch_20990101"}, "Input tag"),
        (fetch | {"name": "web_search"}, "Input tag"),
        (fetch | {"url_sources": {"user_input": "all"}}, "valid dictionary"),
        (fetch | {"url_sources": {"user_input": only}}, "Input tag"),
        (fetch | {"url_sources": {"documents": given}}, "Extra inputs"),
        (fetch | {"url_sources": {"server_tool_results": {
            "type": "only", "tools": [{"type": "tool_reference", "name": "web_search"}]
        }}}, "not in tools"),
        (fetch | {"allowed_domains": ["a.b"], "blocked_domains": ["c.d"]}, "alongside"),
        (old | {"use_cache": False}, "Extra inputs"),
        (old | {"max_uses": 0}, "greater than 0"),
    ):  # fmt: skip
        told = refusal(ASK | {"tools": [tool]}, filters=True)
        assert (told is None) == (wrong is None), (tool, told)
        assert told is None or (wrong or "") in told[1], (tool, told)
    assert refusal(ASK | {"tools": [old]}) is None
    told = refusal(ASK | {"tools": [fetch]})
    assert told is not None
    assert "not supported on this model" in told[1]


async def test_it_cites_the_pages_of_documents_that_may_be_cited(
    claude: ClaudeEmulator, http: aiohttp.ClientSession
) -> None:
    writer, pdf = pypdf.PdfWriter(), io.BytesIO()
    for _ in range(3):
        writer.add_blank_page(200, 280)
    writer.write(pdf)
    data = base64.b64encode(pdf.getvalue()).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    made = {"type": "document", "source": source, "citations": {"enabled": True}}
    content = [
        {**made, "title": "a.pdf"},
        {**made, "title": "b.pdf"},
        {**made, "title": "c.pdf", "citations": {"enabled": False}},
        {"type": "text", "text": "Why?"},
    ]
    steps = [Cite(f"{n}.", f"{n}.pdf", (2, 3)) for n in "bcd"]
    claude.script(["So ", *steps])
    body = {**ASK, "messages": [{"role": "user", "content": content}]}
    found = await events(http, body)
    deltas = [each["delta"] for each in found if each["type"] == "content_block_delta"]
    assert "".join(each.get("text", "") for each in deltas) == "So b.c.d."
    [cited] = [each["citation"] for each in deltas if "citation" in each]
    assert (cited["type"], cited["document_index"]) == ("page_location", 1)
    # The end page number is exclusive.
    assert (cited["start_page_number"], cited["end_page_number"]) == (2, 4)
    assert (cited["document_title"], cited["cited_text"]) == ("b.pdf", "b.")
