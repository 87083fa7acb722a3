"""A bot on unmodified discord.py, for the tests of the Discord emulator.

`Wire` is a bare client of HTTP and the gateway, for details that discord.py hides.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar

import aiohttp
import discord
import discord.gateway
import discord.http
import yarl
from discord import app_commands

from tests.emulators.changes import PATIENCE, Changes
from tests.emulators.discord.emulator import DiscordEmulator

T = TypeVar("T")


class Bot(discord.AutoShardedClient):
    """A bot that records the events it receives and does nothing by itself."""

    def __init__(self, **options: Any) -> None:
        intents = options.pop("intents", None)
        if intents is None:
            intents = discord.Intents.default()
            intents.message_content = True
        options = {"guild_ready_timeout": 0.05, "max_messages": None, **options}
        super().__init__(intents=intents, **options)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.events: list[tuple[str, Any]] = []
        self._changes = Changes()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self._changes.mark()

    async def until(
        self, condition: Callable[[], T], *, timeout: float = PATIENCE
    ) -> T:
        """Wait until `condition()` is true. It is tested after each event."""
        return await self._changes.until(
            condition, timeout=timeout, dump=lambda: f"{self.said()} {self.names()}"
        )

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.events.append((event, args))
        super().dispatch(event, *args, **kwargs)
        self._changes.mark()

    def names(self) -> list[str]:
        """Return the names of the events that discord.py dispatched."""
        return [name for name, _ in self.events]

    def said(self) -> list[str]:
        """Return the contents of people's messages; "" where the bot may not read
        them."""
        return [each.content for each in self.heard if not each.author.bot]

    def place(self, channel: str) -> discord.PartialMessageable:
        """Return a channel to write to, without fetching it."""
        return self.get_partial_messageable(int(channel))


class Wire:
    """A client of the API that neither waits nor retries."""

    def __init__(
        self, emulator: DiscordEmulator, session: aiohttp.ClientSession
    ) -> None:
        self._emulator = emulator
        self._session = session

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Send a request. Return the status, the JSON and the headers of the
        response."""
        authorization = f"Bot {token or self._emulator.token}"
        async with self._session.request(
            method,
            self._emulator.api_url + path,
            json=body,
            headers={"Authorization": authorization},
        ) as response:
            content = await response.text()
            answer = json.loads(content) if content else None
            return response.status, answer, response.headers

    async def code(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """Send a request that is refused. Return the status and Discord's error
        code."""
        status, answer, _ = await self.call(method, path, body)
        return status, answer["code"]

    @contextlib.asynccontextmanager
    async def gateway(self, version: int = 10) -> AsyncIterator["Line"]:
        """Open a connection to the gateway, and yield it before anything is sent."""
        address = f"{self._emulator.gateway_url}?v={version}&encoding=json"
        async with self._session.ws_connect(address) as socket:
            yield Line(socket, self._emulator.token)


class Line:
    """A connection to the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self._socket = socket
        self._token = token

    async def send(self, op: int, content: Any) -> None:
        """Send a frame."""
        await self._socket.send_str(json.dumps({"op": op, "d": content}))

    async def send_text(self, text: str) -> None:
        """Send a text that need not be JSON."""
        await self._socket.send_str(text)

    async def identify(self, **more: Any) -> None:
        """Begin a session. `more` has fields of Discord's Identify structure."""
        asked = {"token": self._token, "intents": 513, "properties": {}, **more}
        await self.send(2, asked)

    async def resume(self, session: str, seq: int, **more: Any) -> None:
        """Resume a session."""
        asked = {"token": self._token, "session_id": session, "seq": seq, **more}
        await self.send(6, asked)

    async def hear(self, *wanted: str | int) -> Any:
        """Return the next frame with one of these names or ops, and skip all others.

        A close is a frame whose op is the negative close code. Raises AssertionError if
        the connection closes and that is not `wanted`.
        """
        while True:
            frame = await self._next()
            if not wanted or frame["t"] in wanted or frame["op"] in wanted:
                return frame
            assert frame["op"] >= 0, f"closed with {-frame['op']}"

    async def closed(self) -> int:
        """Wait until the connection closes. Return the close code."""
        while (frame := await self._next())["op"] >= 0:
            pass
        return -int(frame["op"])

    async def _next(self) -> Any:
        message = await self._socket.receive(timeout=PATIENCE)
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return {"op": -(self._socket.close_code or 0), "t": None, "s": None}


class Scene:
    """Alice in #general, a running bot, and a bare client."""

    def __init__(self, emulator: DiscordEmulator, bot: Bot, wire: Wire) -> None:
        self.emulator = emulator
        self.bot = bot
        self.wire = wire
        self.alice = emulator.add_user("Alice")
        self.general = emulator.add_channel("general")

    @property
    def place(self) -> discord.PartialMessageable:
        return self.bot.place(self.general)

    def say(self, text: str) -> str:
        return self.emulator.say(self.alice, self.general, text)

    def texts(self, place: str = "") -> list[str]:
        """Return the texts that a reader sees."""
        return [each.text for each in self.emulator.messages(place or self.general)]

    async def open_thread(self, message: str) -> discord.Thread:
        """Wait until the bot receives a message, and let it open a thread on it."""
        heard = await self.bot.until(
            lambda: next(
                (each for each in self.bot.heard if str(each.id) == message), None
            )
        )
        assert heard is not None
        return await heard.create_thread(name="Thread")

    async def refusal(self, method: str, path: str, body: object = None) -> int:
        """Send a request that is refused. Return Discord's error code."""
        return (await self.wire.code(method, path, body))[1]


@contextlib.asynccontextmanager
async def wired(emulator: DiscordEmulator) -> AsyncIterator[Wire]:
    """Yield a Wire to `emulator`."""
    async with aiohttp.ClientSession() as session:
        yield Wire(emulator, session)


@contextlib.contextmanager
def pointed_at(emulator: DiscordEmulator) -> Iterator[None]:
    """Make discord.py use `emulator` as Discord (B10)."""
    base = discord.http.Route.BASE
    gateway = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = emulator.api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(emulator.gateway_url)
    try:
        yield
    finally:
        discord.http.Route.BASE = base
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


@contextlib.asynccontextmanager
async def running(emulator: DiscordEmulator, bot: Bot) -> AsyncIterator[Bot]:
    """Yield `bot`, connected and ready, and close it on leaving."""
    with pointed_at(emulator):
        async with bot:
            started = asyncio.create_task(bot.start(emulator.token))
            ready = asyncio.create_task(_ready(bot))
            try:
                await asyncio.wait(
                    [started, ready], return_when=asyncio.FIRST_COMPLETED
                )
                if started.done():
                    await started
                yield bot
            finally:
                ready.cancel()
                await bot.close()
                await asyncio.gather(started, ready, return_exceptions=True)


async def _ready(bot: Bot) -> None:
    # wait_until_ready works only once the bot has logged in.
    await bot.wait_for("ready")
