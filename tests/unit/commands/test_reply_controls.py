"""Controls of answers: stop, retry, continue."""

import asyncio
from dataclasses import replace

import pytest

from bot.app import App
from bot.commands.reply_controls import MORE
from bot.conversation.addressing import MOST_AUTOMATED  #
from bot.domain.completion import Report, Usage
from bot.domain.message import LOOP_SECONDS
from bot.domain.person import Person
from bot.domain.reply import Control
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change
from bot.domain.summary import Summary
from bot.domain.turn import TurnState
from bot.errors import ModelBusy
from bot.messages import thread_summaries as messages
from bot.messages.answers import INTERRUPTED
from bot.messages.commands import (
    ENDED,
    NO_ANSWER,
    NOT_LAST,
    NOT_YOURS,
    NOTHING_LEFT,
    NOTHING_RUNS,
    REPEATING,
    STOPPING,
)
from bot.messages.settings import UNSURE
from bot.ui.elements import SILENCE, Command, File, Response
from tests.unit.conversation.test_responder import HERE, THERE, Desk

ALICE = Person("alice", "Alice")
BOB = Person("bob", "Bob")
OLGA = Person("olga", "Olga", runs_workspace=True)
CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)

CUT = Report("claude-sonnet-5-5", "req", Usage(output=9), "max_tokens")


async def use(
    app: App, verb: str, person: Person, turn: str = "", place: Scope | None = None
) -> Response:
    """Return the response to `person`, who uses a control or gives a command."""
    arguments = {"turn": turn} if turn else {}
    reply = await app.host.commands.run(
        Command(verb, arguments), place or Scope.of(HERE), person
    )
    assert isinstance(reply, Response)
    return reply


async def put(desk: Desk, name: str, value: str) -> None:
    """Set something in the channel."""
    await desk.store.change_settings(
        [Change(CHANNEL, name, value)], who="olga", now=1.0
    )


async def key(desk: Desk) -> str:
    """Return the key of the newest turn."""
    facts = await desk.store.turn_facts(HERE)
    assert facts is not None
    return facts.key


def controls(desk: Desk) -> tuple[Control, ...]:
    """Return the controls below the last message."""
    return desk.adapter.writes[-1][2].offers


async def shown(desk: Desk, *texts: str) -> None:
    await desk.adapter.until(lambda: desk.adapter.texts(HERE) == list(texts))


# Stop


@pytest.mark.parametrize("person", [ALICE, OLGA], ids=["asker", "admin"])
async def test_a_running_answer_is_stopped_and_kept_as_what_it_was(
    person: Person,
) -> None:
    desk = Desk()
    desk.model.script("One, two", asyncio.Event())
    async with desk.open() as app:
        await desk.ask("count")
        await shown(desk, "One, two")
        assert controls(desk) == (Control.STOP,)
        assert await use(app, "stop answer", BOB, await key(desk)) == Response(
            NOT_YOURS
        )
        assert await use(app, "stop answer", person, await key(desk)) == SILENCE
        await desk.answered("One, two\n\n_Stopped._")
        assert controls(desk) == (Control.CONTINUE, Control.RETRY, Control.RECEIPT)
        # Twice, and too late.
        assert await use(app, "stop answer", person, await key(desk)) == Response(ENDED)
    [request] = desk.model.hung_up
    assert request.messages[-1].content.count("count") == 1


async def test_whoever_may_be_an_admin_is_told_to_try_again() -> None:
    unsure = replace(BOB, incomplete=True)
    desk = Desk()
    desk.model.script("One, two", asyncio.Event())
    async with desk.open(grace=0.0) as app:
        await desk.ask("count")
        await shown(desk, "One, two")
        turn = await key(desk)
        for verb in ("stop answer", "retry answer", "continue answer"):
            assert await use(app, verb, unsure, turn) == Response(UNSURE)
            guest = replace(unsure, outsider=True)
            assert await use(app, verb, guest, turn) == Response(NOT_YOURS)
        for verb in ("stop", "retry", "new"):
            assert await use(app, verb, unsure) == Response(UNSURE)
        assert desk.adapter.texts(HERE) == ["One, two"]


async def test_a_forged_stop_changes_nothing() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One, two", gate, ", three.")
    async with desk.open() as app:
        await desk.ask("elsewhere", THERE)
        await desk.adapter.until(lambda: bool(desk.adapter.texts(THERE)))
        there = await desk.store.turn_facts(THERE)
        assert there is not None
        # A turn of another thread, one that never was, and none.
        for turn in (there.key, "0" * 16):
            assert await use(app, "stop answer", OLGA, turn) == Response(NO_ANSWER)
            assert await use(app, "retry answer", OLGA, turn) == Response(NO_ANSWER)
            assert await use(app, "continue answer", OLGA, turn) == Response(NO_ANSWER)
        gate.set()
        await desk.answered("One, two, three.", thread=THERE)


