"""Questions that waited for long, as where the app was removed meanwhile."""

import time

import pytest

from bot.domain.person import Person
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.messages.answers import OVERDUE, warning
from bot.ui.elements import Command
from tests.support.store_helpers import answer
from tests.unit.conversation.test_responder import HERE, Desk


async def waited(desk: Desk, *, days: float) -> None:
    """Leave a question that has waited since then, until the bot answers."""
    desk.began -= days * DAY
    store = desk.store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_clock", lambda: desk.began)
        await store.receive(desk.said("?"), answer)


async def test_what_waited_for_more_than_a_day_is_not_answered_and_says_so() -> None:
    desk = Desk()
    await waited(desk, days=1.1)
    async with desk.open() as app:
        await desk.answered(warning(OVERDUE))
        assert desk.model.requests == []
        # People may have it answered all the same.
        desk.model.script("Paris.")
        alice = Person("alice", "Alice")
        await app.host.commands.run(Command("retry"), Scope.of(HERE), alice)
        await desk.closed(2)
        assert desk.adapter.texts(HERE)[-1] == "Paris."
    assert len(desk.model.requests) == 1


async def test_what_somebody_adds_to_a_question_that_waits_makes_it_fresh() -> None:
    desk = Desk()
    await waited(desk, days=1.1)
    desk.began = time.time()
    await desk.store.receive(desk.said("please"), answer)
    desk.model.script("Paris.")
    async with desk.open():
        await desk.answered("Paris.")


async def test_what_waited_for_less_than_a_day_is_answered() -> None:
    desk = Desk()
    await waited(desk, days=0.9)
    desk.model.script("Paris.")
    async with desk.open():
        await desk.answered("Paris.")
