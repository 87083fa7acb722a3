"""Commands that people type: which messages are ones, and that each is obeyed once."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment
from bot.domain.message import Mark, MarkKind, Message
from bot.domain.person import Person
from bot.messages.commands import (
    NOT_YOURS,
    NOTHING_RUNS,
    RENEWED,
    STOPPING,
    did_you_mean,
)
from bot.messages.controls import FORM_TO_FILL_IN, ONLY_FOR_YOU
from bot.messages.settings import UNSURE
from tests.unit.conversation.test_responder import HERE, Desk

BOT = Mark(MarkKind.BOT, "bot")


def typed(desk: Desk, text: str, author: str = "alice", **more: object) -> Message:
    """Return a message in the thread that mentions the bot."""
    said = desk.said(f"@bot {text}", author=author, opens=False)
    return replace(said, parts=(BOT, f" {text}"), **more)  # type: ignore[arg-type]


def plain(desk: Desk, text: str, author: str = "alice") -> Message:
    """Return a message in the thread that mentions nobody."""
    said = desk.said(text, author=author, addressed=False, opens=False)
    return replace(said, parts=(text,))


async def noticed(desk: Desk, *told: tuple[str, str]) -> None:
    await desk.adapter.until(lambda: desk.adapter.noticed == list(told))


async def test_a_command_is_obeyed_once_and_asks_nobody() -> None:
    desk = Desk()
    async with desk.open():
        said = typed(desk, "budget")
        for _ in range(3):
            await desk.adapter.receive(said)
        await noticed(desk, ("alice", "No budget is set for this channel."))
        assert await desk.store.list_threads("fake", "c") == []
    again = Desk(desk.store)
    async with again.open():
        # It is fetched again after a restart.
        await again.adapter.receive(said)
        await again.adapter.receive(replace(typed(again, "stop", "bob"), message="m9"))
        await noticed(again, ("bob", NOTHING_RUNS))
    assert desk.model.requests == again.model.requests == []


async def test_what_has_more_than_a_command_is_a_question() -> None:
    desk = Desk()
    async with desk.open():
        command = typed(desk, "help", files=(Attachment("error.png"),))
        reply = replace(
            desk.said("help"), parts=("help",), answers=Mark(MarkKind.BOT, "bot")
        )
        stale = replace(typed(desk, "usage"), at=desk.began - 4_000)
        for each in (command, reply, stale, typed(desk, "help me"), typed(desk, "?")):
            await desk.adapter.receive(each)
        await desk.adapter.until(lambda: desk.adapter.closed > 0)
        # The other event of a message that was a question has less of it.
        await desk.adapter.receive(replace(command, files=()))
    assert desk.adapter.noticed == []


@pytest.mark.parametrize("word", ["stop", "Stopp!", "para", "止めて"])
@pytest.mark.parametrize("say", [typed, plain])
async def test_stop_ends_the_answer_of_who_may(word: str, say: object) -> None:
    desk = Desk()
    desk.model.script("One, two", asyncio.Event())
    async with desk.open():
        await desk.ask("count")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["One, two"])
        await desk.adapter.receive(say(desk, word, "bob"))  # type: ignore[operator]
        await noticed(desk, ("bob", NOT_YOURS))
        await desk.adapter.receive(say(desk, word))  # type: ignore[operator]
        await noticed(desk, ("bob", NOT_YOURS), ("alice", STOPPING))
        await desk.answered("One, two\n\n_Stopped._")
    # Nobody asked Claude "stop".
    assert desk.model.requests == desk.model.hung_up


async def test_stop_from_somebody_unknown_stops_nothing() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One, two", gate)
    desk.adapter.unknown.add("eve")
    async with desk.open():
        await desk.ask("count")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["One, two"])
        await desk.adapter.receive(plain(desk, "stop", "eve"))
        await desk.adapter.receive(typed(desk, "stop", "eve"))
        await noticed(desk, ("eve", UNSURE), ("eve", UNSURE))
        gate.set()
        await desk.answered("One, two")


async def test_what_all_may_see_is_posted_and_a_form_is_opened_by_a_button() -> None:
    desk = Desk()
    desk.model.script("Hello.")
    async with desk.open():
        await desk.ask("hello")
        await desk.answered("Hello.")
        await desk.adapter.receive(typed(desk, "new"))
        await desk.adapter.until(lambda: bool(desk.adapter.posts))
        [(_, told)] = desk.adapter.posts
        assert told.text == RENEWED
        desk.adapter.people["olga"] = Person("olga", "Olga", runs_workspace=True)
        await desk.adapter.receive(typed(desk, "model", "olga"))
        await noticed(desk, ("olga", FORM_TO_FILL_IN))


async def test_where_nothing_is_private_a_button_shows_what_is_personal() -> None:
    desk = Desk()
    desk.adapter.private = False
    async with desk.open():
        for text in ("usage", "settings", "audit", "prompt show", "budget", "prompt"):
            await desk.adapter.receive(typed(desk, text))
            await desk.adapter.until(
                lambda: desk.adapter.noticed == [("alice", ONLY_FOR_YOU)]
            )
            desk.adapter.noticed.clear()
        await desk.adapter.receive(typed(desk, "stop"))
        await noticed(desk, ("alice", NOTHING_RUNS))
        # Nobody else reads direct messages.
        there = replace(HERE, channel="D1")
        await desk.adapter.receive(replace(typed(desk, "budget"), thread=there))
        await desk.adapter.until(lambda: bool(desk.adapter.posts))
        assert "budget" in desk.adapter.posts[0][1].text


async def test_a_platform_without_channels_has_no_typed_commands() -> None:
    desk = Desk()
    desk.adapter.messenger = None
    for text in ("Stop what?", "Out of what?"):
        desk.model.script(text)
    async with desk.open():
        await desk.ask("stop")
        await desk.answered("Stop what?")
        await desk.ask("stay out")
        await desk.answered("Stop what?", "Out of what?")


async def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    desk = Desk()
    desk.model.script("Pork and spice.")
    async with desk.open():
        await desk.adapter.receive(typed(desk, "setings"))
        await noticed(desk, ("alice", did_you_mean(command="settings")))
        await desk.ask("sausage")
        await desk.answered("Pork and spice.")