async def test_a_stop_for_an_earlier_answer_does_not_stop_the_next() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("One.")
    desk.model.script("Two, ", gate, "three.")
    async with desk.open() as app:
        await desk.ask("first")
        await desk.closed(1)
        earlier = await key(desk)
        await desk.ask("second")
        await shown(desk, "One.", "Two, ")
        assert await use(app, "stop answer", ALICE, earlier) == Response(ENDED)
        gate.set()
        await desk.answered("One.", "Two, three.")


async def test_told_in_a_channel_it_stops_what_one_asked_oneself() -> None:
    desk = Desk()
    for _ in range(2):
        desk.model.script("One, two", asyncio.Event())
    async with desk.open() as app:
        await desk.ask("count")
        await desk.adapter.receive(desk.said("count, too", THERE, author="bob"))
        await desk.adapter.until(lambda: desk.adapter.texts(THERE) == ["One, two"])
        assert await use(app, "stop", OLGA, place=CHANNEL) == Response(NOTHING_RUNS)
        assert await use(app, "stop", BOB, place=CHANNEL) == Response(STOPPING)
        await desk.closed(1)
        assert desk.adapter.texts(THERE) == ["One, two\n\n_Stopped._"]
        assert desk.adapter.texts(HERE) == ["One, two"]
        assert await use(app, "stop", BOB) == Response(NOT_YOURS)
        assert await use(app, "stop", ALICE) == Response(STOPPING)
        await desk.closed(2)


# Retry


async def test_an_answer_is_written_again_in_its_place() -> None:
    desk = Desk()
    desk.model.script(ModelBusy("529"))
    desk.model.script("Paris.")
    async with desk.open() as app:
        await desk.ask("the capital of France?")
        await desk.closed(1)
        assert controls(desk) == (Control.RETRY, Control.RECEIPT)
        failed = await key(desk)
        assert await use(app, "retry answer", BOB, failed) == Response(NOT_YOURS)
        # Pressed twice at once.
        both = await asyncio.gather(
            *(use(app, "retry answer", ALICE, failed) for _ in range(2))
        )
        assert sorted(each == Response(REPEATING) for each in both) == [False, True]
        await desk.answered("Paris.")
        assert await use(app, "retry answer", ALICE, failed) == Response(NOT_LAST)
    assert len(desk.model.requests) == 2


async def test_only_the_last_answer_is_written_again() -> None:
    desk = Desk()
    async with desk.open() as app:
        await desk.ask("one")
        await desk.closed(1)
        first = await key(desk)
        await desk.ask("two")
        await desk.closed(2)
        assert await use(app, "retry answer", ALICE, first) == Response(NOT_LAST)
        assert await use(app, "retry", ALICE) == Response(REPEATING)
        await desk.closed(3)


async def test_all_of_it_works_after_a_restart() -> None:
    desk = Desk()
    turn = await desk.left("Half of it", attempts=2)
    async with desk.open():
        await desk.answered(f"Half of it\n\n⚠️ _{INTERRUPTED}_")
        assert controls(desk) == (Control.CONTINUE, Control.RETRY, Control.RECEIPT)
    again = Desk(desk.store)
    again.adapter.seen = desk.adapter.seen
    again.model.script("All of it.")
    async with again.open() as app:
        assert await use(app, "retry answer", ALICE, turn.key) == Response(REPEATING)
        await again.answered("All of it.")


# Continue


async def test_an_answer_that_was_cut_is_gone_on_with_once() -> None:
    desk = Desk()
    desk.model.script("One, two", CUT)
    desk.model.script("three.")
    async with desk.open() as app:
        await desk.ask("count")
        await desk.closed(1)
        assert controls(desk) == (Control.CONTINUE, Control.RETRY, Control.RECEIPT)
        cut = await key(desk)
        assert await use(app, "continue answer", BOB, cut) == Response(NOT_YOURS)
        pressed = [use(app, "continue answer", ALICE, cut) for _ in range(2)]
        assert SILENCE in await asyncio.gather(*pressed)
        await desk.closed(2)
        assert await use(app, "continue answer", ALICE, cut) == Response(NOT_LAST)
        last = await key(desk)
        assert await use(app, "continue answer", ALICE, last) == Response(NOTHING_LEFT)
    assert len(desk.model.requests) == 2
    assert MORE in desk.model.requests[-1].messages[-1].content
    # Nobody wrote that, so it is not the last message of the thread.
    [(thread, newest)] = await desk.store.newest_messages("fake", 0.0)
    assert (thread, newest) == (HERE, "m001")


