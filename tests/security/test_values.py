"""Amounts are checked as they are stored, and nothing is divided by an amount of 0."""

import math
import random
from datetime import date

import pytest

from bot.budgets import summary
from bot.config import Config
from bot.domain.budget import (
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    Period,
    PersonLimit,
)
from bot.domain.scope import Scope
from bot.domain.setting import Change, Setting, StoredSettings
from bot.errors import ConfigError, Unacceptable
from bot.settings import import_export
from bot.settings.effective import resolve
from bot.settings.options import BY_NAME
from bot.settings.parsers import stored_usd
from bot.ui.elements import Page
from tests.support.command_harness import (
    CHANNEL,
    MEMBER,
    NOON,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)
from tests.support.deep import rounds, share
from tests.support.triage_requests import sorted_as
from tests.unit.conversation.test_admission import Room
from tests.unit.triage.chat.test_commands import heard

TODAY = date(2026, 11, 26)
AMOUNTS = ("budget_day", "budget_month", "person_usd", "triage_budget")

#: What rounds to nothing, or is no amount.
NOTHINGS = (
    *("0", "0.0", "0.00001", "0.00004999", "0.000099", "0.00009999999999", "1e-5"),
    *(".00001", "$0.00001", "0.00001 USD", "0e9", "-0", "-1", "-0.00001"),
    *("nan", "inf", "-inf", "1e400", "9" * 400, "0." + "0" * 400 + "1", "1e99999"),
    *("", ".", "1.2.3", "e5", "５x", "0x10", "1_000_000_000", "100000.01"),
)


@pytest.mark.parametrize("name", AMOUNTS)
def test_what_is_stored_as_nothing_is_refused(name: str) -> None:
    for written in NOTHINGS:
        with pytest.raises(Unacceptable, match="to 100,000"):
            pytest.fail(BY_NAME[name].read(written, TODAY))


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0.0001", "0.0001"),
        ("0.00019", "0.0001"),
        ("0.1", "0.1"),
        (".5", "0.5"),
        ("5", "5"),
        ("$12.50", "12.5"),
        ("12.34567", "12.3456"),
        ("123.4567", "123.4567"),
        ("999.99999", "999.9999"),
        ("1000", "1000.00"),
        ("1234.567", "1234.56"),
        ("1,000", "1000.00"),
        ("1e3", "1000.00"),
        ("100000", "100000.00"),
    ],
)
def test_an_amount_is_rounded_down(written: str, stored: str) -> None:
    for name in AMOUNTS:
        assert BY_NAME[name].read(written, TODAY) == stored


def test_a_stored_amount_is_above_nothing_and_no_more_than_was_written() -> None:
    chance = random.Random(3)
    for _ in range(rounds(600, 200_000)):
        value = 10 ** chance.uniform(-8, 6) * chance.choice((1, 1, -1))
        written = chance.choice((f"{value:.12f}", repr(value), f"{value:.3g}"))
        try:
            stored = BY_NAME["budget_day"].read(written, TODAY)
        except Unacceptable:
            assert not 0.0001 <= float(written) <= 100_000 or "e" in written
            continue
        assert 0 < float(stored) <= float(written)
        assert BY_NAME["budget_day"].read(stored, TODAY) == stored


# By every way in


@pytest.mark.parametrize("name", AMOUNTS)
def test_the_environment_takes_no_such_amount(name: str) -> None:
    with pytest.raises(ConfigError, match="to 100,000"):
        Config.from_env({BY_NAME[name].variable: "0.00001"})


@pytest.mark.parametrize("name", AMOUNTS)
def test_an_imported_document_has_no_such_amount(name: str) -> None:
    for written in ("0.00001", "1.0e-05", "0", ".inf", ".nan", "-3"):
        text = f"version: 1\nslack:\n  T1:\n    {name}: {written}\n"
        with pytest.raises(ConfigError, match="to 100,000"):
            import_export.read(text, TODAY)


@pytest.mark.parametrize("name", AMOUNTS)
async def test_the_chat_takes_no_such_amount(name: str) -> None:
    office = Office()
    assert "from 0.0001 to 100,000" in await office.type(f"set {name} 0.00001")
    assert await office.store.list_settings(WORKSPACE) == []


# Where 0 is stored already


#: What may be stored of times before amounts were judged.
WRONG = ("0", "0.0", "0.00", "nan", "-1", "inf", "nonsense")


