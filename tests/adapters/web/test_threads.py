"""Live changes for fast and slow readers."""

import asyncio
from dataclasses import replace

import pytest

from adapters.web import threads
from adapters.web.threads import Change, Threads, TooManyReaders
from bot.domain.post import Post
from bot.domain.scope import ThreadKey

HERE = ThreadKey("web", "local", "welcome", "1")


def post(id: str, text: str = "") -> Post:
    return Post(HERE, id, 1.0, "ben", text)


async def test_a_slow_reader_gets_the_newest_of_each_post() -> None:
    live = Threads()
    with live.subscribe(HERE) as reader:
        for nth in range(1000):
            live.publish(post("a", str(nth)))
        live.publish(post("b"), gone=True)
        live.publish(replace(post("c"), thread=replace(HERE, thread="2")))
        found = await reader.changes(1.0)
        assert found == [Change(post("a", "999")), Change(post("b"), gone=True)]
        assert await reader.changes(0.0) == []
    assert live.open == 0


async def test_a_reader_that_does_not_keep_up_is_ended() -> None:
    live = Threads()
    with live.subscribe(HERE) as reader:
        for nth in range(threads.MOST + 1):
            live.publish(post(str(nth)))
        assert reader.ended
        assert await reader.changes(1.0) == []
        live.publish(post("later"))
        assert await reader.changes(0.0) == []


async def test_readers_are_woken_and_ended_with_the_server() -> None:
    live = Threads()
    with live.subscribe(HERE) as reader:
        waiting = asyncio.create_task(reader.changes(10.0))
        await asyncio.sleep(0)
        live.publish(post("a"))
        assert await waiting == [Change(post("a"))]
        waiting = asyncio.create_task(reader.changes(10.0))
        await asyncio.sleep(0)
        live.close()
        assert await waiting == []
        assert reader.ended


async def test_there_are_so_many_readers_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "MOST_READERS", 2)
    live = Threads()
    with (
        live.subscribe(HERE),
        live.subscribe(HERE),
        pytest.raises(TooManyReaders),
        live.subscribe(HERE),
    ):
        pass
    with live.subscribe(HERE):
        assert live.open == 1
