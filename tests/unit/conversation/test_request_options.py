"""The options of a request of the web API reach Claude, within the settings."""

import asyncio
import time

import pytest

from bot.domain.answer_options import AnswerOptions, merge
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from tests.unit.conversation.test_admission import HERE, Room, there


async def ask(
    room: Room, options: AnswerOptions, thread: ThreadKey = HERE, message: str = "m1"
) -> None:
    at = time.time()
    heard = Message(
        thread, message, at, "alice", "?", True, opens=True, options=options
    )
    await room.adapter.receive(heard)


async def test_what_a_request_asks_for_reaches_claude_once() -> None:
    room = Room(max_tokens="1000", stop_sequences='["END"]', temperature="0.3")
    options = AnswerOptions(
        "haiku", "Answer in French.", max_tokens=64, stop_sequences=("STOP",)
    )
    async with room.open():
        await ask(room, options)
        await room.answered(1)
        await room.ask()
        await room.answered(2)
    asked, later = room.model.requests
    assert (asked.model, asked.max_tokens, asked.stop_sequences) == (
        *("claude-haiku-5-5", 64),
        ("END", "STOP"),
    )
    prompt, _, rest = asked.system.partition("\n\n")
    assert (prompt, rest.partition("\n\n")[0]) == ("Be brief.", "Answer in French.")
    assert (later.max_tokens, later.stop_sequences) == (1000, ("END",))
    assert later.model != asked.model
    assert "French" not in later.system


async def test_a_model_that_is_named_needs_none_to_be_chosen() -> None:
    room = Room(model="auto")
    async with room.open():
        await ask(room, AnswerOptions(model="claude-haiku-4-5"))
        await room.answered(1)
        assert [each.model for each in room.model.requests] == ["claude-haiku-4-5"]
        await room.ask()
        await room.answered(2)
    # The next turn has one chosen, by a request of its own.
    assert len(room.model.requests) == 3


async def test_options_survive_the_process_and_a_retry() -> None:
    room = Room()
    room.model.script(asyncio.Event())
    options = AnswerOptions(max_tokens=64, system="Answer in French.")
    async with room.open():
        await ask(room, options)
        await room.adapter.until(lambda: bool(room.model.requests))
        # Leaving ends the process while Claude has said nothing.
        room._app._grace = 0.0  # type: ignore[union-attr]
    later = Room()
    later.store = room.store
    async with later.open():
        await later.answered(1)
        retried = await later.tell("retry")
        assert "not" not in retried.lower()
        await later.adapter.until(lambda: len(later.model.requests) == 2)
    for request in (*room.model.requests, *later.model.requests):
        assert request.max_tokens == 64
        assert "Answer in French." in request.system


async def test_what_has_become_impossible_is_as_it_is_set() -> None:
    room = Room(max_tokens="100")
    async with room.open():
        await ask(room, AnswerOptions("claude-0", "In French.", 101, (" ",)))
        await room.answered(1)
    [request] = room.model.requests
    assert (request.max_tokens, request.stop_sequences) == (100, ())
    assert request.model != "claude-0"
    assert "In French." in request.system


async def test_a_budget_holds_for_the_model_that_a_request_names() -> None:
    room = Room(budget_day="0.02")
    async with room.open():
        await ask(room, AnswerOptions("opus", max_tokens=4096), there(1))
        [refused] = await room.answered(1, there(1))
        await ask(room, AnswerOptions("haiku", max_tokens=64), there(2))
        await room.answered(1, there(2))
    assert "budget" in refused
    assert [each.model for each in room.model.requests] == ["claude-haiku-5-5"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (AnswerOptions(model="gpt-7"), "gpt-7"),
        (AnswerOptions(model="auto"), "auto"),
        (AnswerOptions(model="x" * 30_000), "20,000"),
        (AnswerOptions(max_tokens=101), "100"),
        (AnswerOptions(stop_sequences=(" ",)), "top sequence"),
        (AnswerOptions(stop_sequences=("a\nb",)), "top sequence"),
        (AnswerOptions(stop_sequences=("x" * 101,)), "100"),
        (AnswerOptions(stop_sequences=tuple("abcdefghi")), "8"),
        (AnswerOptions(system="\x07"), "character"),
        (AnswerOptions(system="x" * 20_001), "20,000"),
    ],
)
async def test_what_is_not_possible_is_refused_in_a_sentence(
    options: AnswerOptions, word: str
) -> None:
    room = Room(max_tokens="100")
    async with room.open():
        assert room._app is not None
        told = await room._app.host.api.refusal(HERE, options)
    assert word in told
    assert told.endswith((".", "?"))


async def test_a_model_that_is_not_for_everybody_is_for_whoever_sets_it() -> None:
    room = Room()
    options = AnswerOptions(model="claude-mythos-5")
    async with room.open():
        assert room._app is not None
        api = room._app.host.api
        assert "claude-mythos-5" in await api.refusal(HERE, options)
        await room.put("model", "claude-mythos-5", Scope.of(HERE))
        assert await api.refusal(HERE, options) == ""


def test_of_each_kind_the_newest_counts() -> None:
    older = AnswerOptions("a", "One.", 5, ("x",))
    newer = AnswerOptions(max_tokens=7, stop_sequences=("y",))
    assert merge([older, newer]) == AnswerOptions("a", "One.", 7, ("y",))
    assert not merge([])
