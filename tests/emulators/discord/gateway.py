"""The gateway: a WebSocket per shard of the bot (B1).

The gateway greets the client, which identifies or resumes, and then sends it events.
Tests break the connection in every way that Discord does: `drop`, `reconnect`,
`invalidate`, `close`, and `acks`, which stops the answers to heartbeats. Heartbeats run
in real seconds, as those of the client do.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.emulators.changes import Changes
from tests.emulators.discord.app import App
from tests.emulators.discord.model import Guild, Json, Model
from tests.emulators.discord.session import Session, Wire, shard_of
from tests.emulators.discord.visibility import (
    KNOWN,
    MESSAGE_CONTENT,
    PRIVILEGED,
    Eyes,
)

#: B1.
HEARTBEAT = 41.25
LARGEST_FRAME = 4096
MOST_FRAMES, FRAMES_PER = 120, 60.0

#: The opcodes that the gateway sends.
RECONNECT, INVALID, HELLO, ACK = 7, 9, 10, 11


class _Closed(Exception):
    """Raised when the connection must be closed because of a fault of the client."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, eq=False)
class _Connection:
    """One WebSocket of the bot."""

    socket: web.WebSocketResponse
    request: web.Request
    outgoing: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)
    session: Session | None = None
    heard: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))
    #: Whether the gateway closed the connection.
    hung_up: bool = False

    def send(self, op: int, content: Any) -> None:
        frame = {"op": op, "d": content, "s": None, "t": None}
        self.outgoing.put_nowait(json.dumps(frame))

    async def hang_up(self, code: int) -> None:
        self.hung_up = True
        await self.socket.close(code=code)


