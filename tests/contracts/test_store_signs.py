"""The contract of stores: signs of messages that wait."""

from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    done,
    exchange,
    keep,
    said,
    waiting,
)


async def test_only_a_message_that_waits_gets_a_sign(store: Store) -> None:
    await exchange(store, said("1"), "One.")
    assert not await store.claim_sign(said("1"))
    await store.receive(said("2"), keep)
    assert not await store.claim_sign(said("2"))
    assert not await store.claim_sign(said("unknown"))
    await waiting(store, said("3"))
    assert await store.claim_sign(said("3"))


async def test_a_sign_is_past_once_its_message_does_not_wait(store: Store) -> None:
    turn = await waiting(store, said("1"), said("2"))
    await store.receive(said("3", thread=THERE), answer)
    for each in (said("1"), said("2"), said("3", thread=THERE)):
        assert await store.claim_sign(each)
    assert await store.past_signs() == []
    assert await store.signs() == [(HERE, "1"), (HERE, "2"), (THERE, "3")]
    begun = await store.begin_turn(turn, 2.0)
    assert [each.is_signed for each in begun] == [True, True]
    expected = [(HERE, "1"), (HERE, "2")]
    assert await store.past_signs() == await store.past_signs(HERE) == expected
    assert await store.past_signs(THERE) == []
    await store.forget_sign(HERE, "1")
    assert await store.past_signs() == [(HERE, "2")]
    assert await store.signs() == [(HERE, "2"), (THERE, "3")]
    await store.finish_turn(turn, done("Two."), 3.0)
    await store.mark_delivered(turn, 4.0)
    assert await store.past_signs() == [(HERE, "2")]


async def test_a_deleted_message_does_not_wait(store: Store) -> None:
    await waiting(store, said("1"))
    assert await store.claim_sign(said("1"))
    await store.delete_messages("slack", "T1", ["1"], "C1", 2.0)
    assert await store.past_signs() == [(HERE, "1")]
    assert not await store.claim_sign(said("1"))


async def test_a_sign_moves_with_its_thread(store: Store) -> None:
    turn = await waiting(store, said("1"))
    assert await store.claim_sign(said("1"))
    await store.move_thread(HERE, THERE)
    await store.begin_turn(turn, 2.0)
    assert await store.past_signs(THERE) == [(THERE, "1")]


async def test_taking_a_sign_away_is_tried_a_few_times(store: Store) -> None:
    turn = await waiting(store, said("1"))
    assert await store.claim_sign(said("1"))
    await store.begin_turn(turn, 2.0)
    tries = 0
    while await store.past_signs():
        tries += 1
        await store.forget_sign(HERE, "1", True)
    assert 1 < tries < 10
