"""Batches of the emulator, used through the real SDK."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from tests.emulators.claude import batch as api_batch
from tests.emulators.claude.batches import DAY
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Abort, Fail, Stop, Think
from tests.emulators.clock import Clock

ASK: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello there"}],
}
LONG: dict[str, Any] = {
    "type": "text",
    "text": "x" * 4000,
    "cache_control": {"type": "ephemeral", "ttl": "1h"},
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def claude(clock: Clock) -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator(clock=clock) as emulator:
        emulator.epoch = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
        yield emulator


@pytest.fixture
async def api(claude: ClaudeEmulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key=claude.api_key, base_url=claude.base_url, max_retries=0
    ) as client:
        yield client


def requests(count: int, **change: Any) -> Any:
    return [{"custom_id": f"t{nth}", "params": ASK | change} for nth in range(count)]


async def made(
    api: anthropic.AsyncAnthropic, count: int = 3, **change: Any
) -> MessageBatch:
    return await api.messages.batches.create(requests=requests(count, **change))


async def read(
    api: anthropic.AsyncAnthropic, id: str
) -> dict[str, MessageBatchIndividualResponse]:
    results = await api.messages.batches.results(id)
    return {each.custom_id: each async for each in results}


def kinds(results: dict[str, MessageBatchIndividualResponse]) -> dict[str, str]:
    return {name: each.result.type for name, each in sorted(results.items())}


async def test_answers_all_and_says_so(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    claude.script("one", [Think(tokens=5), "two", Stop("max_tokens")])
    batch = await made(api)
    assert batch.processing_status == "in_progress"
    assert batch.request_counts.processing == 3
    assert (batch.results_url, batch.ended_at) == (None, None)
    assert batch.created_at == datetime(2026, 11, 27, tzinfo=UTC)
    assert (batch.expires_at - batch.created_at).total_seconds() == DAY
    batch = await api.messages.batches.retrieve(batch.id)
    assert batch.processing_status == "ended"
    assert batch.request_counts.succeeded == 3
    assert batch.ended_at == batch.created_at
    results = await read(api, batch.id)
    texts = {}
    for name, each in results.items():
        assert each.result.type == "succeeded"
        texts[name] = each.result.message.content[0].to_dict()["text"]
        assert each.result.message.usage.service_tier == "batch"
        if name == "t1":
            assert each.result.message.stop_reason == "max_tokens"
            assert each.result.message.usage.output_tokens == 5 + 1
    assert texts == {"t0": "one", "t1": "two", "t2": "You said: Hello there"}
    again = await read(api, batch.id)
    assert again == results


async def test_results_come_in_another_order_than_requests(
    api: anthropic.AsyncAnthropic,
) -> None:
    batch = await made(api, 50)
    names = list(await read(api, batch.id))
    assert names != sorted(names, key=lambda name: int(name[1:]))
    assert len(names) == 50


async def test_a_prompt_is_read_from_the_cache(api: anthropic.AsyncAnthropic) -> None:
    batch = await made(api, 3, system=[LONG])
    usages = {}
    for name, each in (await read(api, batch.id)).items():
        assert each.result.type == "succeeded"
        usages[name] = each.result.message.usage
    written = usages["t0"].cache_creation_input_tokens
    assert written == 1000
    assert usages["t1"].cache_read_input_tokens == written
    assert usages["t2"].cache_read_input_tokens == written


# Refusals


async def test_refuses_bad_batches_at_once(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    one = requests(1)[0]
    all_bad: list[Any] = [
        [],
        [one, one],
        [one | {"custom_id": "a b"}],
        [one | {"custom_id": ""}],
        [one | {"custom_id": "a" * 65}],
        [one | {"custom_id": "a\n"}],
        [{"custom_id": "a"}],
    ]
    for bad in all_bad:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await api.messages.batches.create(requests=bad)
        assert caught.value.type == "invalid_request_error"
    assert claude.batches.made == []


async def test_refuses_more_than_a_hundred_thousand_requests(
    api: anthropic.AsyncAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api_batch.MOST_REQUESTS == 100_000
    monkeypatch.setattr(api_batch, "MOST_REQUESTS", 100)
    many: Any = [{}] * 101
    with pytest.raises(anthropic.BadRequestError, match="at most 100 items"):
        await api.messages.batches.create(requests=many)


async def test_refuses_strangers_and_those_without_rights(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        await made(api.with_options(api_key="sk-ant-another"))
    claude.batches.allowed = False
    with pytest.raises(anthropic.PermissionDeniedError) as caught:
        await made(api)
    assert caught.value.type == "permission_error"


async def test_takes_more_bytes_than_other_routes_but_not_any_number(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    big = "x" * (33 * 1024 * 1024)
    with pytest.raises(anthropic.RequestTooLargeError):
        await api.messages.create(**ASK | {"system": big})
    assert (await made(api, 1, system=big)).request_counts.processing == 1
    claude.batches.most_bytes = 1000
    with pytest.raises(anthropic.RequestTooLargeError):
        await made(api, 1, system="x" * 1001)


async def test_what_is_wrong_with_one_request_is_among_the_results(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    claude.script(Fail(529), "fine")
    asked = requests(5)
    asked[0]["params"] = ASK | {"temperature": 0.5}
    asked[1]["params"] = ASK | {"model": "claude-novel-9"}
    asked[2]["params"] = ASK | {"stream": True}
    batch = await api.messages.batches.create(requests=asked)
    batch = await api.messages.batches.retrieve(batch.id)
    assert (batch.request_counts.errored, batch.request_counts.succeeded) == (4, 1)
    errors = {}
    for name, each in (await read(api, batch.id)).items():
        if each.result.type == "errored":
            errors[name] = each.result.error.error.type
    assert errors == {
        "t0": "invalid_request_error",
        "t1": "not_found_error",
        "t2": "invalid_request_error",
        "t3": "overloaded_error",
    }


async def test_nobody_knows_another_batch(api: anthropic.AsyncAnthropic) -> None:
    batches = api.messages.batches
    for call in (batches.retrieve, batches.delete, batches.cancel, batches.results):
        with pytest.raises(anthropic.NotFoundError) as caught:
            await call("msgbatch_another")
        assert caught.value.type == "not_found_error"


# Progress


async def test_is_answered_little_by_little(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic, clock: Clock
) -> None:
    claude.batches.seconds = 100.0
    id = (await made(api, 10)).id
    clock.now = 39.0
    batch = await api.messages.batches.retrieve(id)
    assert batch.processing_status == "in_progress"
    assert (batch.request_counts.succeeded, batch.request_counts.processing) == (3, 7)
    with pytest.raises(anthropic.AnthropicError, match="results_url"):
        await api.messages.batches.results(id)
    with pytest.raises(anthropic.BadRequestError):
        await api.messages.batches.delete(id)
    claude.batches.counts_early = False
    batch = await api.messages.batches.retrieve(id)
    assert (batch.request_counts.succeeded, batch.request_counts.processing) == (0, 10)
    clock.now = 250.0
    batch = await api.messages.batches.retrieve(id)
    assert batch.request_counts.succeeded == 10
    assert batch.ended_at is not None
    assert (batch.ended_at - batch.created_at).total_seconds() == 100
    await api.messages.batches.delete(id)
    with pytest.raises(anthropic.NotFoundError):
        await api.messages.batches.retrieve(id)


async def test_what_a_day_was_not_enough_for_expires(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic, clock: Clock
) -> None:
    claude.batches.seconds, claude.batches.expires = 40.0, 20.0
    id = (await made(api, 4)).id
    clock.now = 1000.0
    batch = await api.messages.batches.retrieve(id)
    assert batch.processing_status == "ended"
    assert (batch.request_counts.succeeded, batch.request_counts.expired) == (2, 2)
    assert batch.ended_at == batch.expires_at
    assert kinds(await read(api, id)) == {
        "t0": "succeeded",
        "t1": "succeeded",
        "t2": "expired",
        "t3": "expired",
    }


async def test_what_is_cancelled_keeps_what_it_had(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic, clock: Clock
) -> None:
    claude.batches.seconds = 40.0
    id = (await made(api, 4)).id
    clock.now = 11.0
    batch = await api.messages.batches.cancel(id)
    assert batch.processing_status == "canceling"
    assert batch.cancel_initiated_at is not None
    claude.batches.faults.append(Fail(529))
    with pytest.raises(anthropic.APIStatusError, match="529"):
        await api.messages.batches.retrieve(id)
    clock.now = 30.0
    batch = await api.messages.batches.retrieve(id)
    assert batch.processing_status == "ended"
    assert (batch.request_counts.succeeded, batch.request_counts.canceled) == (1, 3)
    assert sorted(kinds(await read(api, id)).values()) == ["canceled"] * 3 + [
        "succeeded"
    ]
    assert await api.messages.batches.cancel(id) == batch


async def test_results_are_kept_for_twenty_nine_days(
    api: anthropic.AsyncAnthropic, clock: Clock, claude: ClaudeEmulator
) -> None:
    id = (await made(api)).id
    clock.now = 29 * DAY - 1
    batch = await api.messages.batches.retrieve(id)
    assert len(await read(api, id)) == 3
    url = batch.results_url
    assert url
    assert url.startswith(claude.base_url)
    clock.now += 1
    batch = await api.messages.batches.retrieve(id)
    assert batch.archived_at is not None
    assert batch.results_url is None
    with pytest.raises(anthropic.NotFoundError):
        await api.get(url, cast_to=object)


async def test_lists_the_newest_first_in_pages(
    api: anthropic.AsyncAnthropic, claude: ClaudeEmulator
) -> None:
    ids = [(await made(api, 1)).id for _ in range(5)][::-1]
    await api.messages.batches.retrieve(ids[1])
    await api.messages.batches.delete(ids.pop(1))
    page = await api.messages.batches.list(limit=3)
    assert [batch.id for batch in page.data] == ids[:3]
    assert (page.has_more, page.first_id, page.last_id) == (True, ids[0], ids[2])
    assert [batch.id async for batch in page] == ids
    before = await api.messages.batches.list(before_id=ids[3], limit=2)
    assert [batch.id for batch in before.data] == ids[1:3]
    assert before.has_more
    assert not (await api.messages.batches.list()).has_more
    for wrong in (0, 1001):
        with pytest.raises(anthropic.BadRequestError):
            await api.messages.batches.list(limit=wrong)


# Faults


async def test_cuts_results_once(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    id = (await made(api, 300)).id
    claude.batches.results_cut = 120
    seen: list[str] = []
    with pytest.raises((anthropic.APIConnectionError, httpx2.HTTPError)):
        await _read_into(seen, api, id)
    # The SDK reads 64 bytes at a time, so it may miss the end of the last result.
    assert len(seen) in (119, 120)
    assert len(await read(api, id)) == 300


async def _read_into(seen: list[str], api: anthropic.AsyncAnthropic, id: str) -> None:
    async for each in await api.messages.batches.results(id):
        seen.append(each.custom_id)


async def test_a_batch_may_arrive_whose_answer_does_not(
    claude: ClaudeEmulator, api: anthropic.AsyncAnthropic
) -> None:
    claude.batches.faults += [Abort(), Fail(529)]
    with pytest.raises(anthropic.APIConnectionError):
        await made(api)
    with pytest.raises(anthropic.APIStatusError, match="529"):
        await made(api)
    found = [batch.id async for batch in api.messages.batches.list()]
    assert found == [batch.id for batch in claude.batches.made]
    assert len(found) == 1


async def test_nothing_of_many_requests_is_kept_that_is_not_needed() -> None:
    async with (
        ClaudeEmulator(remember=False) as claude,
        anthropic.AsyncAnthropic(
            api_key=claude.api_key, base_url=claude.base_url, max_retries=0
        ) as api,
    ):
        batch = await made(api, 500)
        looks = [api.messages.batches.retrieve(batch.id) for _ in range(3)]
        assert {each.id for each in await asyncio.gather(*looks)} == {batch.id}
        assert len(await read(api, batch.id)) == 500
        assert len(claude.requests) == 1
        assert claude.batches.made[0].requests[0] == {"custom_id": "t0"}
