"""The contract of stores: later versions of a message that add to it."""

from dataclasses import replace

from bot.domain.attachment import Attachment
from bot.domain.completion import ChatMessage
from bot.domain.message import Message, StoredMessage
from bot.domain.turn import TurnMessage
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    ask,
    exchange,
    said,
    waiting,
)

POOR = said("1", text="see")
FULL = replace(POOR, text="see it", files=(Attachment("a.pdf"),))
ADDITION = replace(FULL, text="it", addressed=False)


async def supplement(store: Store, after: Message = FULL) -> None:
    await store.supplement(POOR, after, "CONTENT", ADDITION)


async def test_a_stored_message_is_told(store: Store) -> None:
    assert await store.stored_message(HERE, "1") is None
    named = replace(FULL, name="Erika", automated=True)
    turn = await waiting(store, named)
    told = StoredMessage(named, asked=turn.key)
    assert await store.stored_message(HERE, "1") == told
    assert await store.stored_message(THERE, "1") is None
    await store.edit_message(named, "NEW", 5.0)
    assert await store.stored_message(HERE, "1") == replace(told, edited=True)
    await store.delete_messages("slack", "T1", ["1"], "C1", 6.0)
    assert await store.stored_message(HERE, "1") is None


async def test_the_turn_that_answers_a_message_is_told_with_it(store: Store) -> None:
    read = said("0", text="context")
    await exchange(store, replace(POOR, quotes=(read,)), "What?")
    first = await store.turn_facts(HERE)
    assert first is not None
    stored = await store.stored_message(HERE, "1")
    assert stored == StoredMessage(POOR, asked=first.key)
    # What a turn only reads, it does not answer.
    assert await store.stored_message(HERE, "0") == StoredMessage(read)
    assert await store.retry_turn(HERE, first.key, 5.0)
    again = await store.turn_facts(HERE)
    assert again is not None
    assert again.key != first.key
    stored = await store.stored_message(HERE, "1")
    assert stored == StoredMessage(POOR, asked=again.key)


async def test_more_of_a_message_that_waits_is_read_with_it(store: Store) -> None:
    turn = await waiting(store, POOR)
    await supplement(store)
    assert await store.begin_turn(turn, 2.0) == [TurnMessage(FULL)]
    await store.store_prompt(turn, "", {"1": "SEE IT"})
    assert await store.conversation(HERE) == [ChatMessage("user", "SEE IT")]
    stored = await store.stored_message(HERE, "1")
    assert stored == StoredMessage(FULL, asked=turn.key)


async def test_more_that_comes_while_a_turn_begins_is_not_missed(store: Store) -> None:
    turn = await waiting(store, POOR)
    await store.begin_turn(turn, 2.0)
    await supplement(store)
    await store.store_prompt(turn, "", {"1": "SEE"})
    assert await store.conversation(HERE) == [ChatMessage("user", "CONTENT")]


async def test_more_of_what_was_read_is_read_in_the_next_turn(store: Store) -> None:
    await exchange(store, POOR, "What?")
    before = await store.conversation(HERE)
    await supplement(store)
    again = replace(FULL, text="see it all")
    more = replace(ADDITION, text="all")
    await store.supplement(FULL, again, "CONTENT", more)
    assert await store.conversation(HERE) == before
    await ask(store, said("2", at=2.0))
    assert await store.conversation(HERE) == [
        *before,
        ChatMessage("user", "IT\nALL\nTEXT OF 2"),
    ]
    transcript = [("U1", "see it all"), ("", "What?"), ("U1", "text of 2")]
    assert sorted(await store.transcript(HERE)) == sorted(transcript)
    assert await store.newest_messages("slack", 0.0) == [(HERE, "2")]


async def test_what_was_added_is_deleted_with_its_message(store: Store) -> None:
    await exchange(store, POOR, "What?")
    await supplement(store)
    await store.delete_messages("slack", "T1", ["1"], "C1", 3.0)
    await ask(store, said("2", at=2.0))
    said_last = (await store.conversation(HERE))[-1]
    assert said_last == ChatMessage("user", "TEXT OF 2")


async def test_what_was_added_is_deleted_with_what_it_repeats(store: Store) -> None:
    await waiting(store, POOR)
    await supplement(store, replace(FULL, holds=("0.5",)))
    await store.delete_messages("slack", "T1", ["0.5"], "C1", 3.0)
    assert await store.stored_message(HERE, "1") is None


async def test_nothing_is_added_after_an_edit_a_deletion_or_a_reset(
    store: Store,
) -> None:
    await supplement(store)
    await exchange(store, POOR, "What?")
    await store.edit_message(replace(POOR, text="edited"), "EDITED", 3.0)
    await supplement(store)
    assert await store.transcript(HERE) == [("U1", "edited"), ("", "What?")]
    await store.edit_message(POOR, "SEE", 4.0)
    await store.reset_context(HERE)
    await supplement(store)
    await ask(store, said("2", at=2.0))
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 2")]
    await store.delete_messages("slack", "T1", ["1"], "C1", 5.0)
    await store.supplement(FULL, FULL, "CONTENT", ADDITION)
    assert await store.stored_message(HERE, "1") is None
