"""Answers are read from the store for all their readers, whatever fails in between."""

import asyncio

import pytest

from adapters.web import live_answers
from adapters.web.live_answers import LiveAnswers
from adapters.web.threads import Threads, TooManyReaders
from bot.domain.api_thread import AnswerSoFar
from bot.domain.post import Post
from bot.domain.scope import ThreadKey
from bot.domain.turn import TurnState
from bot.errors import StorageBusy

HERE = ThreadKey("web", "local", "api", "t1")
GROWING = AnswerSoFar("k1", TurnState.ANSWERING, text="Half")
WHOLE = AnswerSoFar("k1", TurnState.DELIVERED, text="Half and half")


class Stored:
    """An answer in a store, which may fail."""

    def __init__(self) -> None:
        self.answer: AnswerSoFar | None = GROWING
        self.error: Exception | None = None
        self.reads = 0
        self.threads = Threads()
        self.live = LiveAnswers(self.read, self.threads)

    async def read(self, thread: ThreadKey, message: str) -> AnswerSoFar | None:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.answer

    def show(self) -> None:
        """Say that the thread has changed."""
        self.threads.publish(Post(HERE, "k1-0", 1.0, "", "…", turn="k1"))


async def test_it_is_read_once_for_all_and_again_at_each_change() -> None:
    stored = Stored()
    async with (
        stored.live.reading(HERE, "m1") as one,
        stored.live.reading(HERE, "m1") as other,
    ):
        await one.changed(0)
        assert (one is other, one.answer, stored.reads) == (True, GROWING, 1)
        stored.answer = WHOLE
        stored.show()
        await one.changed(1)
        assert (one.answer, one.version, stored.reads) == (WHOLE, 2, 2)
        # It is complete: nothing more is read.
        while not one.ended:  # noqa: ASYNC110
            await asyncio.sleep(0)
        stored.show()
        assert stored.reads == 2
    assert (stored.live.open, stored.threads.open) == (0, 0)


async def test_what_nothing_shows_is_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_answers, "LOOK_EVERY", 0.01)
    stored = Stored()
    async with stored.live.reading(HERE, "m1") as live:
        await live.changed(0)
        stored.answer = None
        await live.changed(1)
        assert live.answer is None


async def test_a_store_that_fails_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_answers, "LOOK_EVERY", 0.01)
    stored = Stored()
    stored.error = StorageBusy("busy")
    async with stored.live.reading(HERE, "m1") as live:
        while stored.reads < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert not live.known
        stored.error = None
        await live.changed(0)
        assert live.answer == GROWING


async def test_an_unforeseen_error_ends_the_readers_of_one_answer() -> None:
    stored = Stored()
    stored.error = RuntimeError("what people wrote")
    async with stored.live.reading(HERE, "m1") as live:
        await live.changed(0)
        assert (live.ended, live.known) == (True, False)
    # The next reader begins anew.
    stored.error = None
    async with stored.live.reading(HERE, "m1") as live:
        await live.changed(0)
        assert live.answer == GROWING


async def test_readers_end_when_the_server_stops() -> None:
    stored = Stored()
    async with stored.live.reading(HERE, "m1") as live:
        await live.changed(0)
        stored.threads.close()
        await live.changed(live.version)
        assert live.ended


async def test_no_more_streams_are_open_than_so_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_answers, "MOST_STREAMS", 1)
    stored = Stored()
    async with stored.live.reading(HERE, "m1"):
        with pytest.raises(TooManyReaders):
            async with stored.live.reading(HERE, "m2"):
                pass
    async with stored.live.reading(HERE, "m2") as live:
        await live.changed(0)
