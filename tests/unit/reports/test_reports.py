"""The operator's reports: groups, budgets and their pace, who may read what."""

from dataclasses import replace

import pytest

from bot.domain.budget import NO_LIMITS, Balance, Budget, Period, Spending
from bot.domain.channel_access import ChannelAccess
from bot.domain.completion import Usage
from bot.domain.reports import Pace, Reader, UsageKey
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.domain.turn import Ended, Outcome
from bot.domain.vitals import Connection, Vitals
from bot.errors import Denied, StorageFull
from bot.reports import usage
from bot.reports.changes import SettingReports
from bot.reports.labels import Labels
from bot.reports.money import MoneyReports
from bot.reports.monitor import FRESH, SETTLED, ProcessMonitor
from bot.reports.plain import plain
from bot.reports.threads import ThreadReports
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import HERE, THERE, ask, exchange, said

#: 26 November 2026, noon.
NOON = 1_795_694_400.0
CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)
GUEST, OWNER = Reader("token:ops"), Reader("operator", reads_private=True)


def spent(day: str, person: str, model: str, cost: float) -> Spending:
    used = Usage(input=10, cache_read=1_000, output=5)
    return Spending(day, Scope.of(HERE), person, model, "answer", 1, used, cost)


def test_usage_is_grouped_by_several_keys() -> None:
    rows = [
        spent("2026-11-25", "U1", "a", 0.5),
        spent("2026-11-26", "U1", "b", 1.0),
        spent("2026-11-26", "U1", "a", 0.25),
        spent("2026-11-26", "U2", "a", 0.1),
    ]
    found = usage.group(rows, [UsageKey.PERSON, UsageKey.MODEL])
    assert [(each.keys, each.cost) for each in found] == [
        (("slack:U1", "b"), 1.0),
        (("slack:U1", "a"), 0.75),
        (("slack:U2", "a"), 0.1),
    ]
    days = usage.group(rows, (UsageKey.DAY, UsageKey.MODEL))
    assert [each.keys for each in days] == [
        ("2026-11-25", "a"),
        ("2026-11-26", "b"),
        ("2026-11-26", "a"),
    ]
    total = usage.total(found)
    assert (total.calls, total.usage.output, round(total.cost, 2)) == (4, 20, 1.85)


def test_what_the_operator_pays_for_is_named_so() -> None:
    row = replace(spent("2026-11-25", "", "a", 0.1), place=EVERYWHERE, kind="mcp")
    for key in (UsageKey.CHANNEL, UsageKey.PERSON, UsageKey.THREAD):
        [found] = usage.group([row], [key], Labels())
        assert (found.keys, found.labels) == (("operator",), ("",))


@pytest.mark.parametrize(
    ("period", "share"), [(Period.DAY, 0.5), (Period.MONTH, 25.5 / 30)]
)
def test_the_pace_is_what_was_spent_over_the_part_that_passed(
    period: Period, share: float
) -> None:
    assert usage.share_passed(period, NOON) == pytest.approx(share)
    pace = Pace(Budget(EVERYWHERE, period, 10.0), "", Balance(2.0), share)
    assert pace.projected == pytest.approx(2.0 / share)
    # Right after the beginning it is a guess, and finite.
    assert usage.share_passed(period, period.begin(NOON)) > 0
    december = NOON + 20 * 86_400.0
    assert usage.share_passed(Period.MONTH, december) == pytest.approx(15.5 / 31)


async def test_every_budget_is_listed_the_most_used_first() -> None:
    store = MemoryStore()
    await exchange(store, said("m1"), "One.")
    changes = [Change(CHANNEL, "budget_day", "5"), Change(CHANNEL, "budget_month", "")]
    await store.change_settings(changes, who="U1", now=NOON)
    values = {"budget_total_month": "100", "budget_day": "20"}
    reports = MoneyReports(store, store, store, values, now=lambda: NOON)
    turn = await ask(store, said("m2", thread=THERE))
    await store.reserve(turn, "U1", 1.0, NO_LIMITS, NOON)
    found = await reports.budgets()
    assert [(each.budget.place, each.budget.usd) for each in found] == [
        (EVERYWHERE, 100.0),
        (CHANNEL, 5.0),
        (Scope("slack", "T1"), 20.0),
    ]
    assert all(each.balance.reserved == 1.0 for each in found)


async def place(store: MemoryStore) -> tuple[ThreadReports, FakeAdapter]:
    """Return an open channel and a closed one, each with a thread about a budget."""
    adapter = FakeAdapter("slack")
    adapter.may["C1", ""] = ChannelAccess(exists=True, is_public=True)
    adapter.may["C2", ""] = ChannelAccess(exists=True)
    await exchange(store, said("m1", text="the open budget"), "One.")
    hidden = ThreadKey("slack", "T1", "C2", "3.0")
    await exchange(store, said("m2", thread=hidden, text="the secret budget"), "Two.")
    adapters = {"slack": adapter}
    return ThreadReports(store, store, store, store, adapters, lambda: NOON), adapter


