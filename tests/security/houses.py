"""Threadkeep on two platforms in memory, each with unrelated workspaces."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from bot.app import App
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.ports.store import Store
from bot.settings.effective import Operator
from bot.ui.elements import Command, CommandResult, Response
from tests.support.fakes import FAST, FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

EVE = Person("eve", "Eve", runs_workspace=True)


def thread(
    platform: str = "slack", workspace: str = "T1", number: int = 0
) -> ThreadKey:
    return ThreadKey(platform, workspace, f"C{workspace}", f"t{number}")


def workspace(of: ThreadKey) -> Scope:
    return Scope.of(of).at(ScopeLevel.WORKSPACE)


class Houses:
    """One bot on both platforms, as `operator` limits it."""

    def __init__(
        self, operator: Operator, store: Store | None = None, **more: Any
    ) -> None:
        self.operator = operator
        self.store: Store = store or MemoryStore()
        self.model = ScriptedModel()
        limits = replace(FAST, part_chars=2_000)
        self.adapters = {
            name: FakeAdapter(name, limits) for name in ("slack", "discord")
        }
        self.app = App(
            store=self.store,
            model=self.model,
            adapters=list(self.adapters.values()),
            operator=operator,
            grace=5.0,
            **more,
        )
        self._numbers = iter(range(1, 100_000))

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Houses"]:
        stopping = asyncio.Event()
        task = asyncio.create_task(self.app.run(stopping))
        for adapter in self.adapters.values():
            await asyncio.shield(adapter.listening)
        try:
            yield self
        finally:
            stopping.set()
            await task

    def heard(self, at: ThreadKey, text: str = "?", **more: object) -> Message:
        number = next(self._numbers)
        values = {"author": "alice", "addressed": True, "opens": True, **more}
        moment = time.time() + number / 100_000
        return Message(at, f"m{number:06}", moment, text=text, **values)  # type: ignore[arg-type]

    async def ask(self, at: ThreadKey, text: str = "?", **more: object) -> None:
        """Let somebody say something."""
        await self.app.host.inbox.receive(self.heard(at, text, **more))

    async def answered(self, at: ThreadKey, count: int = 1) -> list[str]:
        """Wait until a thread has `count` whole answers; what they read."""
        adapter = self.adapters[at.platform]
        await adapter.until(
            lambda: len(adapter.texts(at)) == count and not adapter.open,
        )
        return adapter.texts(at)

    async def give(
        self, at: ThreadKey, verb: str, person: Person = EVE, **arguments: str
    ) -> CommandResult:
        """Let somebody give a command."""
        return await self.app.host.commands.run(
            Command(verb, arguments), Scope.of(at), person
        )

    async def told(
        self, at: ThreadKey, verb: str, person: Person = EVE, **arguments: str
    ) -> str:
        """Let somebody give a command; return the text of the response."""
        reply = await self.give(at, verb, person, **arguments)
        assert isinstance(reply, Response), reply
        return reply.whole

    async def put(self, place: Scope, name: str, value: str) -> None:
        """Set an option as it may have been set long ago, by whatever way."""
        change = Change(place, name, value, versioned=name == "prompt")
        await self.store.change_settings(
            [change], who="eve", now=1.0, action="imported"
        )
