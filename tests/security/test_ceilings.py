"""Admins cannot exceed the operator's limits on money and on the people who may ask."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.budgets.totals import Totals
from bot.commands.catalog import ASKING, COMMANDS
from bot.config import Config
from bot.domain.budget import (
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    Period,
)
from bot.domain.completion import Report, Usage
from bot.domain.person import Person
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.setting import Setting, StoredSettings
from bot.errors import ConfigError, DeliveryError
from bot.messages.answers import NOT_ADMITTED
from bot.ports.store import Store
from bot.settings import audience
from bot.settings.audience import Audience
from bot.settings.effective import Operator, resolve, totals
from bot.settings.operator_limits import CEILINGS
from bot.settings.options import BY_NAME, OPTIONS
from bot.triage.chat.auto import BROKE
from bot.ui.elements import Form, Response
from storage.beside import read_balances
from storage.migrations import migrations
from storage.opening import open_store
from storage.persons import GRAIN
from tests.contracts.test_store_money import MIDNIGHT, NOON, paid, turn_in
from tests.security.houses import EVE, Houses, thread, workspace
from tests.support.deep import rounds
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.triage_requests import sorted_as

T1, T2, GUILD = thread(), thread(workspace="T2"), thread("discord", "42")

DAY = Budget(EVERYWHERE, Period.DAY, 1.0)
MONTH = Budget(EVERYWHERE, Period.MONTH, 1.0)

#: About $0.04 of output.
DEAR = Usage(input=100, output=4_000)


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def operator(**values: str) -> Operator:
    return Operator({"prompt": "Be brief.", **values}, admins=frozenset({"slack:root"}))


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.01)


# What the environment may say.


def test_every_mistake_in_the_limits_is_named_at_once() -> None:
    env = {
        "THREADKEEP_BUDGET_DAY": "0",
        "THREADKEEP_BUDGET_TOTAL_DAY": "0",
        "THREADKEEP_BUDGET_TOTAL_MONTH": "much",
        "THREADKEEP_PERSON_USD": "-1",
        "THREADKEEP_WORKSPACES": "slack:T1 slak:T2",
        "THREADKEEP_WHO": "U1",
    }
    with pytest.raises(ConfigError) as caught:
        Config.from_env(env)
    for name in env:
        assert name in str(caught.value)


@pytest.mark.parametrize("name", ["THREADKEEP_WORKSPACES", "THREADKEEP_WHO"])
def test_a_secret_in_the_wrong_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({name: "slack:T1 xoxb-1234-secret, slack:everyone"})
    assert f"Entry 2 of {name}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_budgets_in_all_are_read_like_those_of_a_workspace() -> None:
    env = {
        "THREADKEEP_BUDGET_TOTAL_DAY": "$12.50",
        "THREADKEEP_BUDGET_TOTAL_MONTH": "9",
    }
    assert Config.from_env(env).totals == (
        Budget(EVERYWHERE, Period.DAY, 12.5),
        Budget(EVERYWHERE, Period.MONTH, 9.0),
    )


# What admins set.

AMOUNTS = [option for option in OPTIONS if option.name in CEILINGS]


def test_every_amount_of_money_is_a_ceiling() -> None:
    money = {name for name in BY_NAME if "budget" in name or "usd" in name}
    assert money <= CEILINGS <= BY_NAME.keys()


def test_whatever_admins_set_the_operators_amounts_hold() -> None:
    draw = random.Random(7)
    here = Scope("slack", "T1", "C1", "1.0")
    for _ in range(rounds(100, 20_000)):
        own = {o.name: str(draw.randint(1, 9)) for o in AMOUNTS if draw.random() < 0.7}
        settings = tuple(
            Setting(here.at(level), o.name, str(draw.randint(1, 100_000)), "eve", 1, 1)
            for o in AMOUNTS
            for level in o.levels
            if draw.random() < 0.5
        )
        policy = resolve(here, StoredSettings(settings), {"prompt": "1", **own})
        wide = here.at(ScopeLevel.WORKSPACE)
        for name, period in (
            ("budget_day", Period.DAY),
            ("budget_month", Period.MONTH),
        ):
            caps = [c for c in policy.caps.budgets if c.period is period]
            least = [c.usd for c in caps if c.place == wide]
            assert name not in own or min(least) <= float(own[name])
            # Two of one account would be told of again and again.
            assert len(least) <= 1
        if own.get("person_messages"):
            limits = [p.messages for p in policy.caps.people if p.place == wide]
            assert min(m for m in limits if m) <= int(own["person_messages"])
        if own.get("person_usd"):
            spend = [p.usd for p in policy.caps.people if p.place == wide]
            assert min(u for u in spend if u) <= float(own["person_usd"])
        if own.get("triage_budget"):
            least_now = float(policy.least("triage_budget").value)
            assert least_now <= float(own["triage_budget"])


async def test_an_owner_raises_no_budget_by_whatever_way() -> None:
    at = GUILD
    houses = Houses(operator(budget_day="0.05", max_tokens="4000"))
    # From before there was a ceiling, or imported.
    await houses.put(workspace(at), "budget_day", "100000")
    last = Report("claude-sonnet-5-5", "r", DEAR, "end_turn")
    for _ in range(20):
        houses.model.script("Yes.", last)
    async with houses.open():
        told = await houses.told(
            at, "budget", period="day", value="99999", where="workspace"
        )
        assert "Saved" in told
        assert "at most $0.05" in told
        told = await houses.told(at, "set", option="budget_day", value="99998")
        assert "only the operator can raise it" in told
        form = await houses.give(at, "edit", option="budget_day", where="workspace")
        assert isinstance(form, Form)
        sent = form.command.having({"budget_day": "99997"})
        reply = await houses.app.host.commands.run(sent, Scope.of(at), EVE)
        assert isinstance(reply, Response)
        assert "The operator allows at most" in reply.text
        smaller = await houses.told(at, "set", option="budget_day", value="0.01")
        assert "The operator allows at most" not in smaller
        await houses.told(at, "set", option="budget_day", value="inherit")
        for count in range(1, 6):
            await houses.ask(at)
            texts = await houses.answered(at, count)
        shown = await houses.told(at, "settings")
    balance = await houses.store.balance(workspace(at), Period.DAY, time.time())
    assert balance.spent <= 0.05
    assert len(houses.model.requests) == 1
    assert "when the bot's operator raises it" in texts[-1]
    assert "$0.05, the most that the operator allows" in shown


async def test_an_admins_own_smaller_budget_holds_besides() -> None:
    houses = Houses(operator(budget_day="50"))
    await houses.put(workspace(T1), "budget_day", "0.0001")
    async with houses.open():
        await houses.ask(T1)
        [text] = await houses.answered(T1)
        await houses.ask(T2)
        assert await houses.answered(T2) == ["Understood."]
    assert "$0.0001" in text
    assert "the bot's operator" not in text


async def test_a_budget_of_automatic_triage_is_a_ceiling_too() -> None:
    houses = Houses(operator(triage_budget="0.0001"))
    for name, value in (("auto_triage", "on"), ("triage_budget", "1000")):
        await houses.put(Scope.of(T1).at(ScopeLevel.CHANNEL), name, value)
    async with houses.open():
        await houses.ask(T1, "It broke", addressed=False)
        await houses.adapters["slack"].until(
            lambda: bool(houses.adapters["slack"].told)
        )
        shown = await houses.told(T1, "settings")
        case = await houses.store.case(1)
    assert case is not None
    assert case.reason == BROKE
    assert houses.model.requests == []
    [(_, told)] = houses.adapters["slack"].told
    assert "operator can raise it" in told
    assert "$1,000.00" in shown
    assert "The operator allows at most $0.0001" in shown


async def test_a_person_limit_of_the_operator_is_a_ceiling() -> None:
    houses = Houses(operator(person_messages="1"))
    await houses.put(workspace(T1), "person_messages", "1000")
    async with houses.open():
        await houses.ask(T1)
        await houses.answered(T1)
        await houses.ask(T1)
        texts = await houses.answered(T1, 2)
    assert "the limit of 1 question an hour" in texts[1]
    assert len(houses.model.requests) == 1


# Over all workspaces.


async def test_every_kind_of_call_is_booked_in_all_and_held_to_it(store: Store) -> None:
    caps = BudgetLimits((DAY,))
    kinds = ("routing", "try", "triage", "auto-triage")
    places = [Scope("slack", "T1", "C1"), Scope("discord", "42", "7", "8")]
    for number, kind in enumerate(kinds):
        charge = Charge(places[number % 2], "U1", kind, "m", 0.2)
        opened = await store.open_charge(charge, caps, NOON)
        assert isinstance(opened, int)
    turn = await turn_in(store, 1)
    assert await store.reserve(turn, "U1", 0.2, caps, NOON) is None
    balance = await store.balance(EVERYWHERE, Period.DAY, NOON)
    assert balance.reserved == pytest.approx(1.0)
    for number, kind in enumerate(kinds):
        charge = Charge(places[number % 2], "U2", kind, "m", 0.01)
        short = await store.open_charge(charge, caps, NOON)
        assert isinstance(short, BudgetExceeded)
        assert short.budget == DAY
    refused = await store.reserve(await turn_in(store, 2), "U2", 0.01, caps, NOON)
    assert refused is not None
    assert refused.budget == DAY
    for number in range(1, 5):
        await store.close_charge(number, Usage(), 0.1, NOON)
    await store.finish_turn(turn, paid(0.1), NOON, caps)
    balance = await store.balance(EVERYWHERE, Period.MONTH, NOON)
    assert balance.spent == pytest.approx(0.5)
    assert balance.reserved == 0.0


async def test_a_hundred_calls_at_once_from_everywhere_keep_to_it(store: Store) -> None:
    async def call(number: int) -> object:
        platform, where = [("slack", "T1"), ("slack", "T2"), ("discord", "42")][
            number % 3
        ]
        place = Scope(platform, where, f"C{number % 7}")
        kind = ("try", "triage", "auto-triage", "routing")[number % 4]
        charge = Charge(place, f"U{number}", kind, "m", 0.1)
        return await store.open_charge(charge, BudgetLimits((DAY, MONTH)), NOON)

    found = await asyncio.gather(*map(call, range(rounds(40, 2_000))))
    assert sum(isinstance(each, int) for each in found) == 10
    balance = await store.balance(EVERYWHERE, Period.DAY, NOON)
    assert balance.reserved <= 1.0 + GRAIN


async def test_the_next_day_begins_with_nothing_and_the_month_goes_on(
    store: Store,
) -> None:
    await store.finish_turn(await turn_in(store, 1), paid(0.9), MIDNIGHT - 1)
    turn = await turn_in(store, 2)
    short = await store.reserve(turn, "U1", 0.2, BudgetLimits((DAY,)), MIDNIGHT - 1)
    assert short is not None
    assert (
        await store.reserve(turn, "U1", 0.2, BudgetLimits((DAY,)), MIDNIGHT + 1) is None
    )
    again = await turn_in(store, 3)
    short = await store.reserve(
        again, "U1", 0.2, BudgetLimits((DAY, MONTH)), MIDNIGHT + 1
    )
    assert short is not None
    assert short.budget == MONTH


async def test_a_budget_below_what_was_spent_lets_nothing_through(store: Store) -> None:
    await store.finish_turn(await turn_in(store, 1), paid(5.0), NOON)
    turn = await turn_in(store, 2)
    short = await store.reserve(turn, "U1", 0.0001, BudgetLimits((DAY,)), NOON)
    assert short is not None
    assert (short.budget, short.spent) == (DAY, 5.0)


async def test_what_moves_with_its_thread_stays_in_the_sum(store: Store) -> None:
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 0.5, BudgetLimits(), NOON)
    await store.move_thread(turn.thread, thread(workspace="T1", number=9))
    assert await store.balance(EVERYWHERE, Period.DAY, NOON) == Balance(0.0, 0.5)


async def test_strangers_of_many_workspaces_share_what_the_operator_pays() -> None:
    houses = Houses(operator(budget_total_day="0.5", max_tokens="4096"))
    gate, count = asyncio.Event(), rounds(12, 100)
    threads = [
        thread(*(("slack", f"T{n % 3}") if n % 2 else ("discord", str(n % 4))), n)
        for n in range(count)
    ]
    for at in threads:
        await houses.put(workspace(at), "budget_day", "100000")
    for _ in threads:
        last = Report("claude-sonnet-5-5", "r", Usage(1_000, output=4_000), "end_turn")
        houses.model.script("Yes.", gate, last)
    async with houses.open():
        await asyncio.gather(*(houses.ask(at) for at in threads))
        slack, discord = houses.adapters.values()
        await slack.until(lambda: len(slack.seen) == count // 2)
        await discord.until(lambda: len(discord.seen) == count // 2)
        gate.set()
        texts = [(await houses.answered(at))[0] for at in threads]
        balance = await houses.store.balance(EVERYWHERE, Period.DAY, time.time())
    refused = [text for text in texts if "his bot's budget for today" in text]
    assert 0 < len(houses.model.requests) == count - len(refused) < count
    assert balance.spent <= 0.5
    assert balance.reserved == 0


async def test_used_up_it_stops_every_way_to_claude_and_tells_no_amount() -> None:
    houses = Houses(operator(budget_total_month="0.0001", triage_budget="5"))
    channel = Scope.of(T1).at(ScopeLevel.CHANNEL)
    await houses.put(channel, "model", "auto")
    await houses.put(channel, "auto_triage", "on")
    async with houses.open():
        message = houses.heard(T1)
        await houses.app.host.inbox.receive(message)
        [text] = await houses.answered(T1)
        tried = await houses.told(T1, "try run", prompt="Be kind.", question="Why?")
        told = await houses.app.host.commands.triage(houses.heard(T1, "It broke"), EVE)
        houses.adapters["slack"].past = [houses.heard(T1, "It broke, too")]
        sorted_thread = await houses.told(T1, "triage")
        retried = await houses.told(T1, "retry")
        again = await houses.answered(T1)
        await houses.ask(T1, "It broke", addressed=False)
        await until(lambda: houses.store.case(3))
        [shown, usage, budget] = [
            await houses.told(T1, verb, Person("max"))
            for verb in ("settings", "usage", "budget")
        ]
        page = await houses.app.host.commands.page(workspace(T1), EVE)
    assert houses.model.requests == []
    for said in (text, tried, told.text, sorted_thread, *again):
        assert "This bot's budget for this month is used up" in said
        assert "the bot's operator raises it" in said
        assert "$" not in said.split("used up")[1]
    assert retried
    for said in (shown, usage, budget, *(s.text for s in page.sections)):
        assert "$0.0001" not in said


async def test_a_try_of_unknown_price_is_refused_where_money_counts() -> None:
    houses = Houses(operator(model="claude-unheard-of", budget_total_day="5"))
    async with houses.open():
        told = await houses.told(T1, "try run", prompt="Be kind.", question="Why?")
        await houses.ask(T1)
        [text] = await houses.answered(T1)
    assert "is not known" in told
    assert "is not known" in text
    assert houses.model.requests == []


async def test_a_database_from_before_begins_with_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    with Database(path) as db:
        migrations.apply(db, stop_before="m009_totals")
        for platform, where, day, spent, held in (
            ("slack", "T1", "2026-11-26", 1.0, 0.25),
            ("slack", "T2", "2026-11-26", 2.0, 0.0),
            ("discord", "42", "2026-11-26", 4.0, 0.5),
            ("discord", "42", "2026-11-25", 8.0, 0.0),
        ):
            for channel in ("", "C1"):
                for period in (day, day[:7]):
                    db.execute(
                        "INSERT INTO accounts (platform, workspace, channel, period,"
                        " spent, reserved) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO"
                        " UPDATE SET spent = spent + excluded.spent",
                        [platform, where, channel, period, spent, held],
                    )
        db.conn.commit()
    async with open_store(path) as store:
        assert await store.balance(EVERYWHERE, Period.DAY, NOON) == Balance(7.0, 0.75)
        yesterday = await store.balance(EVERYWHERE, Period.DAY, NOON - 86_400)
        assert yesterday == Balance(8.0, 0.0)
        month = await store.balance(EVERYWHERE, Period.MONTH, NOON)
        assert month.spent == 15.0
        turn = await turn_in(store, 1)
        eight = Budget(EVERYWHERE, Period.DAY, 8.0)
        short = await store.reserve(turn, "U1", 0.5, BudgetLimits((eight,)), NOON)
        assert short == BudgetExceeded(eight, spent=7.0, reserved=0.75)
    assert await read_balances(path, [DAY], NOON) == [(DAY, Balance(7.0, 0.75))]
    assert await read_balances(tmp_path / "none.db", [DAY], NOON) == [(DAY, Balance())]


# Who is told of it.


async def test_the_operators_admins_are_told_twice_on_every_platform(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, adapters = MemoryStore(), {n: FakeAdapter(n) for n in ("slack", "discord")}
    said = Operator(
        {"budget_total_day": "1"},
        admins=frozenset({"slack:root", "discord:7", "terminal:x"}),
    )
    watch = Totals(store, adapters, said, lambda: NOON)
    await watch.look()
    for cost in (0.8, 0.01, 0.15, 0.01, 0.5):
        charge = Charge(Scope("slack", "T1", "C1"), "U1", "auto-triage", "m", cost)
        opened = await store.open_charge(charge, BudgetLimits(), NOON)
        assert isinstance(opened, int)
        await store.close_charge(opened, Usage(), cost, NOON)
        # An answer in between keeps this to itself.
        turn = await turn_in(store, int(cost * 100) + 1000)
        assert (
            await store.finish_turn(turn, paid(0.0), NOON, BudgetLimits((DAY,))) == []
        )
        with caplog.at_level(logging.WARNING):
            await watch.look()
    for name, user in (("slack", "root"), ("discord", "7")):
        assert [who for who, _ in adapters[name].told] == [user, user]
        assert [text[2:5] for _, text in adapters[name].told] == ["75%", "95%"]
        assert "THREADKEEP_BUDGET_TOTAL_DAY" in adapters[name].told[0][1]
    assert caplog.text.count("budget.used place=all period=day") == 2


async def test_the_bot_that_starts_with_little_left_says_so() -> None:
    houses = Houses(operator(budget_total_day="1"))
    turn = await turn_in(houses.store, 1)
    await houses.store.finish_turn(turn, paid(0.99), time.time())
    async with houses.open():
        slack = houses.adapters["slack"]
        await slack.until(lambda: bool(slack.told))
    assert [who for who, _ in slack.told] == ["root"]


async def test_watching_survives_whatever_goes_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(MemoryStore):
        tries = 0

        async def alerts(self, budgets, now):  # type: ignore[no-untyped-def]
            self.tries += 1
            if self.tries < 3:
                raise RuntimeError("what people said")
            return await super().alerts(budgets, now)

    class Unreachable(FakeAdapter):
        async def tell(self, workspace: str, user: str, text: str) -> None:
            raise DeliveryError("no")

    store, done = Broken(), asyncio.Event()
    await store.finish_turn(await turn_in(store, 1), paid(0.99), NOON)

    async def sleep(seconds: float) -> None:
        if store.tries > 3:
            done.set()
        await asyncio.sleep(0)

    adapters = {"slack": Unreachable("slack")}
    watch = Totals(store, adapters, operator(budget_total_day="1"), lambda: NOON, sleep)
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(watch.watch())
        await asyncio.wait_for(done.wait(), 60)
        task.cancel()
    assert "task.failed task=totals at=" in caplog.text
    assert "what people said" not in caplog.text
    assert "budget.used place=all" in caplog.text


# Who may ask at all.


def named(*entries: str, admins: str = "slack:root", **values: str) -> Operator:
    return Operator(
        {"prompt": "Be brief.", **values},
        admins=frozenset({admins}),
        audience=Audience(frozenset(entries)),
    )


@pytest.mark.parametrize(
    ("said", "slack", "discord"),
    [
        ("", True, True),
        ("everyone", True, True),
        ("Everyone", True, True),
        ("slack:everyone", True, False),
        ("slack:U1, discord:42", True, True),
        ("slack:U2 discord:everyone", False, True),
        ("slack:group:S1", True, False),
        ("discord:group:9", False, True),
    ],
)
def test_people_are_named_by_platform_and_id(
    said: str, slack: bool, discord: bool
) -> None:
    found, problems = audience.read(said)
    assert problems == []
    ann = Person("U1", groups=frozenset({"S1"}))
    bob = Person("42", groups=frozenset({"9"}))
    assert found.admits(ann, "slack") == slack
    assert found.admits(bob, "discord") == discord


@pytest.mark.parametrize(
    "wrong",
    [
        *("U1", "slack", "slack:", "slack:u1", "teams:U1", "slack:group:U1", "user:U1"),
        *("discord:Alice", "discord:group:", "slack:*", "everyone slack:U1", "@alice"),
    ],
)
def test_what_names_nobody_is_refused(wrong: str) -> None:
    assert audience.read(wrong)[1]


async def test_who_is_not_named_gets_one_sentence_and_costs_nothing() -> None:
    houses = Houses(named("slack:alice", "discord:group:9"))
    members = {"bob": Person("bob", groups=frozenset({"9"}))}
    houses.adapters["discord"].people = members
    async with houses.open():
        for number, (platform, author, served) in enumerate(
            [
                ("slack", "alice", True),
                ("slack", "bob", False),
                ("slack", "root", True),
                ("discord", "alice", False),
                ("discord", "bob", True),
            ]
        ):
            at = thread(platform, "T1", number)
            await houses.ask(at, author=author)
            [text] = await houses.answered(at)
            assert text == ("Understood." if served else f"⚠️ _{NOT_ADMITTED}_")
    assert len(houses.model.requests) == 3


async def test_a_channels_who_holds_besides_and_an_admin_is_no_exception() -> None:
    houses = Houses(named("slack:alice", "slack:bob"))
    await houses.put(workspace(T1), "who", "user:alice user:eve")
    houses.adapters["slack"].people = {"eve": EVE}
    async with houses.open():
        for number, author in enumerate(("alice", "bob", "eve")):
            await houses.ask(thread(number=number), author=author)
            await houses.answered(thread(number=number))
        told = await houses.told(T1, "settings")
    assert len(houses.model.requests) == 1
    assert "only people whom this bot's operator names" in told


async def test_every_command_that_asks_claude_is_for_those_who_are_named() -> None:
    houses = Houses(named("slack:alice"))
    async with houses.open():
        await houses.ask(T1)
        await houses.answered(T1)
        asked = len(houses.model.requests)
        for verb in sorted(ASKING):
            told = await houses.told(T1, verb, prompt="Be kind.", question="Why?")
            assert told == NOT_ADMITTED, verb
        said = await houses.app.host.commands.triage(houses.heard(T1, "It broke"), EVE)
        assert said.text == NOT_ADMITTED
        # All others ask nobody.
        for verb in {verb.name for verb in COMMANDS} - ASKING:
            await houses.give(T1, verb, option="quiet", value="off")
    assert len(houses.model.requests) == asked


async def test_what_strangers_write_is_not_sorted_at_the_operators_cost() -> None:
    houses = Houses(named("slack:alice", "slack:group:S1"))
    slack = houses.adapters["slack"]
    slack.people = {"bob": Person("bob", groups=frozenset({"S1"}))}
    slack.unknown = {"gus"}
    await houses.put(Scope.of(T1).at(ScopeLevel.CHANNEL), "auto_triage", "on")
    houses.model.script(sorted_as())
    houses.model.script(sorted_as())
    async with houses.open():
        for author in ("eve", "mallory", "gus", "alice", "bob"):
            await houses.ask(T1, "It broke", author=author, addressed=False)
        await slack.until(lambda: len(slack.marks) == 2)
    assert len(houses.model.requests) == 2
    rows = await houses.store.spending(0.0)
    assert {row.person for row in rows} == {"alice", "bob"}


def test_no_chat_knows_the_budgets_over_all_workspaces() -> None:
    assert totals({}) == ()
    assert BY_NAME.keys().isdisjoint({"budget_total_day", "budget_total_month"})
