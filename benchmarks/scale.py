"""Measures how answers per second grow with the workers on one PostgreSQL database, and
the cost of an answer for each process.

`python -m benchmarks.scale` measures only streamed answers, for some minutes, and
prints the result of each number of workers when it is measured.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.table import Table

from benchmarks.machine import facts
from benchmarks.scale_town import PATIENCE, Town, town
from benchmarks.table import middle, span, table, tail

WORKERS = (1, 2, 4, 8)
# So many workspaces that their limits do not bound the answers.
TEAMS = 100
AT_ONCE = 50
# Questions for each worker, which answers AT_ONCE of them at a time.
STREAMED = 100
# An answer takes ten seconds.
TOKENS, TOKENS_PER_SECOND = 40, 4.0
SECONDS = TOKENS / TOKENS_PER_SECOND
# The emulator counts four characters a token.
TEXT = "and " * TOKENS
# Questions for all workers together.
BURST = 400
# The number of questions asked at once, so small that no acknowledgement is late
# because of the load.
BATCH = 25
WARM_UP = 2
WIDTH = 120

TIMES = """
    SELECT min(created_at), max(delivered_at), count(*) FROM turns WHERE id > %s
"""
WAITS = "SELECT started_at - created_at FROM turns WHERE id > %s"
LAST = "SELECT coalesce(max(id), 0) FROM turns"
LOG = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one round of questions to `workers` workers."""

    workers: int
    #: Answers per second, from the first question to the last delivery.
    rate: float
    #: Seconds until each answer began.
    waits: Sequence[float]
    #: CPU seconds per answer, by the program that used them.
    used: dict[str, float]
    #: Bytes of PostgreSQL's write-ahead log per answer.
    log: float


async def measure(platforms: Sequence[str]) -> Group:
    """Ask more than the workers can answer at once: first streamed answers, and then
    answers that only take CPU time."""
    if "slack" not in platforms:
        return Group()
    slow = [await _round(n, TOKENS_PER_SECOND, STREAMED * n) for n in WORKERS]
    fast = [await _round(n, None, BURST) for n in WORKERS]
    return Group(_streamed(slow), "", _at_once(fast))


def _streamed(rounds: Sequence[Round]) -> Table:
    rows = []
    for each in rounds:
        goal = each.workers * AT_ONCE / SECONDS
        share = f"{each.rate / goal:.0%}"
        rows.append((*_named(each), f"{goal:.0f}", share, *_costs(each)))
    return table(
        "scale: answers that take their time",
        ("workers", "answers/s", "possible", "share", *COSTS),
        rows,
        caption=f"""Each worker answers {AT_ONCE} at once, and {STREAMED} questions for
        each are asked in a row in {TEAMS} Slack workspaces; an answer is {TOKENS}
        tokens in {SECONDS:.0f} s. {CAPTION}""",
    )


def _at_once(rounds: Sequence[Round]) -> Table:
    rows = [
        (
            *_named(each),
            f"{each.rate / rounds[0].rate:.1f}x",
            *(middle(each.waits), tail(each.waits)),
            *_costs(each),
        )
        for each in rounds
    ]
    return table(
        "scale: answers that are there at once",
        ("workers", "answers/s", "ratio", "until begun", "p99", *COSTS),
        rows,
        caption=f"""{BURST} questions asked in a row, which Claude answers without
        delay; the emulators use the same two cores. {CAPTION}""",
    )


COSTS = ("worker", "gateway", "PostgreSQL", "emulators", "log")
CAPTION = """Worker, gateway, PostgreSQL and emulators of Slack and Claude: processor
time of one answer. Log: what one answer adds to PostgreSQL's log of changes."""


def _named(each: Round) -> tuple[str, str]:
    return str(each.workers), f"{each.rate:.1f}"


def _costs(each: Round) -> tuple[str, ...]:
    spans = (
        span(each.used[name]) for name in ("work", "gateway", "PostgreSQL", "emulators")
    )
    return *spans, f"{each.log / 1024:.0f} KiB"


async def _round(workers: int, tokens_per_second: float | None, count: int) -> Round:
    async with town(tokens_per_second, TEAMS) as here:
        here.claude.always([TEXT])
        await here.start("gateway")
        places = {"THREADKEEP_ANSWERS_AT_ONCE": str(AT_ONCE)}
        await asyncio.gather(*(here.start("work", **places) for _ in range(workers)))
        await _ask(here, WARM_UP * workers)
        await here.delivered()
        [(last,)] = here.ask(LAST)
        used, [(log,)] = here.used(), here.ask(LOG)
        await _ask(here, count)
        await here.delivered()
        [(begun, ended, found)] = here.ask(TIMES, last)
        assert found == count, f"{found} of {count}"
        assert isinstance(begun, float)
        assert isinstance(ended, float)
        after = here.used()
        [(grown,)] = here.ask(LOG)
        return Round(
            workers=workers,
            rate=count / (ended - begun),
            waits=[float(str(wait)) for (wait,) in here.ask(WAITS, last)],
            used={name: (after[name] - used[name]) / count for name in after},
            log=(float(str(grown)) - float(str(log))) / count,
        )


async def _ask(here: Town, count: int) -> None:
    for number in range(count):
        here.teams[number % TEAMS].ask()
        if number % BATCH == BATCH - 1:
            await here.slack.until(lambda: here.slack.settled, PATIENCE)


async def _main() -> None:
    console = Console(width=WIDTH)
    console.print(facts(), "", highlight=False)
    rounds = []
    for workers in WORKERS:
        found = await _round(workers, TOKENS_PER_SECOND, STREAMED * workers)
        console.print(*_named(found), *_costs(found), highlight=False)
        rounds.append(found)
    console.print("", _streamed(rounds))


if __name__ == "__main__":
    asyncio.run(_main())
