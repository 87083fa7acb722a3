"""Bulk triage books at least the billed cost, however a run ends."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from bot.claude.cost import cost_ceiling
from bot.cli.triage import triage
from bot.errors import ConfigError, ModelError
from bot.ports.archive import Archive, Row, Run
from bot.runtime import logs
from bot.schemes.default import DEFAULT
from bot.schemes.scheme import default
from bot.triage.answer import FREE, digest
from bot.triage.bulk.api import aclassify
from bot.triage.bulk.batches import Expired
from bot.triage.bulk.request import build_request
from bot.triage.bulk.runs import Runner
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit
from storage.triage_archive import open_archive
from tests.emulators.claude.bill import by_user, priced
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Abort, Fail, Hold, Other, Step, Stop, Think
from tests.security.billed_turns import Gate, Mortal
from tests.support.deep import deep_only, rounds
from tests.support.triage_requests import (
    MODEL,
    Sleeps,
    api,
    classify,
    concurrently,
    sorted_as,
)
from tests.unit.triage.bulk.test_batches import Bench

MONTH = 30 * 86_400.0


def billed(claude: ClaudeEmulator) -> float:
    """Return what the API bills for all requests outside batches, in USD."""
    return sum(by_user(claude.requests).values())


class Random:
    """Answers of all kinds, and now and then one that waits for ever."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        #: Set whenever an answer begins to wait for ever.
        self.waiting = asyncio.Event()
        #: How many of them do.
        self.waits = 0.0

    def answer(self, body: object) -> Sequence[Step]:
        chance = self._chance
        thought = Think(tokens=chance.randint(1, 3_000))
        if chance.random() < self.waits:
            self.waiting.set()
            return [thought, Hold(asyncio.Event())]
        bad = [thought, chance.choice(("{}", "No JSON.")), Stop("max_tokens")]
        kinds: list[Sequence[Step]] = [
            [sorted_as()],
            [thought, sorted_as()],
            bad,
            [Fail(chance.choice((429, 500, 529)))],
            [Fail(502, page="<h1>Bad Gateway</h1>")],
            [thought, Abort()],
            [Other("claude-opus-5-5"), sorted_as()],
        ]
        return chance.choices(kinds, (50, 20, 8, 8, 3, 8, 3))[0]


class Sorting:
    """A run of tickets, in an archive that outlives its processes."""

    def __init__(self, path: Path, claude: ClaudeEmulator, budget: float) -> None:
        self.claude = claude
        self.path = path
        self.run = Run(
            *("one", 1.0, "t.csv", ("ticket",), ("ticket",), "", DEFAULT, MODEL),
            batched=False,
            outputs=(("-", "csv"),),
            budget=budget,
        )

    @contextlib.asynccontextmanager
    async def process(self) -> AsyncIterator[tuple[Mortal, Runner]]:
        async with open_archive(self.path) as archive, api(self.claude) as client:
            await archive.again("one", FREE)
            mortal = Mortal(archive)
            yield mortal, Runner(cast(Archive, mortal), self.run, client, 20)

    async def begin(self, count: int) -> None:
        scheme = default().digest
        rows = [
            (
                Row(
                    n,
                    digest(f"It broke {n}", scheme, MODEL),
                    {"ticket": f"It broke {n}"},
                ),
                None,
            )
            for n in range(1, count + 1)
        ]
        async with open_archive(self.path) as archive:
            await archive.begin(self.run, rows)


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as opened:
        opened.always(sorted_as())
        yield opened


