"""Questions that are changed after their answer, and answered as they read then."""

import asyncio
from dataclasses import replace

import pytest

from bot.app import App
from bot.conversation import edited_questions
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.errors import DeliveryError
from bot.messages.answers import QUESTION_CHANGED
from bot.messages.commands import (
    ANSWERED_AGAIN,
    NOT_YOURS,
    QUESTION_GONE,
    QUESTION_NOT_LAST,
    REPEATING,
)
from bot.messages.labels import ANSWER_AGAIN
from bot.ui.elements import Command, Response
from tests.unit.conversation.test_responder import HERE, THERE, Desk

ALICE = Person("alice", "Alice")
BOB = Person("bob", "Bob")
OLGA = Person("olga", "Olga", runs_workspace=True)
OFFER = ("alice", QUESTION_CHANGED)


async def amend(app: App, said: Message, text: str) -> Message:
    """Let the author of `said` change it to `text`."""
    now = replace(said, text=text)
    await app.host.inbox.amend(now, newly_addressed=now.addressed)
    return now


async def answered(desk: Desk, text: str = "of Spain?") -> Message:
    """Ask, and wait for the answer."""
    said = desk.said(text)
    await desk.adapter.receive(said)
    await quiet(desk)
    return said


async def quiet(desk: Desk) -> None:
    """Wait until everything is answered, and every notice given."""
    async with asyncio.timeout(60):
        while desk.adapter.open or await desk.store.open_threads():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    for _ in range(20):
        await asyncio.sleep(0)


async def offer(desk: Desk) -> Command:
    """Wait for an offer; return the command of its button, as it was carried."""
    await desk.adapter.until(lambda: desk.adapter.noticed[-1:] == [OFFER])
    [button] = desk.adapter.offered[-1]
    assert button.label == ANSWER_AGAIN
    return Command.of_line(button.command.line)


async def press(app: App, command: Command, person: Person = ALICE) -> str:
    """Return the response to `person`, who presses the button."""
    reply = await app.host.commands.run(command, Scope.of(HERE), person)
    assert isinstance(reply, Response)
    return reply.text


async def test_a_changed_question_is_answered_as_it_reads_now() -> None:
    desk = Desk()
    desk.model.script("Madrid.")
    desk.model.script("Paris.")
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of Frunce?")
        again = await offer(desk)
        # A further edit needs no further offer.
        await amend(app, said, "of France?")
        assert await press(app, again) == REPEATING
        await desk.answered("Paris.")
        await quiet(desk)
    read = [each.content for each in desk.model.requests[-1].messages]
    assert len(read) == 1
    assert "of France?" in read[0]
    assert desk.adapter.noticed == [OFFER]


async def test_it_is_answered_once_however_often_the_button_is_pressed() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
        told = await asyncio.gather(*(press(app, again) for _ in range(3)))
        assert told == [REPEATING] * 3
        await quiet(desk)
        assert await press(app, again) == ANSWERED_AGAIN
    assert len(desk.model.requests) == 2


async def test_the_button_works_after_a_restart() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
    desk = Desk(desk.store)
    async with desk.open() as app:
        assert await press(app, again) == REPEATING
        await quiet(desk)
    assert "of France?" in desk.model.requests[-1].messages[0].content


async def test_only_its_author_and_admins_may() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
        assert await press(app, again, BOB) == NOT_YOURS
        await quiet(desk)
        assert len(desk.model.requests) == 1
        assert await press(app, again, OLGA) == REPEATING
        await quiet(desk)
    assert len(desk.model.requests) == 2


async def test_a_question_of_the_same_turn_is_not_for_its_other_askers() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One", gate, ".")
    async with desk.open() as app:
        await desk.ask("first")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["One"])
        theirs, yours = desk.said("of Spain?"), desk.said("of Italy?", author="bob")
        await desk.adapter.receive(theirs)
        await desk.adapter.receive(yours)
        gate.set()
        await quiet(desk)
        await amend(app, theirs, "of France?")
        again = await offer(desk)
        assert await press(app, again, BOB) == NOT_YOURS
        assert await press(app, again) == REPEATING
        await quiet(desk)
    assert len(desk.model.requests) == 3


async def test_an_earlier_question_is_not_offered_and_not_answered() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
        await answered(desk, "and then?")
        assert await press(app, again) == QUESTION_NOT_LAST
        await amend(app, said, "of Italy?")
        await quiet(desk)
    assert len(desk.model.requests) == 2
    assert desk.adapter.noticed == [OFFER]


