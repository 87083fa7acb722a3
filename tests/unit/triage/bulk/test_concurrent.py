"""Tickets asked about one by one, through the real SDK."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from bot.claude.cost import cost_ceiling
from bot.errors import (
    ModelBusy,
    ModelDenied,
    ModelRejected,
    ModelUnreachable,
    StorageFull,
)
from bot.triage.answer import CUT, FAILED, INVALID, REFUSED, REJECTED, TOO_LONG, Answer
from bot.triage.bulk.concurrent import MOST_TRIES, Question
from bot.triage.bulk.request import MAX_TOKENS, MORE_TOKENS, build_request
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit, UnknownPrice
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.limits import RateLimits
from tests.emulators.claude.reply import Abort, Fail, Hold, Step, Stop
from tests.support.triage_requests import (
    GOOD,
    Sleeps,
    classify,
    concurrently,
    sorted_as,
)


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as opened:
        opened.always(sorted_as())
        yield opened


async def test_each_ticket_is_sorted_and_paid_for(claude: ClaudeEmulator) -> None:
    tested = concurrently(claude)
    found = await classify(tested, "It broke", "Pay me", "Hi")
    assert [answer.values for _, answer in found] == [GOOD, GOOD, GOOD]
    first, *rest = (answer.usage for _, answer in found)
    # What the first one wrote to the cache the others read.
    assert first.cache_write_5m > 512
    assert all(usage.cache_read == first.cache_write_5m for usage in rest)
    assert tested.spend_limit.spent == pytest.approx(sum(a.cost or 0 for _, a in found))
    [asked, *_] = claude.questions
    assert asked.body["output_config"]["effort"] == "low"
    assert asked.body["output_config"]["format"]["type"] == "json_schema"
    assert "thinking" not in asked.body
    assert asked.body["messages"][0]["content"] == "<ticket>\nIt broke\n</ticket>"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (["{}"], INVALID),
        (["Gladly! This is a bug."], INVALID),
        ([sorted_as(category="pain")], INVALID),
        ([sorted_as(), Stop("max_tokens")], CUT),
        ([Stop("refusal", {"type": "refusal", "category": None})], REFUSED),
        ([], INVALID),
    ],
)
async def test_a_bad_answer_is_tried_once_more(
    claude: ClaudeEmulator, bad: list[str | Stop], reason: str
) -> None:
    claude.script(bad, sorted_as())
    (_, first), (_, second) = await classify(concurrently(claude), "It broke")
    assert (first.values, first.reason, first.tries) == (None, reason, 1)
    assert (second.values, second.tries) == (GOOD, 2)
    sizes = [asked.body["max_tokens"] for asked in claude.questions]
    assert sizes == [MAX_TOKENS, MORE_TOKENS]


async def test_two_bad_answers_mark_the_ticket_and_go_on(
    claude: ClaudeEmulator,
) -> None:
    claude.script("{}", "[]")
    found = await classify(concurrently(claude), "It broke", "Pay me")
    assert [answer.reason for _, answer in found] == [INVALID, INVALID, ""]
    assert found[1][1].done
    # Both were paid for.
    assert all((answer.cost or 0) > 0 for _, answer in found)


async def test_a_ticket_that_is_too_long_is_not_sent(claude: ClaudeEmulator) -> None:
    found = await classify(concurrently(claude), "x" * 2_000_000, "Pay me")
    marked = dict(found)["x" * 2_000_000]
    assert marked.reason.startswith(TOO_LONG)
    assert "2,000,000 characters" in marked.reason
    assert marked.done
    assert len(claude.questions) == 1


async def test_a_limit_is_waited_for(claude: ClaudeEmulator) -> None:
    time = Sleeps()
    claude.script(
        sorted_as(),
        Fail(429, headers={"retry-after": "7"}),
        Fail(529),
        Fail(500),
        Abort(),
    )
    tested = concurrently(claude, time)
    found = await classify(tested, *"abcdef")
    assert len(found) == 6
    assert all(answer.values for _, answer in found)
    assert 7.0 in time.waits
    assert tested.throttle.refused == 4


async def test_one_that_always_fails_is_marked(claude: ClaudeEmulator) -> None:
    def answer(body: dict[str, object]) -> str | Fail:
        return Fail(500) if "poison" in json.dumps(body) else sorted_as()

    claude.always(answer)
    found = dict(await classify(concurrently(claude), "a", "poison", "b"))
    assert found["poison"].reason == FAILED
    assert found["a"].values
    assert found["b"].values
    assert found["poison"].tries == 2
    assert len(claude.questions) == 2 + 2 * MOST_TRIES


async def test_one_that_is_rejected_is_marked_and_costs_nothing(
    claude: ClaudeEmulator,
) -> None:
    claude.script(sorted_as(), Fail(400), Fail(400))
    found = await classify(concurrently(claude, at_once=1), "a", "b")
    assert [answer.reason for _, answer in found] == ["", REJECTED, REJECTED]
    assert found[2][1].cost == 0


async def test_the_first_one_rejected_ends_the_run(claude: ClaudeEmulator) -> None:
    claude.script(Fail(400))
    with pytest.raises(ModelRejected):
        await classify(concurrently(claude), *"abcdef")
    assert len(claude.questions) == 1


async def test_a_wrong_key_ends_the_run_at_once(claude: ClaudeEmulator) -> None:
    claude.api_key = "sk-ant-another"
    tested = concurrently(claude)
    claude.api_key = "sk-ant-emulator"
    with pytest.raises(ModelDenied, match="ANTHROPIC_API_KEY") as caught:
        await classify(tested, *"abc")
    assert "another" not in str(caught.value)
    assert len(claude.questions) == 1


async def test_a_key_that_is_revoked_in_between_keeps_what_came(
    claude: ClaudeEmulator,
) -> None:
    claude.script(sorted_as(), sorted_as(), Fail(401))
    tested = concurrently(claude, at_once=1)
    with pytest.raises(ModelDenied):
        await classify(tested, *"abcdef")
    assert len(tested.__dict__["found"]) == 2


async def test_without_a_connection_it_gives_up_in_the_end(
    claude: ClaudeEmulator,
) -> None:
    passing = Sleeps()
    told: list[str] = []
    await claude.refuse()
    with pytest.raises(ModelUnreachable):
        await classify(concurrently(claude, passing, on_trouble=told.append), "a")
    assert 300 < passing.now < 400
    [why] = told
    assert why.startswith("no complete answer from Claude")


async def test_a_full_disk_ends_the_run_and_asks_for_nothing_more(
    claude: ClaudeEmulator,
) -> None:
    tested = concurrently(claude, at_once=1)
    kept: list[str] = []

    async def questions() -> AsyncIterator[Question]:
        for text in "abcdef":
            yield Question(text, text)

    async def keep(question: Question, answer: Answer) -> None:
        if len(kept) == 2:
            raise StorageFull("the disk of the database is full, make room")
        kept.append(question.name)

    async with tested.client:
        with pytest.raises(StorageFull, match="make room"):
            await tested.classify(questions(), keep)
    assert kept == ["a", "b"]
    assert len(claude.questions) == 3


async def test_a_limit_without_end_is_given_up(claude: ClaudeEmulator) -> None:
    claude.always(Fail(429, headers={"retry-after": "60"}))
    with pytest.raises(ModelBusy):
        await classify(concurrently(claude), "a")


async def test_the_budget_stops_before_it_is_passed(claude: ClaudeEmulator) -> None:
    tested = concurrently(claude)
    call = build_request(tested.scheme, tested.model, "ticket 00")
    most = cost_ceiling(call, tested.now())
    assert most is not None
    tested.spend_limit = SpendLimit(most * 1.1)
    with pytest.raises(BudgetReached):
        await classify(tested, *(f"ticket {n:02}" for n in range(40)))
    found = tested.__dict__["found"]
    assert 1 < len(found) < 40
    assert tested.spend_limit.spent < most * 1.1


async def test_a_budget_refuses_a_model_of_unknown_price(
    claude: ClaudeEmulator,
) -> None:
    tested = concurrently(claude, spend_limit=SpendLimit(1.0))
    tested.model = "claude-unheard-of"
    with pytest.raises(UnknownPrice, match="claude-unheard-of"):
        await classify(tested, "It broke")
    assert claude.questions == []


async def test_half_a_character_stops_nothing(claude: ClaudeEmulator) -> None:
    [(_, answer)] = await classify(concurrently(claude), "It broke \ud83e")
    assert answer.values == GOOD
    assert "It broke \ufffd" in claude.questions[0].body["messages"][0]["content"]


async def test_limits_are_kept_before_they_are_met() -> None:
    passing = Sleeps()
    limits = RateLimits(requests=30, input_tokens=5_000, output_tokens=20_000)
    async with ClaudeEmulator(clock=passing.clock, limits=limits) as claude:
        claude.always(sorted_as())
        found = await classify(
            concurrently(claude, passing),
            *(f"ticket {n:02}" for n in range(45)),
        )
        assert len(found) == 45
        assert all(answer.values for _, answer in found)
        # One after the other, of which a third come after the first minute's share.
        assert claude.throttled <= 3
        assert passing.now > 20


async def test_whoever_waits_for_a_limit_can_be_stopped(
    claude: ClaudeEmulator,
) -> None:
    claude.script(sorted_as(), Fail(429, headers={"retry-after": "600"}))
    tested = concurrently(claude, at_once=2)
    tested.sleep = asyncio.sleep
    tested.clock = tested.throttle._clock = time.monotonic
    task = asyncio.create_task(classify(tested, *"abcdef"))
    await claude.until(lambda: tested.throttle.refused == 1)
    tested.stopping.set()
    async with asyncio.timeout(60):
        await task


async def test_stopping_waits_for_what_is_under_way(claude: ClaudeEmulator) -> None:
    gate = asyncio.Event()
    held: list[Step] = [Hold(gate), sorted_as()]
    claude.script(sorted_as(), held, held, held)
    tested = concurrently(claude, at_once=3)
    task = asyncio.create_task(classify(tested, *"abcdefgh"))
    await claude.until(lambda: len(claude.questions) == 4)
    tested.stopping.set()
    gate.set()
    found = await task
    assert len(found) == 4
    assert len(claude.questions) == 4


async def test_an_older_model_is_asked_without_effort(claude: ClaudeEmulator) -> None:
    tested = concurrently(claude)
    tested.model = "claude-haiku-4-5"
    [(_, answer)] = await classify(tested, "It broke")
    assert answer.values == GOOD
    assert "effort" not in claude.questions[0].body["output_config"]
