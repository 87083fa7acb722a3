"""Measures the time that settings and budgets add to a question, with few and many
settings."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks.table import middle, ratio, table, tail
from bot.domain.budget import NO_LIMITS, Budget, BudgetLimits, Period, PersonLimit
from bot.domain.completion import Usage
from bot.domain.message import Message
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.domain.turn import Ended, Outcome, Turn
from bot.ports.store import Store
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from storage.opening import open_store
from tests.support.store_helpers import answer

CHANNELS = 10_000
TIMES = 500

#: Three settings of each channel, and three of the workspace.
OWN = (("model", "claude-opus-5-5"), ("budget_day", "5"), ("quiet", "on"))
WIDE = (("prompt", "Be brief."), ("effort", "low"), ("budget_month", "500"))

USED = Usage(input=100, output=100)


async def measure(platforms: Sequence[str]) -> Table:
    """Resolve, reserve and book, with settings of 10,000 channels and with none."""
    few, many = await _measured(0), await _measured(CHANNELS)
    rows = [
        (
            *(name, middle(few[name]), tail(few[name])),
            *(middle(many[name]), tail(many[name]), ratio(many[name], few[name])),
        )
        for name in many
    ]
    return table(
        "governing: what settings and budgets take",
        ("step", "nothing set", "p99", f"{CHANNELS:,} channels", "p99", "ratio"),
        rows,
        caption=f"""Medians of {TIMES}; three settings in each channel and three in the
        workspace. A read is one indexed query; a write is a transaction of its own,
        with its fsync.""",
    )


async def _measured(channels: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(Path(folder) / "threadkeep.db") as store:
            await _fill(store, channels)
            return await _steps(store, max(1, channels))


async def _fill(store: Store, channels: int) -> None:
    wide = Scope("slack", "T1")
    changes = [Change(wide, n, v, versioned=n == "prompt") for n, v in WIDE]
    changes += [
        Change(Scope("slack", "T1", f"C{number}"), name, value)
        for number in range(channels)
        for name, value in OWN
    ]
    await store.change_settings(changes, who="U1", now=time.time())


async def _steps(store: Store, channels: int) -> dict[str, list[float]]:
    authority = SettingsAccess(store, {}, Operator())
    await authority.defaults()
    took: dict[str, list[float]] = {}
    for number in range(TIMES):
        thread = ThreadKey("slack", "T1", f"C{number * 7 % channels}", f"{number}.0")
        plain, turn = await _turn(store, thread, "a"), await _turn(store, thread, "b")
        place = Scope.of(thread)

        caps = BudgetLimits(
            (
                Budget(place.at(ScopeLevel.CHANNEL), Period.DAY, 1_000.0),
                Budget(place.at(ScopeLevel.WORKSPACE), Period.MONTH, 1_000.0),
            ),
            (PersonLimit(place.at(ScopeLevel.WORKSPACE), messages=1_000_000),),
        )
        done = Outcome(Ended.DONE, "Yes.", model="m", usage=USED, cost=0.01)
        now = time.time()
        person = f"U{number % 50}"
        for name, work in (
            ("resolve all settings of a message", authority.policy(place)),
            (
                "set money aside under three limits",
                store.reserve(turn, person, 0.02, caps, now),
            ),
            ("store an answer, with budgets", store.finish_turn(turn, done, now, caps)),
            (
                "store an answer, without",
                store.finish_turn(plain, done, now, NO_LIMITS),
            ),
        ):
            began = time.perf_counter()
            await work
            took.setdefault(name, []).append(time.perf_counter() - began)
    return took


async def _turn(store: Store, thread: ThreadKey, mark: str) -> Turn:
    heard = Message(thread, f"{thread.thread}{mark}", 1.0, "U1", "?", True, True)
    await store.receive(heard, answer)
    turn = await store.next_turn(thread)
    assert turn is not None
    await store.begin_turn(turn, 1.0)
    return turn