class Gateway:
    """Every connection and session of the bot."""

    def __init__(
        self,
        model: Model,
        app: App,
        *,
        trusts: Callable[[str], bool],
        token_lost: Callable[[], None],
        wire: Wire,
        clock: Callable[[], float],
        changes: Changes,
        identify_interval: float,
    ) -> None:
        #: Every session so far, oldest first.
        self.sessions: list[Session] = []
        #: The requests of clients: "IDENTIFY" or "RESUME", and the shard.
        self.log: list[tuple[str, int]] = []
        #: Whether heartbeats are answered.
        self.acks = True
        self.heartbeat_interval = HEARTBEAT
        self.identify_interval = identify_interval
        self.url = ""
        self._model = model
        self._app = app
        self._trusts = trusts
        self._token_lost = token_lost
        self._wire = wire
        self._clock = clock
        self._changes = changes
        self._connections: list[_Connection] = []
        self._resumable: dict[str, Session] = {}
        #: When the shards of each rate limit key last identified (B1).
        self._identified: dict[int, float] = {}

    @property
    def connected(self) -> int:
        """The number of connections that have identified."""
        return sum(each.session is not None for each in self._connections)

    def tell(self, event: str, payload: Json) -> None:
        """Send an event to every session that it concerns, connected or not."""
        for session in self._resumable.values():
            if session.concerns(event, payload):
                session.tell(event, payload)
        self._changes.mark()

    # Faults of connections.

    def drop(self, *, resumable: bool = True) -> None:
        """Cut every connection. Without `resumable`, drop the sessions too."""
        if not resumable:
            self._resumable.clear()
        for connection in self._connections:
            if connection.request.transport is not None:
                connection.request.transport.abort()

    def reconnect(self) -> None:
        """Ask every client to reconnect (op 7)."""
        for connection in self._connections:
            connection.send(RECONNECT, None)

    def invalidate(self, *, resumable: bool) -> None:
        """Tell every client that its session is invalid (op 9)."""
        if not resumable:
            self._resumable.clear()
        for connection in self._connections:
            connection.send(INVALID, resumable)

    async def close(self, code: int = 4000) -> None:
        """Close every connection with `code`."""
        for connection in list(self._connections):
            await connection.hang_up(code)

    # One connection.

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = _Connection(socket, request)
        self._connections.append(connection)
        writer = asyncio.create_task(self._write(connection))
        try:
            if request.query.get("v") not in ("9", "10"):
                raise _Closed(4012)
            greeting = {"heartbeat_interval": int(self.heartbeat_interval * 1000)}
            connection.send(HELLO, greeting)
            await self._listen(connection)
        except _Closed as closed:
            await connection.hang_up(closed.code)
        finally:
            self._forget(connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return socket

    async def _write(self, connection: _Connection) -> None:
        while (frame := await connection.outgoing.get()) is not None:
            await connection.socket.send_str(frame)

    async def _listen(self, connection: _Connection) -> None:
        async for frame in connection.socket:
            if frame.type is not WSMsgType.TEXT:
                raise _Closed(4002)
            self._hear(connection, frame.data)
            self._changes.mark()

    def _hear(self, connection: _Connection, frame: str) -> None:
        now, heard = asyncio.get_running_loop().time(), connection.heard
        if len(heard) == MOST_FRAMES and now - heard[0] < FRAMES_PER:
            raise _Closed(4008)
        heard.append(now)
        if len(frame) > LARGEST_FRAME:
            raise _Closed(4002)
        try:
            message = json.loads(frame)
            op, content = message["op"], message["d"]
        except (ValueError, KeyError, TypeError):
            raise _Closed(4002) from None
        match op:
            case 1:  # a heartbeat
                if self.acks:
                    connection.send(ACK, None)
            case 2 | 6 if connection.session is not None:
                raise _Closed(4005)
            case 2:  # identify
                self._identify(connection, content)
            case 6:  # resume
                self._resume(connection, content)
            case 3 | 4 | 8:  # presence, voice, a list of members: not emulated
                if connection.session is None:
                    raise _Closed(4003)
            case _:
                raise _Closed(4001)

    def _identify(self, connection: _Connection, asked: Json) -> None:
        number, count = asked.get("shard") or (0, 1)
        self.log.append(("IDENTIFY", number))
        if not self._trusts(f"Bot {asked.get('token')}"):
            raise _Closed(4004)
        if not 0 <= number < count:
            raise _Closed(4010)
        if len(self._guilds_of(number, count)) > self._app.guilds_of_shard:
            raise _Closed(4011)
        intents = asked.get("intents", 0)
        if intents & ~KNOWN:
            raise _Closed(4013)
        granted = self._app.granted | (MESSAGE_CONTENT if self._app.may_read else 0)
        if intents & PRIVILEGED & ~granted:
            raise _Closed(4014)
        if self._app.identifies_left <= 0:
            # B1: a bot that identifies too often loses its token.
            self._token_lost()
            raise _Closed(4004)
        self._app.identifies_left -= 1
        key = number % self._app.max_concurrency
        last = self._identified.get(key)
        if last is not None and self._clock() - last < self.identify_interval:
            connection.send(INVALID, False)
            return
        self._identified[key] = self._clock()
        session = Session(
            id=f"session{len(self.sessions):04d}",
            shard=(number, count),
            eyes=Eyes(self._model, intents),
            wire=self._wire,
        )
        self.sessions.append(session)
        self._resumable[session.id] = session
        self._attach(connection, session)
        self._welcome(session)

    def _welcome(self, session: Session) -> None:
        bot = self._model.bot_user.id
        guilds = self._guilds_of(*session.shard)
        ready = {
            "v": 10,
            "user": self._model.user(bot),
            "guilds": [{"id": str(each.id), "unavailable": True} for each in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self._model.application_id), "flags": 0},
        }
        session.dispatch("READY", ready)
        for guild in guilds:
            session.tell("GUILD_CREATE", self._model.guild(guild))

    def _guilds_of(self, number: int, count: int) -> list[Guild]:
        """Return the guilds of a shard that the bot is in."""
        bot = self._model.bot_user.id
        return [
            guild
            for guild in self._model.guilds.values()
            if bot in guild.members and shard_of(guild.id, count) == number
        ]

    def _resume(self, connection: _Connection, asked: Json) -> None:
        if not self._trusts(f"Bot {asked.get('token')}"):
            raise _Closed(4004)
        session = self._resumable.get(str(asked.get("session_id")))
        self.log.append(("RESUME", session.shard[0] if session else 0))
        if session is None:
            connection.send(INVALID, False)
            return
        seen = asked.get("seq") or 0
        if seen > len(session.sent):
            raise _Closed(4007)
        self._attach(connection, session)
        session.replay(seen)

    def _attach(self, connection: _Connection, session: Session) -> None:
        connection.session = session
        session.outgoing = connection.outgoing

    def _forget(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        session = connection.session
        if session is not None and session.outgoing is connection.outgoing:
            session.outgoing = None
            # B1: a session that its client closes with these codes cannot be resumed.
            polite = connection.socket.close_code in (1000, 1001)
            if polite and not connection.hung_up:
                self._resumable.pop(session.id, None)
        self._changes.mark()