async def test_an_edit_during_the_answer_is_for_the_next_turn() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("Mad", gate, "rid.")
    async with desk.open() as app:
        said = desk.said("of Spain?")
        await desk.adapter.receive(said)
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["Mad"])
        await amend(app, said, "of France?")
        gate.set()
        await desk.answered("Madrid.")
        await quiet(desk)
        assert desk.adapter.noticed == []
        await answered(desk, "and then?")
    assert "of France?" in desk.model.requests[-1].messages[0].content


@pytest.mark.parametrize(
    "text",
    [
        "of  Spain ?\n",
        "of Spain?\n[Link preview from Example: https://e.com]\n> Spain\n> and more",
        "of Spain?\n\n[Preview of https://e.com]\n> Spain",
        "@bot of Spain?",
    ],
)
async def test_spacing_previews_and_the_mention_are_no_change(text: str) -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, text)
        await quiet(desk)
        assert desk.adapter.noticed == []
        # Compared with what stands there now: the preview goes, the words stay.
        await amend(app, said, "of Spain?")
        await quiet(desk)
        assert desk.adapter.noticed == []
        await amend(app, said, "of France?")
        await offer(desk)


async def test_there_is_at_most_one_offer_a_minute_for_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        for number in range(30):
            await amend(app, said, f"of country {number}?")
        await quiet(desk)
        assert desk.adapter.noticed == [OFFER]
        monkeypatch.setattr(edited_questions, "PAUSE", 0.0)
        other = await answered(desk, "and then?")
        for number in range(3):
            await amend(app, other, f"of country {number}?")
            await quiet(desk)
        assert desk.adapter.noticed == [OFFER] * 4
    assert len(desk.model.requests) == 2


async def test_what_was_asked_long_ago_is_not_offered() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        old = replace(said, at=said.at - edited_questions.STALE - 60)
        await amend(app, old, "of France?")
        await quiet(desk)
    assert desk.adapter.noticed == []


async def test_what_nobody_asked_is_not_offered() -> None:
    desk = Desk()
    async with desk.open() as app:
        await answered(desk)
        context = replace(desk.said("the port is 80"), addressed=False, author="bob")
        alert = replace(desk.said("it burns"), automated=True, addressed=False)
        await put(desk, "follow", "mention")
        for each in (context, alert):
            await desk.adapter.receive(each)
        await answered(desk, "which?")
        await amend(app, context, "the port is 8080")
        await amend(app, alert, "it no longer burns")
        await amend(app, replace(desk.said("?"), message="never"), "never heard")
        await quiet(desk)
    assert desk.adapter.noticed == []


async def put(desk: Desk, name: str, value: str) -> None:
    change = Change(Scope.of(HERE), name, value)
    await desk.store.change_settings([change], who="olga", now=1.0)


async def test_an_offer_that_fails_is_not_repeated() -> None:
    desk = Desk()
    desk.adapter.post_troubles = [DeliveryError("no answer")]
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        await quiet(desk)
        assert desk.adapter.post_troubles == []
        assert desk.adapter.noticed == []
        # What it offers can be had without it.
        assert await press(app, Command("retry")) == REPEATING
        await quiet(desk)


async def test_a_deleted_question_is_not_answered_again() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
        await app.host.inbox.erase("fake", "w", [said.message])
        assert await press(app, again) == QUESTION_GONE
    assert len(desk.model.requests) == 1


async def test_a_forged_button_has_no_answer_of_others_written_again() -> None:
    desk = Desk()
    async with desk.open() as app:
        await desk.adapter.receive(mine := desk.said("mine"))
        await quiet(desk)
        await desk.adapter.receive(theirs := desk.said("theirs", author="bob"))
        await quiet(desk)
        await desk.ask("elsewhere", THERE)
        await quiet(desk)
        last = await desk.store.turn_facts(HERE)
        there = await desk.store.turn_facts(THERE)
        assert last is not None
        assert there is not None
        for turn, message, told in (
            (last.key, mine.message, QUESTION_NOT_LAST),
            (last.key, theirs.message, NOT_YOURS),
            (there.key, mine.message, QUESTION_NOT_LAST),
            (last.key, "0", QUESTION_GONE),
            ("", mine.message, QUESTION_GONE),
        ):
            forged = Command("answer again", {"turn": turn, "message": message})
            assert await press(app, forged) == told
        assert await press(app, Command("answer again")) == QUESTION_GONE
        await quiet(desk)
    assert len(desk.model.requests) == 3


async def test_a_used_up_budget_holds_for_it_as_for_any_question() -> None:
    desk = Desk()
    async with desk.open() as app:
        said = await answered(desk)
        await amend(app, said, "of France?")
        again = await offer(desk)
        place = Scope("fake", "w", HERE.channel)
        await desk.store.change_settings(
            [Change(place, "budget_day", "0")], who="olga", now=1.0
        )
        assert await press(app, again) == REPEATING
        await quiet(desk)
    assert len(desk.model.requests) == 1
