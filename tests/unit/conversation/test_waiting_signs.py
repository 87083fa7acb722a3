"""A message that waits behind an answer has a sign."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.conversation.answers import SharedAnswers
from bot.conversation.waiting_signs import SIGN, WaitingSigns
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import TurnMessage
from bot.errors import DeliveryError, ThreadGone
from bot.messages.answers import BUSY
from bot.platforms import Platforms
from bot.ui.elements import Command
from storage.waiting_signs import MOST_TRIES
from tests.support.store_helpers import answer
from tests.unit.conversation.test_responder import HERE, Desk

OLGA = Person("olga", "Olga", runs_workspace=True)


async def shown(desk: Desk, *texts: str) -> None:
    await desk.adapter.until(lambda: desk.adapter.texts(HERE) == list(texts))


async def second(desk: Desk, *texts: str) -> list[Message]:
    """Ask in a thread, and more while the answer reads "One"."""
    await desk.ask("first")
    await shown(desk, "One")
    more = [desk.said(text, author="bob") for text in texts]
    for each in more:
        await desk.adapter.receive(each)
    return more


def marked(*messages: Message) -> dict[str, str]:
    return {each.message: SIGN for each in messages}


async def no_signs(desk: Desk) -> None:
    """Wait until nothing shows a sign any more, and that is stored."""
    async with asyncio.timeout(60):
        while desk.adapter.marks or await desk.store.past_signs():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_each_message_that_waits_shows_it_until_its_turn_begins() -> None:
    desk, gate, onward = Desk(), asyncio.Event(), asyncio.Event()
    desk.model.script("One", gate, ".")
    desk.model.script("Two", onward, ".")
    async with desk.open():
        waiting = await second(desk, "second", "third")
        await desk.adapter.until(lambda: desk.adapter.marks == marked(*waiting))
        gate.set()
        await shown(desk, "One.", "Two")
        await no_signs(desk)
        onward.set()
        await desk.answered("One.", "Two.")
    assert desk.adapter.noticed == []


async def test_a_sign_goes_with_a_question_that_is_not_read_any_more() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One", gate, ".")
    async with desk.open() as app:
        waiting = await second(desk, "second")
        await desk.adapter.until(lambda: desk.adapter.marks == marked(*waiting))
        await app.host.commands.run(Command("new"), Scope.of(HERE), OLGA)
        gate.set()
        await no_signs(desk)


async def test_a_sign_that_is_not_taken_away_at_once_is_by_the_next_process() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One", gate, ".")
    desk.model.script("Two.")
    async with desk.open():
        waiting = await second(desk, "second")
        await desk.adapter.until(lambda: desk.adapter.marks == marked(*waiting))
        # At the beginning of its turn, and at its end.
        desk.adapter.post_troubles = [DeliveryError("503")] * 2
        gate.set()
        await desk.answered("One.", "Two.")
    assert desk.adapter.marks == marked(*waiting)
    again = Desk(desk.store)
    again.adapter.marks = desk.adapter.marks
    async with again.open():
        await no_signs(again)


async def test_a_sign_that_can_never_be_taken_away_is_given_up() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One", gate, ".")
    desk.model.script("Two.")
    async with desk.open():
        await second(desk, "second")
        await desk.adapter.until(lambda: bool(desk.adapter.marks))
        desk.adapter.post_troubles = [DeliveryError("503")] * MOST_TRIES
        gate.set()
        await desk.answered("One.", "Two.")
        tries = 0
        while desk.adapter.post_troubles:
            tries += 1
            await desk.ask(f"more {tries}")
            await desk.closed(2 + tries)
    assert await desk.store.past_signs() == []


@pytest.mark.parametrize("trouble", [ThreadGone("missing_scope"), DeliveryError("503")])
async def test_where_no_sign_can_be_shown_each_person_is_told_once(
    trouble: DeliveryError,
) -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One", gate, ".")
    desk.model.script("Two.")
    async with desk.open():
        desk.adapter.post_troubles = [trouble]
        await second(desk, "second")
        await desk.adapter.until(lambda: bool(desk.adapter.noticed))
        desk.adapter.post_troubles = [trouble]
        await desk.adapter.receive(desk.said("third", author="bob"))
        await desk.adapter.until(lambda: not desk.adapter.post_troubles)
        gate.set()
        await desk.answered("One.", "Two.")
        await no_signs(desk)
    assert desk.adapter.noticed == [("bob", BUSY)]


async def test_a_sign_that_another_process_did_not_see_is_taken_away() -> None:
    desk, gate, was_marked = Desk(), asyncio.Event(), asyncio.Event()
    desk.model.script("One", gate, ".")
    mark = desk.adapter.mark

    async def slowly(place: Scope, message: str, sign: str) -> None:
        # Meanwhile its turn begins elsewhere, where the sign is taken away.
        desk.store.db.execute(
            "UPDATE turns SET state = 'answering' WHERE state = 'waiting'"
        )
        await desk.store.forget_sign(HERE, message)
        await mark(place, message, sign)
        was_marked.set()

    desk.adapter.mark = slowly  # type: ignore[method-assign]
    async with desk.open():
        await second(desk, "second")
        await was_marked.wait()
        await no_signs(desk)
        assert desk.adapter.noticed == []
        desk.store.db.execute("UPDATE turns SET state = 'delivered'")
        gate.set()


async def test_the_store_is_asked_for_signs_only_while_there_may_be_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, gate, asked = Desk(), asyncio.Event(), list[ThreadKey | None]()
    past_signs = desk.store.past_signs

    async def note(thread: ThreadKey | None = None) -> list[tuple[ThreadKey, str]]:
        asked.append(thread)
        return await past_signs(thread)

    monkeypatch.setattr(desk.store, "past_signs", note)
    desk.model.script("Zero.")
    desk.model.script("One", gate, ".")
    desk.model.script("Two.")
    desk.model.script("Three.")
    async with desk.open():
        await desk.ask("zeroth")
        await desk.answered("Zero.")
        assert asked == [None]
        await desk.ask("first")
        await shown(desk, "Zero.", "One")
        await desk.adapter.receive(desk.said("second", author="bob"))
        await desk.adapter.until(lambda: bool(desk.adapter.marks))
        gate.set()
        await desk.answered("Zero.", "One.", "Two.")
        await no_signs(desk)
        asked.clear()
        await desk.ask("third")
        await desk.answered("Zero.", "One.", "Two.", "Three.")
    assert asked == []


async def test_where_others_sign_it_is_asked_for_turns_with_a_sign() -> None:
    desk, asked = Desk(), list[ThreadKey | None]()
    message = desk.said("first")

    async def past_signs(thread: ThreadKey | None = None) -> list[Any]:
        asked.append(thread)
        return []

    desk.store.past_signs = past_signs  # type: ignore[method-assign]
    platforms = Platforms([desk.adapter])
    signs = WaitingSigns(desk.store, platforms, SharedAnswers(desk.store), shared=True)
    async with platforms.tasks:
        signs.begin(HERE, [TurnMessage(message)])
        signs.begin(HERE, [TurnMessage(message, is_signed=True)])
    assert asked == [HERE]


async def test_the_signs_of_a_turn_are_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, begun = Desk(), list[Sequence[str]]()

    def begin(self: object, thread: object, messages: Sequence[TurnMessage]) -> None:
        begun.append([each.message.text for each in messages])

    monkeypatch.setattr(WaitingSigns, "begin", begin)
    desk.model.script("One.")
    async with desk.open():
        await desk.ask("first")
        await desk.answered("One.")
    assert begun == [["first"]]


async def test_a_message_that_waited_at_the_start_loses_its_sign() -> None:
    desk = Desk()
    message = desk.said("first")
    await desk.store.receive(message, answer)
    assert await desk.store.claim_sign(message)
    desk.adapter.marks = marked(message)
    desk.model.script("One.")
    async with desk.open():
        await desk.answered("One.")
        await no_signs(desk)