@pytest.mark.parametrize("generates_on", [True, *deep_only(False)])
async def test_a_run_that_ends_in_any_way_is_not_booked_too_low(
    claude: ClaudeEmulator,
    tmp_path: Path,
    generates_on: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs are interrupted, killed and gone on with, over calls that fail."""
    monkeypatch.setattr("bot.triage.bulk.concurrent.LONGEST_PAUSE", 0.0)
    claude.generates_on = generates_on
    answers = Random(seed=7 + generates_on)
    claude.always(answers.answer)
    sorting = Sorting(tmp_path / "triage.db", claude, budget=1_000.0)
    await sorting.begin(rounds(40, 3_000))
    ends = itertools.cycle(["interrupt", "kill", "stop"])
    for how in itertools.islice(ends, rounds(3, 60)):
        answers.waits = 0.05
        async with sorting.process() as (mortal, runner):
            answers.waiting.clear()
            task = asyncio.create_task(runner.classify())
            caught = asyncio.create_task(answers.waiting.wait())
            await asyncio.wait({task, caught}, return_when=asyncio.FIRST_COMPLETED)
            caught.cancel()
            # A process that is killed takes nothing back.
            mortal.dead = how == "kill"
            if how == "stop":
                runner.stopping.set()
            await _over(task)
        await claude.until(lambda: not claude.answering)
        async with open_archive(sorting.path) as archive:
            tally = await archive.tally("one")
        assert tally.cost >= billed(claude) - 1e-9
    answers.waits = 0.0
    async with sorting.process() as (archive, runner):
        with contextlib.suppress(ModelError):
            await runner.classify()
        tally = await archive.tally("one")
        assert tally.cost >= billed(claude) - 1e-9


async def _over(task: "asyncio.Task[None]") -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)


async def test_an_undisturbed_run_is_booked_exactly(
    claude: ClaudeEmulator, tmp_path: Path
) -> None:
    sorting = Sorting(tmp_path / "triage.db", claude, budget=100.0)
    await sorting.begin(12)
    async with sorting.process() as (archive, runner):
        await runner.classify()
        tally = await archive.tally("one")
    assert tally.cost == pytest.approx(billed(claude))
    assert tally.lost == 0


async def test_a_budget_counts_what_an_interrupted_run_may_have_cost(
    claude: ClaudeEmulator, tmp_path: Path
) -> None:
    call = build_request(default(), MODEL, "It broke 1")
    most = cost_ceiling(call, 1_795_694_400.0)
    assert most is not None
    sorting = Sorting(tmp_path / "triage.db", claude, budget=5 * most)
    await sorting.begin(100)
    for _ in range(20):
        gate = Gate()
        claude.script([Think(tokens=4_000), Hold(gate)])
        async with sorting.process() as (_, runner):
            task = asyncio.create_task(runner.classify())
            await asyncio.wait(
                {task, asyncio.create_task(gate.reached.wait())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                with pytest.raises(BudgetReached):
                    await task
                break
            await _over(task)
    else:
        raise AssertionError("the budget never ended it")
    assert billed(claude) <= 5 * most


async def test_tries_that_failed_are_added_to_the_answer(
    claude: ClaudeEmulator,
) -> None:
    lost: list[Step] = [Think(tokens=3_000), Abort()]
    claude.script(sorted_as(), lost, lost, sorted_as())
    tested = concurrently(claude, Sleeps(), at_once=1)
    found = await classify(tested, "a", "b")
    assert sum(answer.cost or 0 for _, answer in found) >= billed(claude)
    assert tested.spend_limit.spent == pytest.approx(sum(a.cost or 0 for _, a in found))
    assert tested.spend_limit.unanswered == pytest.approx(0.0)


async def test_tries_that_were_refused_cost_nothing(claude: ClaudeEmulator) -> None:
    claude.script(sorted_as(), Fail(429), Fail(500), Fail(529))
    found = await classify(concurrently(claude, Sleeps(), at_once=1), "a", "b")
    assert sum(answer.cost or 0 for _, answer in found) == pytest.approx(billed(claude))


async def test_a_dearer_model_that_answers_is_paid_for(claude: ClaudeEmulator) -> None:
    claude.script([Other("claude-opus-5-5"), sorted_as()])
    [(_, answer)] = await classify(concurrently(claude), "a")
    assert answer.cost == pytest.approx(priced("claude-opus-5-5", answer.usage))


async def test_an_unknown_model_that_answers_costs_what_was_set_aside(
    claude: ClaudeEmulator,
) -> None:
    claude.script([Other("claude-unheard-of"), sorted_as()])
    tested = concurrently(claude)
    call = build_request(tested.scheme, tested.model, "a")
    [(_, answer)] = await classify(tested, "a")
    assert answer.cost == pytest.approx(cost_ceiling(call, tested.now()))


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), -1.0, 0.0])
async def test_a_budget_is_an_amount(budget: float) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        await aclassify(["It broke"], budget=budget, api_key="sk-ant-x")


@pytest.mark.parametrize("budget", ["nan", "inf", "-1", "0"])
def test_the_command_line_takes_amounts_only(
    budget: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command would set the log up for all tests that follow in this process.
    monkeypatch.setattr(logs, "set_up", lambda *_: None)
    tickets = tmp_path / "t.csv"
    tickets.write_text("ticket\nIt broke\n")
    env = {"ANTHROPIC_API_KEY": "sk-ant-x", "THREADKEEP_DB": str(tmp_path / "t.db")}
    ran = CliRunner().invoke(triage, ["run", str(tickets), "--budget", budget], env=env)
    assert ran.exit_code == 2
    assert not isinstance(ran.exception, ConfigError)


async def test_of_growing_calls_few_notes_are_taken() -> None:
    noted: list[float] = []

    async def note(usd: float) -> None:
        noted.append(usd)

    limit = SpendLimit(100.0, record=note)
    for _ in range(50):
        await limit.reserve(0.1)
    assert len(noted) < 10
    assert sum(noted) >= 5.0
    for nth in range(50):
        limit.release(0.1, None if nth == 0 else 0.05)
    await limit.close()
    assert sum(noted) == pytest.approx(limit.unanswered) == pytest.approx(0.1)


# Batches


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


async def test_a_batch_whose_results_are_gone_stays_booked(bench: Bench) -> None:
    bench.claude.batches.seconds = 60.0
    bench.claude.batches.kept = 61.0
    bench.budget = 5.0
    await bench.begin("a", "b")
    task = asyncio.create_task(bench.classify())
    await bench.claude.until(lambda: bool(bench.claude.batches.made))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    bench.now += MONTH
    with pytest.raises(Expired):
        await bench.classify()
    [sent] = await bench.archive.sent("one")
    tally = await bench.archive.tally("one")
    assert tally.cost == tally.lost == sent.most > 0


async def test_a_batch_that_may_have_arrived_is_looked_for_before_another_is_sent(
    bench: Bench,
) -> None:
    await bench.begin("a", "b")
    bench.claude.batches.faults.append(Abort())
    bench.claude.batches.unlisted = 5
    await bench.classify()
    assert await bench.results() == ["bug", "bug"]
    assert len(bench.claude.batches.made) == 1


async def test_what_a_batch_cost_is_paid_at_its_share(bench: Bench) -> None:
    await bench.begin("a", "b")
    await bench.classify()
    tally = await bench.archive.tally("one")
    assert tally.cost == pytest.approx(priced(MODEL, tally.usage) / 2)
