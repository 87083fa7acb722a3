"""Runs the local workspace in a test: the server, and the requests of a browser."""

import asyncio
import contextlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from adapters.web.adapter import WebAdapter
from adapters.web.config import WebConfig
from adapters.web.guards import HEADER
from bot.app import App
from bot.ports.model import Model
from bot.settings.effective import Operator
from storage.store import DatabaseStore
from tests.support.process import OPERATOR

_TOKEN = re.compile(r'data-token="([^"]+)"')
_ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@dataclass
class Event:
    """One event of a stream."""

    name: str
    data: Any


@dataclass
class Browser:
    """The requests of one person's browser."""

    address: str
    session: aiohttp.ClientSession
    app: App
    store: DatabaseStore
    adapter: WebAdapter
    token: str = ""
    #: Headers that are sent with every request.
    headers: dict[str, str] = field(default_factory=dict)

    async def page(self, path: str = "/c/welcome") -> str:
        """Open a page and keep its token. Return the text of the page."""
        async with self.session.get(self.address + path) as response:
            text = await response.text()
        if found := _TOKEN.search(text):
            self.token = found[1]
        return text

    async def post(self, path: str, **values: Any) -> dict[str, Any]:
        """Send a form to `path` and return the JSON of the response. `files` are pairs
        of name and bytes. Fail unless the response has `status`, by default 200."""
        files: Iterable[tuple[str, bytes]] = values.pop("files", ())
        status: int = values.pop("status", 200)
        if not self.token:
            await self.page()
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in values.items():
            form.add_field(name.rstrip("_").replace("__", "-"), value)
        for name, data in files:
            form.add_field("file", data, filename=name)
        headers = {HEADER: self.token, **self.headers}
        async with self.session.post(
            self.address + path, data=form, headers=headers
        ) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == status, answer
        return answer

    async def say(self, text: str, **values: Any) -> tuple[str, str]:
        """Post a message. Return the ids of the message and its thread."""
        given = {"channel": "welcome", "as_": "olga", "id": secrets.token_hex(16)}
        answer = await self.post("/local/messages", text=text, **given | values)
        return answer["message"], answer["thread"]

    @contextlib.asynccontextmanager
    async def stream(self, **query: str) -> AsyncIterator["Stream"]:
        """Follow a page's events."""
        url = f"{self.address}/local/events"
        async with self.session.get(url, params=query) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)

    async def answered(
        self, channel: str, thread: str, count: int = 1, *, as_: str = "olga"
    ) -> list[str]:
        """Wait until `count` answers in a thread are complete. Return the texts of all
        messages on its page."""
        async with (
            asyncio.timeout(60),
            self.stream(channel=channel, thread=thread, **{"as": as_}) as events,
        ):
            while True:
                event = await events.next()
                if event.name not in ("posts", "post", "grow"):
                    continue
                page = await self.page(f"/c/{channel}/t/{thread}?as={as_}")
                found = _ARTICLE.findall(page)
                done = [a for a in found if "aria-busy" not in a and 'bot"' in a[:40]]
                if len(done) >= count:
                    return [_words(each) for each in found]


class Stream:
    """The events of one response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> Event:
        """Return the next event. Fail if there is none within a minute."""
        name = ""
        async with asyncio.timeout(60):
            while True:
                line = (await self._response.content.readline()).decode()
                assert line, "the stream ended"
                field, _, value = line.rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    return Event(name, json.loads(value))

    async def until(self, *names: str) -> Event:
        """Return the next event with one of these names."""
        while (event := await self.next()).name not in names:
            pass
        return event


def _words(html: str) -> str:
    return " ".join(_TAG.sub(" ", html).split())


@contextlib.asynccontextmanager
async def browsing(
    store: DatabaseStore,
    model: Model,
    *,
    operator: Operator = OPERATOR,
    settings: WebConfig | None = None,
) -> AsyncIterator[Browser]:
    """Run Threadkeep in this process with the local workspace, and yield a browser."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = settings or WebConfig(port=0, is_chosen=True)
    adapter = WebAdapter(settings, store, listening.set_result)
    stopping = asyncio.Event()
    app = App(
        store=store, model=model, adapters=[adapter], operator=operator, grace=5.0
    )
    running = asyncio.create_task(app.run(stopping))
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        started: set[asyncio.Future[Any]] = {running, listening}
        await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield Browser(listening.result(), session, app, store, adapter)
    finally:
        stopping.set()
        await running
