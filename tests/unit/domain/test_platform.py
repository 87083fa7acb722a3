"""Several platforms in one process, and one of them turns us away."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.errors import AccessRevoked, leaves
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel

REVOKED = AccessRevoked("set a new token")


class Street:
    """Threadkeep on the platforms "here" and "there"."""

    def __init__(self, *names: str) -> None:
        self.store = MemoryStore()
        self.platforms = {name: FakeAdapter(name) for name in names}
        self.model = ScriptedModel()
        self._app = App(
            store=self.store,
            model=self.model,
            adapters=list(self.platforms.values()),
            operator=OPERATOR,
            grace=5.0,
        )
        self.stopping = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self._app.run(self.stopping))
        for each in self.platforms.values():
            await asyncio.shield(each.listening)
        try:
            yield task
        finally:
            self.stopping.set()
            await asyncio.wait({task})

    async def ask(self, name: str, number: int, workspace: str = "w") -> None:
        heard = Message(
            thread=thread(name, workspace),
            message=f"m{number}",
            at=time.time(),
            author="alice",
            text="?",
            addressed=True,
            opens=True,
        )
        await self.platforms[name].receive(heard)


def thread(name: str, workspace: str = "w") -> ThreadKey:
    return ThreadKey(name, workspace, "c", "t")


async def test_a_revoked_token_ends_the_program_and_loses_nothing() -> None:
    street = Street("here")
    street.platforms["here"].troubles = [REVOKED]
    async with street.open() as task:
        await street.ask("here", 1)
        async with asyncio.timeout(60):
            await asyncio.wait({task})
    error = task.exception()
    assert error is not None
    assert leaves(error) == [REVOKED]
    assert await street.store.open_threads() == [thread("here")]


async def test_one_that_turns_us_away_is_named_and_does_not_stop_the_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    street = Street("here", "there")
    here, there = street.platforms.values()
    here.troubles = [REVOKED]
    with caplog.at_level(logging.ERROR):
        async with street.open() as task:
            await street.ask("here", 1)
            await here.until(lambda: here.closed == 1 and not here.open)
            await street.ask("there", 1)
            await there.until(lambda: there.closed == 1)
            # Nor is it asked again: every refusal brings us nearer to a ban.
            await street.ask("here", 2)
            await street.ask("there", 2)
            await there.until(lambda: there.closed == 2)
            assert not task.done()
    assert here.closed == 1
    assert await street.store.open_threads() == [thread("here")]
    assert "platform=here set a new token" in caplog.text


async def test_when_the_last_one_turns_us_away_it_ends() -> None:
    street = Street("here", "there")
    async with street.open() as task:
        for name, platform in street.platforms.items():
            assert not task.done()
            platform.troubles = [REVOKED]
            await street.ask(name, 1)
        async with asyncio.timeout(60):
            await asyncio.wait({task})
    error = task.exception()
    assert error is not None
    assert leaves(error) == [REVOKED]


async def test_a_workspace_that_rejects_its_token_stops_no_other() -> None:
    street = Street("here")
    (here,) = street.platforms.values()
    here.troubles = [AccessRevoked("install the app again", "w")]
    async with street.open() as task:
        await street.ask("here", 1)
        await here.until(lambda: here.closed == 1 and not here.open)
        # Nothing more is asked there, and everything elsewhere.
        await street.ask("here", 2)
        await street.ask("here", 3, workspace="other")
        await here.until(lambda: here.closed == 2 and not here.open)
        assert list(here.seen) == [thread("here", "other")]
        assert await street.store.open_threads() == [thread("here")]
        # Once it accepts a new one, what waits is answered.
        host = await asyncio.shield(here.listening)
        host.access.resume("here", "w")
        await here.until(lambda: here.closed == 3 and not here.open)
        assert not task.done()
    assert await street.store.open_threads() == []


async def test_a_suspended_workspace_ends_the_answers_under_way_there_alone() -> None:
    street = Street("here")
    (here,) = street.platforms.values()
    ends = asyncio.Event()
    street.model.script("One. ", ends)
    street.model.script("Two. ", ends, "Three.")
    async with street.open():
        await street.ask("here", 1)
        await here.until(lambda: len(here.seen) == 1)
        await street.ask("here", 2, workspace="other")
        await here.until(lambda: len(here.seen) == 2)
        host = await asyncio.shield(here.listening)
        error = AccessRevoked("install the app again", "w")
        host.access.suspend("here", "w", error)
        host.access.suspend("here", "w", error)
        await here.until(lambda: here.open == 1)
        ends.set()
        await here.until(lambda: not here.open)
        assert await street.store.open_threads() == [thread("here")]
        host.access.resume("here", "w")
        host.access.resume("here", "never suspended")
        await here.until(lambda: here.closed == 3 and not here.open)
    assert await street.store.open_threads() == []
