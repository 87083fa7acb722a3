"""Tickets asked about in batches, through the real SDK, and whatever breaks there."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.claude.batches import BATCH_SHARE, Batches
from bot.claude.cost import cost_ceiling
from bot.errors import ModelDenied
from bot.ports.archive import Row, Run
from bot.schemes.scheme import default
from bot.triage.answer import FREE, INVALID, REJECTED, digest
from bot.triage.bulk.batches import BatchClassifier, Cancelled, Expired
from bot.triage.bulk.concurrent import Question
from bot.triage.bulk.request import MORE_TOKENS, build_request
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit, UnknownPrice
from storage.triage_archive import TriageArchive, open_archive
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Abort, Fail, Step, Stop
from tests.support.triage_requests import GOOD, MODEL, api, sorted_as

DAY = 86_400.0
RUN = Run(
    "one", 1.0, "t.csv", ("ticket",), ("ticket",), "", "…", MODEL, True, (("-", "csv"),)
)


class Bench:
    """A run, the archive that it is in, and a Claude with time of its own."""

    def __init__(self, claude: ClaudeEmulator, archive: TriageArchive) -> None:
        self.claude = claude
        self.archive = archive
        self.now = 1_795_694_400.0
        self.waits: list[float] = []
        self.most_bytes = 64_000_000
        self.budget: float | None = None
        self.model = MODEL
        claude.epoch = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def begin(self, *texts: str) -> None:
        rows = [
            (Row(n, digest(text, default().digest, MODEL), {"ticket": text}), None)
            for n, text in enumerate(texts, start=1)
        ]
        await self.archive.begin(RUN, rows)

    async def classify(self) -> None:
        """Go on with the run, as a new process would."""
        await self.archive.again("one", FREE)
        tally = await self.archive.tally("one")
        async with api(self.claude) as client:
            classifier = BatchClassifier(
                Batches(client),
                default(),
                self.model,
                self.archive,
                "one",
                SpendLimit(self.budget, tally.cost),
                now=self.clock,
                sleep=self.sleep,
                most_bytes=self.most_bytes,
            )
            await classifier.classify(self.questions)

    async def questions(self) -> AsyncIterator[Question]:
        for row in await self.archive.pending("one", 0, 1_000_000):
            tries = row.answer.tries if row.answer else 0
            yield Question(row.digest, str(row.row["ticket"]), tries)

    async def results(self) -> list[str]:
        """Return for each row its category, or the beginning of its reason."""
        found = []
        for row in await self.archive.rows("one", 0, 1_000_000):
            values = row.answer.values if row.answer else None
            reason = row.answer.reason if row.answer else "left"
            found.append(values["category"] if values else reason.split(":")[0])
        return found


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    benches: list[Bench] = []
    async with (
        ClaudeEmulator(clock=lambda: benches[0].now if benches else 0.0) as claude,
        open_archive(tmp_path / "triage.db") as archive,
    ):
        benches.append(Bench(claude, archive))
        claude.always(sorted_as())
        yield benches[0]


def odd_fails(body: Body) -> Step:
    """Return an answer that fails where the ticket is odd."""
    return Fail(400) if "odd" in json.dumps(body["messages"]) else sorted_as()


async def test_all_are_sorted_for_half_the_price(bench: Bench) -> None:
    bench.claude.batches.seconds = 600
    await bench.begin("It broke", "Pay me", "It broke")
    await bench.classify()
    assert await bench.results() == ["bug", "bug", "bug"]
    [batch] = bench.claude.batches.made
    assert len(batch.requests) == 2
    tally = await bench.archive.tally("one")
    usage = tally.usage
    whole = (
        0.10 * usage.input
        + 0.125 * usage.cache_write_5m
        + 0.01 * usage.cache_read
        + 0.50 * usage.output
    ) / 1e6
    assert tally.cost == pytest.approx(whole * BATCH_SHARE)
    # It is looked at ever less often.
    assert bench.waits[0] == 2.0
    assert max(bench.waits) == 60.0


async def test_more_than_fits_is_split(bench: Bench) -> None:
    bench.most_bytes = 20_000
    texts = [f"Ticket {n} {'x' * 1000}" for n in range(12)]
    await bench.begin(*texts)
    await bench.classify()
    assert await bench.results() == ["bug"] * 12
    sizes = [len(batch.requests) for batch in bench.claude.batches.made]
    assert sum(sizes) == 12
    assert len(sizes) >= 3


async def test_bad_answers_go_into_a_second_batch_and_are_marked_then(
    bench: Bench,
) -> None:
    bench.claude.script("{}", [Stop("refusal")], sorted_as(), "Sorry", sorted_as())
    await bench.begin("one", "two", "three")
    await bench.classify()
    first, second = bench.claude.batches.made
    assert (len(first.requests), len(second.requests)) == (3, 2)
    assert await bench.results() == ["invalid", "bug", "bug"]
    sizes = {r["params"]["max_tokens"] for r in second.requests}
    assert sizes == {MORE_TOKENS}
    assert (await bench.archive.tally("one")).marked == {INVALID: 1}


async def test_what_the_api_rejects_later_is_marked_and_free(bench: Bench) -> None:
    bench.claude.always(odd_fails)
    await bench.begin("odd", "fine")
    await bench.classify()
    assert await bench.results() == ["rejected", "bug"]
    tally = await bench.archive.tally("one")
    assert tally.marked == {REJECTED: 1}
    assert tally.cost > 0


async def test_what_is_too_long_is_marked_and_not_sent(bench: Bench) -> None:
    await bench.begin("x" * 200_000, "fine")
    await bench.classify()
    assert await bench.results() == ["too long", "bug"]
    [batch] = bench.claude.batches.made
    assert len(batch.requests) == 1


async def test_an_expired_batch_is_asked_once_more(bench: Bench) -> None:
    expires = 300.0
    bench.claude.batches.seconds = 2 * expires
    await bench.begin(*(f"ticket {n}" for n in range(10)))
    bench.claude.batches.expires = expires

    def quicker() -> None:
        bench.claude.batches.seconds = 60.0

    waited = bench.sleep

    async def sleep(seconds: float) -> None:
        await waited(seconds)
        if bench.now > 1_795_694_400.0 + expires / 2:
            quicker()

    bench.sleep = sleep  # type: ignore[method-assign]
    await bench.classify()
    assert await bench.results() == ["bug"] * 10
    first, second = bench.claude.batches.made
    assert 0 < len(second.requests) < 10
    assert len(first.requests) == 10


async def test_a_batch_goes_on_without_us_and_is_collected_later(
    bench: Bench,
) -> None:
    bench.claude.batches.seconds = 3600

    async def closed(seconds: float) -> None:
        raise KeyboardInterrupt

    bench.sleep, kept = closed, bench.sleep  # type: ignore[method-assign]
    await bench.begin("one", "two")
    with pytest.raises(KeyboardInterrupt):
        await bench.classify()
    bench.now += DAY / 2
    bench.sleep = kept  # type: ignore[method-assign]
    await bench.classify()
    assert await bench.results() == ["bug", "bug"]
    assert len(bench.claude.batches.made) == 1


async def test_sent_and_not_heard_of_it_is_found(bench: Bench) -> None:
    bench.claude.batches.faults.append(Abort())
    await bench.begin("one", "two")
    await bench.classify()
    assert await bench.results() == ["bug", "bug"]
    assert len(bench.claude.batches.made) == 1


async def test_killed_between_sending_and_noting_it_is_found(bench: Bench) -> None:
    await bench.begin("one", "two")
    arrived = bench.archive.arrived

    async def killed(key: int, batch: str) -> None:
        raise KeyboardInterrupt

    bench.archive.arrived = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await bench.classify()
    bench.archive.arrived = arrived  # type: ignore[method-assign]
    assert [each.batch for each in await bench.archive.sent("one")] == [""]
    await bench.classify()
    assert await bench.results() == ["bug", "bug"]
    assert len(bench.claude.batches.made) == 1


async def test_one_that_never_arrived_is_sent_again(bench: Bench) -> None:
    bench.claude.batches.faults.append(Fail(500))
    await bench.begin("one")
    await bench.classify()
    assert await bench.results() == ["bug"]
    assert len(bench.claude.batches.made) == 1
    assert len(await bench.archive.sent("one")) == 1


async def test_results_that_break_off_are_read_again_and_count_once(
    bench: Bench,
) -> None:
    bench.claude.batches.results_cut = 3
    await bench.begin(*(f"ticket {n}" for n in range(8)))
    await bench.classify()
    assert await bench.results() == ["bug"] * 8
    tally = await bench.archive.tally("one")
    outputs = len(sorted_as()) // 4 + 1
    assert tally.usage.output == pytest.approx(8 * outputs, abs=8)


async def test_results_are_gone_after_twenty_nine_days(bench: Bench) -> None:
    bench.claude.batches.seconds = 60

    async def closed(seconds: float) -> None:
        raise KeyboardInterrupt

    bench.sleep, kept = closed, bench.sleep  # type: ignore[method-assign]
    await bench.begin("one")
    with pytest.raises(KeyboardInterrupt):
        await bench.classify()
    bench.sleep = kept  # type: ignore[method-assign]
    bench.now += 30 * DAY
    with pytest.raises(Expired, match="are gone: Claude keeps them for 29 days"):
        await bench.classify()
    assert await bench.results() == ["left"]
    await bench.classify()
    assert await bench.results() == ["bug"]


async def test_a_cancelled_batch_keeps_what_it_had_answered(bench: Bench) -> None:
    bench.claude.batches.seconds = 100

    async def cancels(seconds: float) -> None:
        bench.now += 30
        async with api(bench.claude) as client:
            [batch] = bench.claude.batches.made
            await Batches(client).cancel(batch.id)

    bench.sleep, kept = cancels, bench.sleep  # type: ignore[method-assign]
    await bench.begin(*(f"ticket {n}" for n in range(10)))
    with pytest.raises(Cancelled, match="`threadkeep triage resume one` asks"):
        await bench.classify()
    found = await bench.results()
    assert 0 < found.count("bug") < 10
    assert found.count("bug") + found.count("canceled") == 10
    bench.sleep = kept  # type: ignore[method-assign]
    await bench.classify()
    assert await bench.results() == ["bug"] * 10


async def test_a_key_without_batch_rights_says_so(bench: Bench) -> None:
    bench.claude.batches.allowed = False
    await bench.begin("one")
    with pytest.raises(ModelDenied, match="may not use batches: leave out --batch"):
        await bench.classify()
    assert await bench.archive.sent("one") == []
    bench.claude.batches.allowed = True
    await bench.classify()
    assert await bench.results() == ["bug"]


async def test_a_budget_sends_only_what_cannot_pass_it(bench: Bench) -> None:
    request = build_request(default(), MODEL, "ticket 00")
    most = cost_ceiling(request, bench.now, BATCH_SHARE)
    assert most is not None
    bench.budget = 1.1 * most
    await bench.begin(*(f"ticket {n:02}" for n in range(20)))
    with pytest.raises(BudgetReached):
        await bench.classify()
    sizes = [len(batch.requests) for batch in bench.claude.batches.made]
    # What each leaves is enough for one more, until the rest is too little.
    assert set(sizes) == {1}
    assert 3 < sum(sizes) < 20
    tally = await bench.archive.tally("one")
    assert bench.budget - most < tally.cost <= bench.budget


async def test_a_budget_refuses_a_model_of_unknown_price(bench: Bench) -> None:
    bench.budget, bench.model = 1.0, "claude-unheard-of"
    await bench.begin("one")
    with pytest.raises(UnknownPrice, match="claude-unheard-of"):
        await bench.classify()
    assert bench.claude.batches.made == []


async def test_after_a_gateway_error_a_batch_is_searched_for_before_another_is_sent(
    bench: Bench,
) -> None:
    bench.claude.batches.faults.append(Fail(502, page="<h1>Bad Gateway</h1>"))
    await bench.begin("one")
    await bench.classify()
    assert await bench.results() == ["bug"]
    assert sum(bench.waits) > 60


async def test_a_network_that_is_gone_for_hours_is_waited_for(bench: Bench) -> None:
    bench.claude.batches.seconds = 60
    for _ in range(5):
        bench.claude.batches.faults.append(Fail(503))
    bench.claude.batches.faults.appendleft(Abort())
    await bench.begin("one")
    await bench.classify()
    assert await bench.results() == ["bug"]


def test_good_is_what_the_default_scheme_takes() -> None:
    assert default().check(GOOD) == GOOD


async def test_several_lost_batches_are_collected_at_once(bench: Bench) -> None:
    bench.claude.batches.seconds = 100
    bench.most_bytes = 20_000

    async def lost(seconds: float) -> None:
        bench.now += 50
        first, second, third, *_ = bench.claude.batches.made
        third.deleted = True
        async with api(bench.claude) as client:
            batches = Batches(client)
            tried = [first.id, second.id, third.id]
            cancelled.append([await batches.cancel(id) for id in tried])

    cancelled: list[list[bool]] = []
    bench.sleep, kept = lost, bench.sleep  # type: ignore[method-assign]
    await bench.begin(*(f"Ticket {n} {'x' * 1000}" for n in range(12)))
    with pytest.raises(Cancelled):
        await bench.classify()
    assert cancelled[0] == [True, True, False]
    assert all(each.collected for each in await bench.archive.sent("one"))
    bench.sleep = kept  # type: ignore[method-assign]
    await bench.classify()
    assert await bench.results() == ["bug"] * 12
