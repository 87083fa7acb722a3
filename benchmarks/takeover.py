"""Measures the cost of a shared PostgreSQL database for one question, and how soon
other processes continue the answers of a process that ended."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Group
from rich.table import Table

from benchmarks.distance import distant
from benchmarks.platforms import clock
from benchmarks.scale_town import PATIENCE, Town, town
from benchmarks.table import middle, ratio, span, table, tail
from tests.emulators.claude.reply import Hold
from tests.support import postgres
from tests.support.process import Process

EVENTS = 50
WARM_UP = 5
TIMES = 3
WORKERS = 2
# The additional seconds of a round trip in a data centre.
FAR = 0.001
IDLE_SECONDS = 20.0
# Seconds for which new processes do not regard others as dead.
SETTLED = 6.0
GATEWAYS, MANY = 2, 8

#: Does the harm. Returns the seconds until an answer continues.
Harm = Callable[[Town], Awaitable[float]]

# The process that answers a thread.
OWNER = """
    SELECT processes.name FROM threads JOIN processes ON processes.id = owner
    WHERE threads.thread = %s
"""


async def measure(platforms: Sequence[str]) -> Group:
    """Measure single questions, then takeovers, and then idle processes."""
    if "slack" not in platforms:
        return Group()
    return Group(await _latency(), "", await _takeover(), "", await _idle())


async def _latency() -> Table:
    ways = {
        "one process on SQLite": await _asked("serve", file=True),
        "one process on PostgreSQL": await _asked("serve"),
        "gateway and worker": await _asked("gateway", "work"),
        "the same, 1 ms from PostgreSQL": await _asked("gateway", "work", far=FAR),
    }
    first = ways["one process on SQLite"]
    return table(
        "scale: from Slack's event to Claude's request",
        ("processes", "median", "p99", "ratio"),
        [
            (name, middle(took), tail(took), ratio(took, first))
            for name, took in ways.items()
        ],
        caption=f"{EVENTS} questions, one at a time, each in a new thread.",
    )


async def _asked(*roles: str, file: bool = False, far: float = 0.0) -> list[float]:
    """Return the seconds from the event of each question until Claude has the request.
    Each round trip to PostgreSQL takes `far` seconds longer."""
    async with town() as here, contextlib.AsyncExitStack() as stack:
        env = {}
        if far:
            way = distant(here.address, far, here.folder / "far")
            env["THREADKEEP_DB"] = postgres.uri(stack.enter_context(way))
        if file:
            path = here.folder / "threadkeep.db"
            await here.add_teams(1, path)
            env["THREADKEEP_DB"] = str(path)
        team = here.teams[-1]
        for role in roles:
            await here.start(role, **env)
        took = []
        for _ in range(WARM_UP + EVENTS):
            begun = clock()
            await team.answered(team.ask())
            took.append(here.claude.questions[-1].at - begun)
        return took[WARM_UP:]


async def _takeover() -> Table:
    rows = []
    for name, harm in (
        ("worker killed", _kill),
        ("worker frozen", _freeze),
        ("database restarted", _restart),
    ):
        took = [await _gone(harm) for _ in range(TIMES)]
        rows.append((name, middle(took), span(max(took))))
    return table(
        "scale: until an answer goes on",
        ("what happens", "median", "worst of 3"),
        rows,
        caption=f"""A gateway and {WORKERS} workers. Until Claude has the request of
        another worker; after a restart of the database, from when it takes connections
        until Claude has a question that was asked while it was away.""",
    )


async def _gone(harm: Harm) -> float:
    async with town() as here:
        await here.start("gateway")
        for _ in range(WORKERS):
            await here.start("work")
        await asyncio.sleep(SETTLED)
        return await harm(here)


async def _kill(here: Town) -> float:
    return await _taken(here, signal.SIGKILL)


async def _freeze(here: Town) -> float:
    return await _taken(here, signal.SIGSTOP)


async def _taken(here: Town, harm: signal.Signals) -> float:
    """Return the seconds from the harm to an answering process until another one asks
    Claude."""
    gate = asyncio.Event()
    here.claude.always(["Paris is ", Hold(gate), "the capital."])
    ts = here.teams[0].ask()
    await here.slack.until(lambda: "Paris" in here.teams[0].answer(ts), PATIENCE)
    process = _named(here, ts)
    begun = clock()
    process.kill(harm)
    await here.claude.until(lambda: len(here.claude.questions) == 2, PATIENCE)
    gate.set()
    return here.claude.questions[-1].at - begun


def _named(here: Town, ts: str) -> Process:
    [(name,)] = here.ask(OWNER, ts)
    pid = str(name).rpartition(":")[2]
    [found] = [each for each in here.processes if str(each.pid) == pid]
    return found


async def _restart(here: Town) -> float:
    team = here.teams[0]
    await team.answered(team.ask())
    before = len(here.claude.questions)
    await asyncio.to_thread(here.stop_server)
    team.ask()
    await asyncio.to_thread(here.start_server)
    begun = clock()
    await here.claude.until(lambda: len(here.claude.questions) > before, PATIENCE)
    return here.claude.questions[-1].at - begun


async def _idle() -> Table:
    async with town() as here:
        for _ in range(GATEWAYS):
            await here.start("gateway")
        for _ in range(MANY):
            await here.start("work")
        # Skip the start-up work of processes, which is not part of the idle load.
        await asyncio.sleep(IDLE_SECONDS)
        before = here.used()
        await asyncio.sleep(IDLE_SECONDS)
        used = {name: each - before[name] for name, each in here.used().items()}
    share = {name: f"{each / IDLE_SECONDS:.1%}" for name, each in used.items()}
    return table(
        "scale: processes that nobody asks",
        (f"{GATEWAYS} gateways", f"{MANY} workers", "PostgreSQL", "all"),
        [
            (
                *(share[name] for name in ("gateway", "work", "PostgreSQL")),
                f"{sum(used.values()) / IDLE_SECONDS:.1%}",
            )
        ],
        caption=f"Of one core, over {IDLE_SECONDS:.0f} s.",
    )
