"""The contract of stores: files of answers."""

from dataclasses import replace

from bot.domain.answer_file import Upload
from bot.domain.reply import PostedPart
from bot.domain.retention import KEPT
from bot.domain.turn import Turn
from bot.ports.store import Store
from tests.support.store_helpers import HERE, THERE, ask, done, exchange, said

FIRST = Upload(0, 0, "secret-plan.py", "d1", "F1", is_shown=True)
SECOND = Upload(0, 1, "b.csv", "d2", "F2")
OTHER = Upload(1, 0, "c.md", "d3")


async def answered(store: Store, *uploads: Upload) -> Turn:
    """Return the turn with an answer that has `uploads`."""
    turn = await exchange(store, said("1", at=1.0), "Answer.")
    await store.store_uploads(turn, uploads)
    found = await store.answered(HERE)
    assert found is not None
    return found


async def test_files_come_back_with_their_turn(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.store_uploads(turn, [OTHER, SECOND, FIRST])
    found = await store.next_turn(HERE)
    assert found is not None
    assert found.uploads == (FIRST, SECOND, OTHER)
    shown = replace(SECOND, id="F9", is_shown=True)
    await store.store_uploads(turn, [shown])
    await store.forget_uploads(turn, 1)
    found = await store.next_turn(HERE)
    assert found is not None
    assert found.uploads == (FIRST, shown)


async def test_a_repeated_answer_takes_them_over_as_old_ones(store: Store) -> None:
    turn = await answered(store, FIRST, SECOND)
    assert await store.retry_turn(HERE, turn.key, 9.0)
    again = await store.next_turn(HERE)
    assert again is not None
    assert again.uploads == (replace(FIRST, digest=""), replace(SECOND, digest=""))
    assert await store.answered(HERE, turn.key) is None
    assert await store.answered(HERE) is None


async def test_an_answered_turn_is_found_by_its_key(store: Store) -> None:
    assert await store.answered(HERE) is None
    first = await exchange(store, said("1", at=1.0), "One.")
    last = await exchange(store, said("2", at=2.0), "Two.")
    open_turn = await ask(store, said("3", at=3.0))
    for key, text in (("", "Two."), (first.key, "One."), (last.key, "Two.")):
        found = await store.answered(HERE, key)
        assert found is not None
        assert found.text == text
    assert await store.answered(HERE, open_turn.key) is None
    assert await store.answered(HERE, "unknown") is None
    assert await store.answered(THERE, first.key) is None


async def test_their_names_are_deleted_with_the_answer(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.store_part(turn, PostedPart(0, "9.9", "One."), "One.", 2.0)
    await store.store_uploads(turn, [FIRST])
    await store.finish_turn(turn, done("One."), 3.0)
    await store.mark_delivered(turn, 4.0)
    later = await ask(store, said("2", at=5.0))
    before = await store.previous_turn(later)
    assert before is not None
    assert before.uploads == (FIRST,)
    await store.delete_messages("slack", "T1", ["9.9"], "C1", 6.0)
    after = await store.previous_turn(later)
    assert after is not None
    # It can still be deleted on its platform.
    assert after.uploads == (replace(FIRST, name="", digest=""),)
    assert await store.answered(HERE) is None


async def test_they_are_deleted_with_their_thread(store: Store) -> None:
    turn = await answered(store, FIRST, SECOND)
    gone = await store.clean_up(replace(KEPT, threads=1.0), 1e12)
    assert gone["threads"] == 1
    assert await store.answered(HERE, turn.key) is None
