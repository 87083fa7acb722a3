"""Each new message of a channel, sorted by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.domain.completion import Report, Usage
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.errors import DeliveryError, ModelBusy, ThreadGone, Throttled
from bot.runtime.background import Background
from bot.text import references
from bot.triage.chat.auto import BROKE, STALE, AutoTriage
from bot.triage.chat.classifier import Classifier
from tests.security.remains import in_rows
from tests.support.command_harness import CHANNEL, MEMBER, NOON, Office
from tests.support.memory_store import MemoryStore
from tests.support.triage_requests import sorted_as
from tests.unit.triage.chat.test_commands import heard, put


class Desk:
    """An office whose channel is sorted by itself."""

    def __init__(self) -> None:
        self.office = Office()
        self.waits: list[float] = []
        self.marks = self.office.adapter.marks
        self.posts = self.office.adapter.posts

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AutoTriage]:
        """Run automatic triage; on exit, wait until all is shown."""
        office = self.office
        sorter = Classifier(office.store, office.model, office.operator, office.clock)
        async with Background() as tasks:
            auto = AutoTriage(
                office.store,
                sorter,
                office.authority,
                {"fake": office.adapter},
                tasks,
                office.clock,
                self.sleep,
            )
            yield auto

    async def hear(self, *messages: Message) -> None:
        async with self.open() as auto:
            for message in messages:
                await auto.receive(message)

    async def case(self, message: str = "m1") -> TriageCase:
        return await self.office.store.open_case(
            TriageCase(0, CHANNEL, message, NOON, "max", "It broke")
        )


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await put(desk.office, "auto_triage", "on")
    return desk


async def test_a_message_gets_the_sign_of_its_priority(desk: Desk) -> None:
    desk.office.model.script(sorted_as(priority="medium"))
    await desk.hear(heard("It broke"))
    assert desk.marks == {"m1": "🟡"}
    assert desk.posts == []
    case = await desk.case()
    assert case.shown
    [spent] = await desk.office.store.spending(0.0)
    assert (spent.kind, spent.person) == ("auto-triage", "max")


async def test_only_where_admins_want_it(desk: Desk) -> None:
    await put(desk.office, "auto_triage", "off")
    await desk.hear(heard("It broke"))
    assert not desk.office.model.requests
    assert await desk.office.store.waiting_cases(["fake"], 9) == []


async def test_nothing_is_triaged_on_a_platform_without_channels_to_post_in(
    desk: Desk,
) -> None:
    desk.office.adapter.messenger = None
    await desk.hear(heard("It broke"))
    assert not desk.office.model.requests
    assert await desk.office.store.waiting_cases(["fake"], 9) == []


@pytest.mark.parametrize(
    "message",
    [
        heard("Hello bot", addressed=True),
        heard("It broke", opens=False),
        heard("It broke", echo=True),
        heard("It broke", automated=True),
        heard("  "),
        heard("It broke", at=NOON - STALE - 1),
    ],
)
async def test_what_is_no_new_ticket_is_left_alone(
    desk: Desk, message: Message
) -> None:
    await desk.hear(message)
    assert not desk.office.model.requests


async def test_what_other_bots_say_is_sorted_where_they_are_let_in(
    desk: Desk,
) -> None:
    await put(desk.office, "bots", "on")
    desk.office.model.script(sorted_as())
    await desk.hear(heard("Ticket 7: it broke", automated=True))
    assert desk.marks == {"m1": "🟠"}


async def test_heard_twice_it_is_sorted_once(desk: Desk) -> None:
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke"))
    await desk.hear(heard("It broke"))
    assert len(desk.office.model.requests) == 1


async def test_an_edit_replaces_the_text_and_sorts_nothing(desk: Desk) -> None:
    desk.office.model.script(sorted_as(priority="medium"))
    await desk.hear(heard("It broke, my password is hunter2"))
    async with desk.open() as auto:
        await auto.receive(heard("It broke"), edited=True)
        await auto.receive(heard("Another one", "m2"), edited=True)
    case = await desk.case()
    assert (case.text, case.shown, case.values) == ("It broke", True, None)
    store = desk.office.store
    assert isinstance(store, MemoryStore)
    assert not in_rows(store.db.conn, "hunter2")
    assert not in_rows(store.db.conn, "Another one")
    assert len(desk.office.model.requests) == 1


async def test_a_label_below_the_message(desk: Desk) -> None:
    await put(desk.office, "triage_sign", "label")
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke"))
    assert desk.marks == {}
    [(place, told)] = desk.posts
    assert place.thread == "m1"
    assert told.text == "🟠 · **bug** · **high**\nIt broke."
    assert [menu.argument for menu in told.menus] == ["category", "priority"]


async def test_critical_is_announced_where_the_setting_says(desk: Desk) -> None:
    await put(desk.office, "triage_announce", "channel:C9")
    critical = sorted_as(priority="critical", summary="Tell user:U1!")
    desk.office.model.script(critical)
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke"), heard("Meh", "m2"))
    [(place, told)] = desk.posts
    assert place == Scope("fake", "w", "C9")
    assert told.text.startswith("🔴 · **bug** · **critical**\nTell user:U1!")
    assert "Posted by max in c: https://fake/c/m1" in references.plain_text(told.text)
    named = [(each.kind.value, each.id) for each in references.find(told.text)]
    assert named == [("user", "max"), ("channel", "c"), ("link", "https://fake/c/m1")]


async def test_what_was_not_shown_is_taken_up_by_the_next_process(desk: Desk) -> None:
    held = asyncio.Event()
    desk.office.model.script(held, sorted_as())
    async with desk.open() as auto:
        await auto.receive(heard("It broke"))
        while not desk.office.model.requests:  # noqa: ASYNC110 - a model tells nobody
            await asyncio.sleep(0)
        auto.close()
    assert desk.marks == {}
    desk.office.model.script(sorted_as(priority="low"))
    async with desk.open() as auto:
        await auto.take_up()
    assert desk.marks == {"m1": "⚪"}
    async with desk.open() as auto:
        await auto.take_up()
    assert len(desk.office.model.requests) == 2


async def test_sorted_and_not_shown_it_is_shown_without_asking_again(
    desk: Desk,
) -> None:
    store = desk.office.store
    said = TriageCase(0, CHANNEL, "m1", NOON, "max", "It broke", auto=True)
    case = await store.open_case(replace(said, place=replace(CHANNEL, thread="m1")))
    values = {"category": "bug", "priority": "critical", "summary": "x"}
    await store.record_case_result(case.id, values, "")
    async with desk.open() as auto:
        await auto.take_up()
    assert desk.marks == {"m1": "🔴"}
    assert not desk.office.model.requests


async def test_its_own_budget_ends_it_and_is_told_once(desk: Desk) -> None:
    await put(desk.office, "triage_budget", "0.0042")
    dear = Report("claude-haiku-5-5", "req_1", Usage(output=1_000), "end_turn")
    for _ in range(9):
        desk.office.model.script(sorted_as(), dear)
    await desk.hear(*(heard(f"It broke {n}", f"m{n}") for n in range(9)))
    assert 0 < len(desk.marks) < 9
    assert len(desk.office.model.requests) == len(desk.marks)
    [(user, text)] = desk.office.adapter.told
    assert user == "olga"
    assert "`set triage_budget` changes it" in text
    case = await desk.office.store.case(9)
    assert case is not None
    assert case.reason == BROKE
    # Other calls have their own money.
    desk.office.model.script(sorted_as(), dear)
    shown = await desk.office.desk.triage(heard("Mine", "m99"), MEMBER)
    assert "**bug**" in shown.text


async def test_the_next_day_there_is_money_again(desk: Desk) -> None:
    await put(desk.office, "triage_budget", "0.0042")
    dear = Report("claude-haiku-5-5", "req_1", Usage(output=6_000), "end_turn")
    desk.office.model.script(sorted_as(), dear)
    await desk.hear(heard("one", "m1"), heard("two", "m2"))
    assert list(desk.marks) == ["m1"]
    desk.office.now += 86_400
    desk.office.model.script(sorted_as())
    await desk.hear(heard("three", "m3", at=desk.office.now))
    assert list(desk.marks) == ["m1", "m3"]


async def test_while_claude_is_busy_it_is_tried_again(desk: Desk) -> None:
    for _ in range(2):
        desk.office.model.script(ModelBusy("busy"))
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke"))
    assert desk.marks == {"m1": "🟠"}
    assert desk.waits == [2.0, 10.0]


async def test_a_platform_that_refuses_is_tried_again_or_left(desk: Desk) -> None:
    desk.office.adapter.post_troubles = [
        Throttled("slow down", 7.0),
        DeliveryError("no answer"),
    ]
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke"))
    assert desk.marks == {"m1": "🟠"}
    assert desk.waits == [7.0, 10.0]
    desk.office.adapter.post_troubles = [ThreadGone("missing_scope")]
    desk.office.model.script(sorted_as())
    await desk.hear(heard("It broke, too", "m2"))
    assert list(desk.marks) == ["m1"]
    # It is not tried for ever.
    assert await desk.office.store.waiting_cases(["fake"], 9) == []
