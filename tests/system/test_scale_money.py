"""Workers that spend one budget at once, and are killed while they hold
reservations."""

import asyncio
from pathlib import Path

import pytest

from tests.emulators.claude import bill
from tests.emulators.claude.reply import Hold
from tests.support.deep import rounds
from tests.support.process import Nursery
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUDGET = 0.05

# What holds for the workspace on a day.
ACCOUNT = """
    SELECT coalesce(sum(spent), 0.0), coalesce(sum(reserved), 0.0) FROM accounts
    WHERE workspace <> '' AND channel = '' AND length(period) = length('2026-11-30')
"""
# Turns that are not told yes or no, those that hold money, and those that are not over.
UNDECIDED = """
    SELECT count(*) FROM turns WHERE state <> 'delivered' AND NOT EXISTS (
        SELECT 1 FROM charges
        WHERE charges.turn = turns.key AND charges.ended_at IS NULL
    )
"""
HOLDING = "SELECT count(*) FROM charges WHERE ended_at IS NULL"
# Those that a process other than the one of this name answers.
OF_OTHERS = """
    SELECT count(*) FROM charges
    JOIN turns ON turns.key = charges.turn
    JOIN threads ON threads.id = turns.thread_id
    JOIN processes ON processes.id = threads.owner
    WHERE charges.ended_at IS NULL AND processes.name NOT LIKE %s
"""
OPEN = "SELECT count(*) FROM turns WHERE state <> 'delivered'"
ASKED = "SELECT count(*) FROM turns"
DONE = "SELECT count(*) FROM turns WHERE ended = 'done'"


def balance(town: Cluster) -> tuple[float, float]:
    """Return the money spent and held; check that it is within the budget."""
    [(spent, held)] = town.ask(ACCOUNT)
    assert isinstance(spent, float)
    assert isinstance(held, float)
    assert spent + held <= BUDGET + 1e-9
    return spent, held


async def test_questions_at_once_never_pass_the_budget_whoever_is_killed(
    tmp_path: Path, nursery: Nursery
) -> None:
    questions, workers = rounds(6, 100), rounds(2, 8)
    async with cluster(tmp_path, nursery) as town:
        town.env = {
            "THREADKEEP_BUDGET_DAY": str(BUDGET),
            "THREADKEEP_MAX_TOKENS": "1000",
        }
        gate = asyncio.Event()
        town.claude.always(["Paris is ", Hold(gate), "the capital."])
        await town.start("gateway")
        for _ in range(workers):
            await town.start("work")
        for _ in range(questions):
            town.say("?")

        async def until(statement: str, count: int) -> None:
            def there() -> bool:
                balance(town)
                return town.ask(statement) == [(count,)]

            await town.until(there)

        await until(ASKED, questions)
        await until(UNDECIDED, 0)
        # As many are answered as the budget pays for, should each be as long as it may.
        [(holding,)] = town.ask(HOLDING)
        assert 0 < int(str(holding)) < questions
        _, held = balance(town)
        assert held > 0.0
        killed = town.processes[-1]
        [(of_others,)] = town.ask(OF_OTHERS, f"%:{killed.pid}")
        await town.crash(killed)
        gate.set()
        await until(OPEN, 0)
        spent, held = balance(town)
        assert held == pytest.approx(0.0, abs=1e-9)
        # What the killed one had begun is booked at its bound, which may leave nothing
        # for a second attempt.
        [(done,)] = town.ask(DONE)
        assert int(str(done)) >= int(str(of_others))
        # The API's own books: it billed no more than was booked.
        assert sum(map(bill.usd, town.claude.requests)) <= spent + 1e-9