# While people wait


async def test_whoever_waited_long_is_called_when_the_answer_is_complete() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script("Half of it", gate, " and the rest.")
    await put(desk, "ping", "1")
    async with desk.open() as app:
        now = asyncio.get_running_loop().time
        responder = app._responder
        for each in (responder, responder._writer, responder.replies):
            each._clock = lambda: now() + 60 * gate.is_set()
        await desk.ask("all of it")
        await shown(desk, "Half of it")
        gate.set()
        await desk.answered("Half of it and the rest.", "@alice")
        assert desk.adapter.writes[-2][2].controls == (Control.RETRY, Control.RECEIPT)
        # Given anew it is not called for a second time where it was.
        await use(app, "retry", ALICE)
        await desk.answered("Understood.")


@pytest.mark.parametrize("ping", ["0", "1"])
async def test_who_saw_it_at_once_or_wants_no_call_is_not_called(ping: str) -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.adapter.signs = True
    desk.model.script(*(["Half of it"] if ping == "0" else []), gate, "Paris.")
    await put(desk, "ping", ping)
    async with desk.open() as app:
        now = asyncio.get_running_loop().time
        responder = app._responder
        for each in (responder, responder._writer, responder.replies):
            each._clock = lambda: now() + 60 * gate.is_set()
        await desk.ask("?")
        await desk.adapter.until(lambda: bool(desk.adapter.open))
        gate.set()
        await desk.closed(1)
    assert len(desk.adapter.texts(HERE)) == 1


@pytest.mark.parametrize("allowed", [True, False])
async def test_bots_that_answer_each_other_are_cut(allowed: bool) -> None:
    desk = Desk()
    if allowed:
        await put(desk, "bots", "on")
    async with desk.open() as app:
        await desk.ask("hello")
        await desk.closed(1)
        for _ in range(MOST_AUTOMATED + 5):
            said = desk.said("and you?", author="robot", opens=False)
            closed = desk.adapter.closed
            await app.host.inbox.receive(replace(said, automated=True))
            facts = await desk.store.turn_facts(HERE)
            if facts and facts.state is not TurnState.DELIVERED:
                await desk.closed(closed + 1)
        told = len(desk.model.requests)
        # People are still answered, and later so are programs.
        await desk.ask("are you still there?")
        await desk.adapter.until(lambda: len(desk.model.requests) == told + 1)
        late = desk.said("and now?", author="robot", opens=False)
        late = replace(late, automated=True, at=late.at + LOOP_SECONDS + 1)
        closed = desk.adapter.closed
        await app.host.inbox.receive(late)
        if allowed:
            await desk.closed(closed + 1)
    assert told <= (1 + MOST_AUTOMATED if allowed else 1)
    assert (told > 1) is allowed
    assert len(desk.model.requests) == told + (2 if allowed else 1)


# The summary of a long thread


async def test_a_summary_is_shown_to_whoever_asks_there() -> None:
    desk = Desk()
    async with desk.open() as app:
        assert await use(app, "summary", BOB) == Response(messages.NONE)
        assert await use(app, "summary", BOB, place=CHANNEL) == Response(
            messages.NOT_HERE
        )
        for count, question in enumerate(("one", "two"), 1):
            await desk.ask(question)
            await desk.closed(count)
        covered = (await desk.store.read_turns(HERE))[:1]
        text = "## People\n" + "They met. " * 200
        summary = Summary(text, "<summary>…</summary>", 2, "claude-haiku-5-5", 1.0)
        assert await desk.store.store_summary(HERE, covered, summary)
        await desk.ask("three")
        await desk.closed(3)
        shown = {turn: part for turn, _, part in desk.adapter.writes if part.final}
        assert shown[await key(desk)].controls == (
            *(Control.RETRY, Control.RECEIPT, Control.SUMMARY),
        )
        for verb, turn in (("summary answer", await key(desk)), ("summary", "")):
            told = await use(app, verb, BOB, turn)
            head = messages.head(messages=2, model="claude-haiku-5-5")
            assert told.text.startswith(f"{head}\n**People**\nThey met. ")
            assert told.file == File("summary.md", text)
            assert not told.public
        await desk.store.delete_messages("fake", "w", ["m001"], "c", 1.0)
        for verb, turn, gone in (
            ("summary answer", await key(desk), messages.GONE),
            ("summary", "", messages.NONE),
        ):
            assert await use(app, verb, BOB, turn) == Response(gone)
