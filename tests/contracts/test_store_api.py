"""The contract of stores: reads of the web API, and the options of its messages."""

from dataclasses import replace

from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Ended, Outcome, Turn, TurnState
from bot.ports.store import Store
from tests.support.store_helpers import answer, said

CHANNEL = Scope("web", "local", "api")
FIRST, SECOND = (ThreadKey("web", "local", "api", each) for each in ("t1", "t2"))
OPTIONS = AnswerOptions("claude-haiku-4-5", "Be brief.", 64, ("STOP", "é"))


async def ask(store: Store, thread: ThreadKey, message: Message) -> Turn:
    await store.receive(replace(message, thread=thread), answer)
    turn = await store.next_turn(thread)
    assert turn is not None
    return turn


async def finish(store: Store, turn: Turn, text: str, at: float = 9.0) -> None:
    await store.begin_turn(turn, at)
    outcome = Outcome(Ended.DONE, text, replay=text, stop_reason="end_turn")
    await store.finish_turn(turn, outcome, at)


async def test_an_answer_is_read_while_it_grows(store: Store) -> None:
    turn = await ask(store, FIRST, said("m1", opens=True))
    waiting = AnswerSoFar(turn.key, TurnState.WAITING)
    assert await store.answer_so_far(FIRST, "m1") == waiting
    await store.begin_turn(turn, 2.0)
    await store.store_part(turn, PostedPart(0, "p", "Hel"), "Hello", 3.0)
    found = await store.answer_so_far(FIRST, "m1")
    assert found == replace(waiting, state=TurnState.ANSWERING, text="Hello")
    assert not found.is_final
    await finish(store, turn, "Hello there.")
    found = await store.answer_so_far(FIRST, "m1")
    assert found == AnswerSoFar(
        turn.key, TurnState.UNDELIVERED, Ended.DONE, "Hello there.", "", "end_turn"
    )
    assert found.is_final


async def test_a_retry_is_the_answer_to_the_same_message(store: Store) -> None:
    turn = await ask(store, FIRST, said("m1", opens=True))
    await finish(store, turn, "One.")
    await store.mark_delivered(turn, 10.0)
    assert await store.retry_turn(FIRST, turn.key, 11.0)
    found = await store.answer_so_far(FIRST, "m1")
    assert found is not None
    assert (found.turn == turn.key, found.text, found.state) == (
        *(False, ""),
        TurnState.WAITING,
    )


async def test_what_is_not_answered_has_no_answer(store: Store) -> None:
    await ask(store, FIRST, said("m1", opens=True))
    assert await store.answer_so_far(FIRST, "m2") is None
    assert await store.answer_so_far(SECOND, "m1") is None
    await store.delete_messages("web", "local", ["m1"], "api", 5.0)
    assert await store.answer_so_far(FIRST, "m1") is None


async def test_threads_are_listed_for_who_began_them(store: Store) -> None:
    for thread, author in ((FIRST, "token-a"), (SECOND, "token-b")):
        await ask(store, thread, said("m1", opens=True, author=author, text="Why?\nx"))
    await ask(store, SECOND, said("m2", at=2.0, author="token-a"))
    other = ThreadKey("web", "local", "welcome", "t3")
    await ask(store, other, said("m1", opens=True, author="token-a"))
    second, first = await store.api_threads(CHANNEL, "", 10, None)
    assert (second.thread, second.owner, second.title) == ("t2", "token-b", "Why? x")
    assert (first.thread, first.owner, first.turns) == ("t1", "token-a", 1)
    assert await store.api_threads(CHANNEL, "token-a", 10, None) == [first]
    assert await store.api_threads(CHANNEL, "", 1, None) == [second]
    assert await store.api_threads(CHANNEL, "", 9, second.number) == [first]
    assert await store.api_thread(FIRST) == first
    assert await store.api_thread(replace(FIRST, thread="t9")) is None


async def test_a_deleted_thread_is_not_there(store: Store) -> None:
    await ask(store, FIRST, said("m1", opens=True))
    await store.delete_messages("web", "local", ["m1"], "api", 5.0)
    assert await store.api_thread(FIRST) is None
    assert await store.api_threads(CHANNEL, "", 10, None) == []
    assert await store.api_messages(FIRST, 10) == []


async def test_messages_and_answers_are_read_in_order(store: Store) -> None:
    turn = await ask(store, FIRST, said("m1", opens=True))
    await finish(store, turn, "One.")
    await store.mark_delivered(turn, 10.0)
    await ask(store, FIRST, said("m2", at=12.0))
    messages = [
        ApiMessage("m1", "U1", "text of m1", 1.0),
        ApiMessage(turn.key, "", "One.", 1.0),
        ApiMessage("m2", "U1", "text of m2", 12.0),
    ]
    assert await store.api_messages(FIRST, 10) == messages
    assert await store.api_messages(FIRST, 2) == messages[1:]


async def test_options_stay_with_their_message(store: Store) -> None:
    message = replace(said("m1", opens=True), options=OPTIONS)
    turn = await ask(store, FIRST, message)
    [found] = await store.begin_turn(turn, 2.0)
    assert found.message.options == OPTIONS
    await finish(store, turn, "One.")
    await store.mark_delivered(turn, 10.0)
    assert await store.retry_turn(FIRST, turn.key, 11.0)
    again = await store.next_turn(FIRST)
    assert again is not None
    [found] = await store.begin_turn(again, 12.0)
    assert found.message.options == OPTIONS
    await ask(store, SECOND, said("m1", opens=True))
    plain = await store.next_turn(SECOND)
    assert plain is not None
    [found] = await store.begin_turn(plain, 2.0)
    assert not found.message.options