async def stored(office: Office, name: str, value: str = "0") -> None:
    """Let the database hold a value that nobody may set any more."""
    changes = [Change(CHANNEL, name, value)]
    await office.store.change_settings(changes, who="olga", now=NOON)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for number, name in enumerate(AMOUNTS)
        for value in share(WRONG, number, len(AMOUNTS))
    ],
)
async def test_what_is_shown_of_a_stored_nothing_says_so(name: str, value: str) -> None:
    office = Office()
    await stored(office, name, value)
    for person in (OWNER, MEMBER):
        for command in ("usage", "settings", "budget"):
            told = await office.give(command, person)
            assert "nan" not in getattr(told, "text", "")
        for place in (WORKSPACE, CHANNEL, THREAD):
            assert isinstance(await office.home.page(place, person), Page)
    settings = await office.type("settings")
    assert "nothing may be spent" in settings
    if name.startswith("budget"):
        for command in ("usage", "budget"):
            told = await office.give(command, MEMBER)
            assert "nothing may be spent" in getattr(told, "text", "")


@pytest.mark.parametrize("name", ["budget_day", "budget_month", "person_usd"])
async def test_nobody_is_answered_where_nothing_may_be_spent(name: str) -> None:
    room = Room()
    await room.put(name, "0")
    async with room.open():
        await room.ask()
        [text] = await room.answered(1)
    assert "nothing may be spent" in text
    assert room.model.requests == []
    # Of a budget of nothing no part can be used up.
    assert room.adapter.told == []


async def test_nothing_is_sorted_where_nothing_may_be_spent() -> None:
    office = Office()
    await stored(office, "budget_day")
    office.model.script(sorted_as())
    told = await office.desk.triage(heard("It broke"), MEMBER)
    assert "nothing may be spent" in told.text
    form = await office.form("prompt try")
    told = await office.send(form, {"prompt": "Draft.", "question": "?"})
    assert "nothing may be spent" in told.text
    assert office.model.requests == []


@pytest.mark.parametrize("name", ["budget_day", "budget_month"])
async def test_an_answer_that_cost_something_is_told_of_no_share_of_nothing(
    name: str,
) -> None:
    room = Room()
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.put(name, "0")
        for command in ("usage", "settings"):
            assert "nothing may be spent" in await room.tell(command)


# The arithmetic

BAD = (-1.0, -1e-12, math.nan, math.inf, -math.inf)


@pytest.mark.parametrize("usd", BAD)
def test_no_limit_is_negative_or_endless(usd: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Budget(CHANNEL, Period.DAY, usd)
    with pytest.raises(ValueError, match="finite"):
        PersonLimit(CHANNEL, usd=usd)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "", "x", "1e999", "٣x"])
def test_a_stored_text_that_is_no_amount_lets_nothing_be_spent(text: str) -> None:
    assert stored_usd(text) == 0.0
    place = Scope("slack", "T1")
    settings = tuple(Setting(place, name, text, "U1", 1.0, 1) for name in AMOUNTS)
    caps = resolve(place, StoredSettings(settings), {}).caps
    assert all(cap.usd == 0.0 for cap in caps.budgets)
    assert caps.limit_money


@pytest.mark.parametrize("spent", [0.0, 0.25, 5.0])
@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("place", [CHANNEL, WORKSPACE])
def test_every_sentence_about_nothing_can_be_said(
    spent: float, period: Period, place: Scope
) -> None:
    cap = Budget(place, period, 0.0, "operator")
    assert cap.share(spent) == 1.0
    for text in (
        summary.budget(cap, Balance(spent, 0.1)),
        summary.shortfall(BudgetExceeded(budget=cap, spent=spent), NOON, {}),
        summary.shortfall(BudgetExceeded(person=PersonLimit(place, usd=0.0)), NOON, {}),
        summary.shortfall(
            BudgetExceeded(person=PersonLimit(place, messages=0)), NOON, {}
        ),
    ):
        assert "nothing may be spent" in text
    assert summary.alert(Alert(cap, 0.95, spent))


async def test_a_number_of_questions_of_nothing_lets_nobody_ask() -> None:
    room = Room()
    await room.put("person_messages", "0")
    async with room.open():
        await room.ask()
        [text] = await room.answered(1)
    assert "nothing may be spent" in text
    assert room.model.requests == []