async def test_what_people_wrote_in_private_needs_a_right_to_it() -> None:
    store = MemoryStore()
    reports, _ = await place(store)
    hidden, shown = await reports.threads(GUEST)
    assert (shown.title, shown.is_private) == ("the open budget", False)
    assert (hidden.title, hidden.is_private) == ("", True)
    # A search does not tell that a word occurs there, either.
    found = await reports.threads(GUEST, wanted="budget")
    assert [each.title for each in found] == ["the open budget"]
    assert await reports.threads(GUEST, wanted="secret") == []
    found = await reports.threads(OWNER, wanted="budget")
    assert {each.title for each in found} == {"the open budget", "the secret budget"}
    with pytest.raises(Denied):
        await reports.transcript(GUEST, hidden.thread)
    with pytest.raises(Denied):
        await reports.delete(GUEST, hidden.thread)
    assert await store.audit(EVERYWHERE, 0.0, 10) == []


async def test_the_audit_says_who_read_and_who_deleted() -> None:
    store = MemoryStore()
    reports, _ = await place(store)
    found = await reports.transcript(GUEST, HERE)
    assert found is not None
    assert [line.text for line in found.lines] == ["the open budget", "One."]
    assert len(found.answers) == 1
    assert await reports.transcript(GUEST, HERE, export=True) is not None
    assert await reports.delete(OWNER, HERE)
    looks = await store.audit(EVERYWHERE, 0.0, 10)
    assert [(each.who, each.action, each.place) for each in looks] == [
        ("operator", "deleted", Scope.of(HERE)),
        ("token:ops", "exported", Scope.of(HERE)),
        ("token:ops", "read", Scope.of(HERE)),
    ]
    gone = await reports.transcript(OWNER, HERE)
    assert gone is None or gone.lines == ()
    assert await reports.transcript(OWNER, THERE) is None
    assert not await reports.delete(OWNER, THERE)


async def test_a_platform_that_says_nothing_makes_its_threads_private() -> None:
    store = MemoryStore()
    await place(store)
    offline = ThreadReports(store, store, store, store, {})
    assert {each.title for each in await offline.threads(GUEST)} == {""}
    with pytest.raises(Denied):
        await offline.transcript(GUEST, HERE)


async def test_changes_come_with_what_changed() -> None:
    store = MemoryStore()
    reports = SettingReports(store, store, store)
    for text in ("Be brief.\nBe kind.", "Be brief.\nBe bold."):
        change = Change(CHANNEL, "prompt", text, versioned=True)
        await store.change_settings([change], who="U1", now=NOON)
    newest, oldest = await reports.changes(EVERYWHERE, 0.0, 10)
    assert (newest.before, newest.after) == (
        "Be brief.\nBe kind.",
        "Be brief.\nBe bold.",
    )
    assert [line for line in newest.diff if line[0] in "+-"] == [
        "-Be kind.",
        "+Be bold.",
    ]
    assert oldest.before is None
    [setting] = await reports.settings()
    assert (setting.name, setting.value) == ("prompt", "Be brief.\nBe bold.")


class Fragile(MemoryStore):
    full = False

    async def require_writable(self) -> None:
        if self.full:
            raise StorageFull("full")


async def test_a_process_is_ready_that_can_write_and_was_heard() -> None:
    store, now, is_awake = Fragile(), NOON, True
    slack = Connection("slack", since=NOON - 50, heard=None)

    def vitals() -> Vitals:
        return Vitals(NOON, NOON - 60, connections=(slack,))

    monitor = ProcessMonitor(
        *(store, vitals),
        heard_within=100.0,
        now=lambda: now,
        is_awake=lambda: is_awake,
    )
    assert await monitor.unready() == []
    now += 60.0
    # It was connected long ago, and not heard since.
    [silent] = await monitor.unready()
    assert "slack" in silent
    slack = Connection("slack", since=NOON - 50, heard=now)
    assert await monitor.unready() == []
    slack = Connection("slack")
    [lost] = await monitor.unready()
    assert "not connected" in lost
    slack = Connection("slack", failure="The token was revoked.")
    [told] = await monitor.unready()
    assert "The token was revoked." in told
    slack = Connection("slack", is_local=True)
    store.full = True
    assert await monitor.unready() == []
    now += FRESH
    [full] = await monitor.unready()
    assert "database" in full
    store.full = is_awake = False
    now += FRESH
    [asleep] = await monitor.unready()
    assert "job queue" in asleep


async def test_calls_are_summed_from_the_start_however_often_asked() -> None:
    store, now = MemoryStore(), NOON
    monitor = ProcessMonitor(store, lambda: Vitals(NOON, NOON - 1), now=lambda: now)
    paid = Outcome(Ended.DONE, "Yes.", model="m", cost=0.5)
    for count in range(1, 5):
        turn = await ask(store, said(f"m{count}", at=float(count)))
        await store.finish_turn(turn, paid, now)
        await store.mark_delivered(turn, now)
        [found] = await monitor.calls()
        assert (found.calls, found.cost) == (count, 0.5 * count)
        assert await monitor.calls() == [found]
        now += SETTLED * 0.7


def test_plain_values_are_what_json_holds() -> None:
    found = plain(Vitals(NOON, NOON - 60, connections=(Connection("slack"),)))
    assert found["at"] == "2026-11-26T12:00:00+00:00"
    assert found["connections"][0]["local"] is False
    assert plain({UsageKey.DAY: Scope("slack", "T1")}) == {"day": "slack:T1"}
    assert plain(HERE) == "slack:T1:C1:1.0"
