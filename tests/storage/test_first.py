"""A database that the first version of Threadkeep wrote goes on.

`tests/data/threadkeep-first.db` was written by the store of that version itself, when
it knew `m001_conversations` alone: three threads, four answered turns of which one has
no known price, an answer that is not delivered, and one that was being written.
"""

import shutil
from pathlib import Path

import pytest

from bot.domain.budget import Budget, BudgetLimits, Period
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.domain.turn import Ended, Outcome
from storage.beside import read_spending
from storage.database import open_for_writing
from storage.opening import open_shared_store, open_store
from tests.support.store_helpers import ask, following, said

FIRST = Path(__file__).parent.parent / "data" / "threadkeep-first.db"

#: When its first message was said: 23 November 2026, 13:34 UTC.
BEGAN = 1_795_400_060.0
CHANNEL = Scope("slack", "T00000001", "C00000004")
THREAD = ThreadKey("slack", "T00000001", "C00000004", f"{BEGAN:.6f}")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A copy of the file, for somebody to bring up to date."""
    return Path(shutil.copy(FIRST, tmp_path / "threadkeep.db"))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file as this version brings it up to date."""
    path = Path(shutil.copy(FIRST, tmp_path_factory.mktemp("migrated") / "a.db"))
    open_for_writing(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path, migrated: Path) -> Path:
    """A copy of the file that was brought up to date."""
    return Path(shutil.copy(migrated, tmp_path / "threadkeep.db"))


async def test_everything_that_was_said_is_still_there(path: Path) -> None:
    async with open_store(path) as store:
        transcript = await store.transcript(THREAD)
        conversation = await store.conversation(THREAD)
        assert len(await store.list_threads("slack", "C00000004")) == 2
        assert len(await store.open_threads()) == 2
    assert [author for author, _ in transcript] == [
        *("U00000002", "", "U00000003", "", "U00000002", "")
    ]
    assert conversation[0].content.startswith("<note>It is Sunday.</note>")
    assert conversation[-1].content == "You are welcome."


async def test_what_was_spent_counts_on_budgets_that_are_set_now(path: Path) -> None:
    async with open_store(path) as store:
        rows = await store.spending(0.0)
        assert sum(row.turns for row in rows) == 5
        assert sum(row.cost for row in rows) == pytest.approx(4 * 0.004)
        assert sum(row.unpriced for row in rows) == 1
        month = await store.balance(CHANNEL, Period.MONTH, BEGAN)
        assert month.spent == pytest.approx(4 * 0.004)
        everywhere = CHANNEL.at(ScopeLevel.WORKSPACE)
        day = await store.balance(everywhere, Period.DAY, BEGAN)
        assert day.spent == pytest.approx(4 * 0.004)
        turn = await ask(store, said("new", at=BEGAN, thread=THREAD))
        caps = BudgetLimits((Budget(CHANNEL, Period.MONTH, 0.02),))
        short = await store.reserve(turn, "U1", 0.005, caps, BEGAN)
        assert short is not None
        assert await store.reserve(turn, "U1", 0.003, caps, BEGAN) is None
        outcome = Outcome(
            Ended.DONE, text="Yes.", model="m", usage=Usage(input=1), cost=0.001
        )
        [alert] = await store.finish_turn(turn, outcome, BEGAN, caps)
        assert alert.share == 0.75


async def test_what_was_left_open_is_taken_up(path: Path) -> None:
    async with open_store(path) as store:
        left = await following(store, ThreadKey(*_open("1795400240.000000")))
        assert left.text == "It means that the pool had no connection left."
        assert await store.reserve(left, "U1", 1.0, BudgetLimits(), BEGAN) is None


async def test_settings_can_be_made_in_it(path: Path) -> None:
    change = Change(CHANNEL, "prompt", "Be brief.", versioned=True)
    async with open_store(path) as store:
        assert await store.change_settings([change], who="U1", now=BEGAN)
        await store.pin_settings(THREAD, {"model": "m"})
        found = await store.stored_settings(Scope.of(THREAD))
    assert [setting.name for setting in found.settings] == ["prompt"]
    assert found.kept == {"model": "m"}


async def test_its_tables_are_sound_afterwards(first: Path) -> None:
    db = open_for_writing(first)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


async def test_beside_it_nothing_is_changed_before_it_is_up_to_date(
    first: Path,
) -> None:
    with pytest.raises(Exception, match="start this one once"):
        async with open_shared_store(first):
            pass
    async with open_store(first):
        pass
    async with open_shared_store(first) as other:
        assert await other.list_settings(EVERYWHERE) == []
    assert len(await read_spending(first, 0.0)) > 0


async def test_settings_are_changed_beside_a_running_bot(path: Path) -> None:
    change = Change(CHANNEL, "quiet", "on")
    async with open_store(path) as store, open_shared_store(path) as other:
        await other.change_settings(
            [change], who="operator", now=BEGAN, action="imported"
        )
        [setting] = (await store.stored_settings(CHANNEL)).settings
        assert setting.value == "on"
        [entry] = await store.audit(CHANNEL, 0.0, 5)
        assert (entry.who, entry.action) == ("operator", "imported")


def _open(thread: str) -> tuple[str, str, str, str]:
    return "slack", "T00000001", "C00000004", thread
