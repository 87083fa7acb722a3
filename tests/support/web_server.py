"""Runs Threadkeep with its web server in this process, and the programs that use it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession

from adapters.web.adapter import WebAdapter
from adapters.web.adapter import connect as connect_web
from bot.app import App
from bot.domain.api_token import ApiToken, NewToken, TokenScope, digest
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.ports.model import Model
from bot.ports.store import Store
from bot.settings.effective import Operator
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

#: The channel of the API.
API = Scope("web", "local", "api")


@dataclass
class WebServer:
    """One server, started by `open`."""

    store: Store = field(default_factory=MemoryStore)
    model: Model = field(default_factory=ScriptedModel)
    env: Mapping[str, str] = field(default_factory=dict)
    operator: Operator = field(
        default_factory=lambda: Operator({"prompt": "Be brief.", "max_tokens": "1000"})
    )

    @contextlib.asynccontextmanager
    async def open(self, grace: float = 5.0) -> AsyncIterator["WebServer"]:
        loop = asyncio.get_running_loop()
        stopping, listening = asyncio.Event(), loop.create_future()
        env = {"THREADKEEP_WEB": "127.0.0.1:0", **self.env}
        async with (
            connect_web(env, self.store, listening.set_result) as adapter,
            ClientSession() as session,
        ):
            self.adapter: WebAdapter = adapter
            self.session = session
            self.app = App(
                store=self.store,
                model=self.model,
                adapters=[adapter],
                operator=self.operator,
                grace=grace,
            )
            task = asyncio.create_task(self.app.run(stopping))
            await asyncio.wait({task, listening}, return_when="FIRST_COMPLETED")
            if task.done():
                await task
            self.address: str = listening.result()
            try:
                yield self
            finally:
                stopping.set()
                await task

    async def token(self, name: str = "ci", *scopes: TokenScope, **more: Any) -> str:
        """Make a token, by default with the scope chat."""
        new = NewToken.random()
        found = frozenset(scopes or (TokenScope.CHAT,))
        made = ApiToken(new.id, name, found, created=1.0, **{"rate": 6_000, **more})
        await self.store.add_token(made, digest(new.text))
        return new.text

    async def put(self, name: str, value: str, place: Scope = API) -> None:
        """Set an option as an admin would."""
        change = Change(place, name, value, versioned=name == "prompt")
        await self.store.change_settings([change], who="olga", now=1.0)

    @contextlib.asynccontextmanager
    async def request(
        self, method: str, path: str, token: str = "", **more: Any
    ) -> AsyncIterator[ClientResponse]:
        """Send a request, with a token if one is given."""
        headers = dict(more.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self.session.request(
            method, f"{self.address}{path}", headers=headers, **more
        ) as response:
            yield response

    async def call(
        self, method: str, path: str, token: str = "", **more: Any
    ) -> tuple[int, Any]:
        """Send a request; return the status and the JSON of the response."""
        async with self.request(method, path, token, **more) as response:
            return response.status, await response.json()

    @contextlib.asynccontextmanager
    async def asked(
        self, message: str = "?", token: str = "", **more: Any
    ) -> AsyncIterator["Reading"]:
        """Ask, and yield a reader of the stream. `more` may hold `headers` and `last`
        (an event id); everything else goes into the body."""
        headers = dict(more.pop("headers", {}))
        if last := more.pop("last", ""):
            headers["Last-Event-ID"] = last
        body = {"message": message, **more}
        async with self.request(
            "POST", "/api/chat", token, json=body, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            yield Reading(response)

    async def answer(
        self, message: str = "?", token: str = "", **more: Any
    ) -> "Reading":
        """Ask, and read the stream to its end."""
        async with self.asked(message, token, **more) as reading:
            await reading.to_end()
        return reading


@dataclass
class Event:
    """One event of a stream."""

    kind: str
    id: str
    data: dict[str, Any]


class Reading:
    """A program that reads a stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.events: list[Event] = []
        self.comments = 0
        self.text = ""

    @property
    def id(self) -> str:
        """The id of the last event."""
        return self.events[-1].id

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def thread(self) -> str:
        return str(self.events[0].data["thread"])

    @property
    def kinds(self) -> list[str]:
        """The kinds of events. Consecutive deltas count once."""
        found: list[str] = []
        for each in self.events:
            if each.kind != "delta" or found[-1:] != ["delta"]:
                found.append(each.kind)
        return found

    async def next(self) -> Event | None:
        """Read and return one event, or None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := await self.response.content.readline():
            text = line.decode().removesuffix("\n")
            if text.startswith(":"):
                self.comments += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif "data" in fields:
                event = Event(fields["event"], fields["id"], json.loads(fields["data"]))
                self.events.append(event)
                if event.kind == "delta":
                    data = event.data
                    whole = data.get("replace", False)
                    self.text = data["text"] if whole else self.text + data["text"]
                return event
            else:
                fields = {}
        return None

    async def to_end(self) -> None:
        """Read all events."""
        while await self.next():
            pass

    async def until(self, text: str) -> None:
        """Read until `text` was received."""
        while text not in self.text:
            assert await self.next(), self.text
