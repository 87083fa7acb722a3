"""Socket Mode from Slack's side (A4): connections, envelopes, acks, redelivery.

Rule 1: a payload goes to one open connection, whichever. Unless its envelope is
acknowledged within `ack_timeout`, on any connection, it is sent again with a new
envelope, after each of `retries` in turn, and then given up.
Rule 2: what happens while no connection is open waits for one, at most `keep`
seconds, and arrives as a retry: the first that the app sees of it (A2).
Rule 3: only events come again (A2). What people do with controls, commands and
views is sent once: whoever did it is told that it did not work, and does it again.

All of these are real seconds; only what is logged uses the emulator's clock.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import WSMessage, WSMsgType, web

from tests.emulators.changes import Changes
from tests.emulators.slack import http_delivery
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.http_delivery import HttpDelivery

#: A4: an answer is due within 3 s.
ACK_TIMEOUT = 3.0
#: A2: nearly at once, after one minute, after five.
RETRIES = (0.0, 60.0, 300.0)
#: About as long as the retries last: a longer outage loses events.
KEEP = 360.0
#: A4: connections of one app.
MOST_CONNECTIONS = 10


@dataclass(slots=True)
class Attempt:
    """One envelope that was sent, or one request."""

    envelope: str
    #: The number of the connection it went to, from 1; 0 for a request.
    connection: int
    at: float
    #: `retry_attempt`, as the app saw it.
    retry: int
    #: When the ack came in time; None if it did not.
    acked: float | None = None


@dataclass(slots=True)
class Delivery:
    """One payload on its way to the app."""

    type: str
    payload: Json
    accepts_answer: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    #: Given up: the app will never hear of it.
    lost: bool = False
    #: The payload of the app's ack.
    answer: Json | None = None
    #: Called as soon as it is acknowledged or lost.
    done: Callable[["Delivery"], None] | None = None

    @property
    def event(self) -> Json:
        """The inner event."""
        event: Json = self.payload.get("event", {})
        return event

    @property
    def acked(self) -> bool:
        return any(attempt.acked is not None for attempt in self.attempts)


@dataclass(slots=True)
class Connection:
    """One WebSocket of the app."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    #: Open, but nothing comes through in either direction.
    frozen: bool = False

    async def send(self, frame: Json) -> None:
        """Send `frame`, unless the peer is gone: then it is lost on the way."""
        if not self.frozen:
            with contextlib.suppress(ConnectionError):
                await self.socket.send_json(frame)


class SocketMode:
    """The far end of the app's WebSockets; an app that has a request URL gets
    everything there (`http`)."""

    def __init__(
        self,
        *,
        app: str,
        clock: Callable[[], float],
        changes: Changes,
        chance: random.Random,
        ack_timeout: float,
        retries: Sequence[float],
        keep: float,
    ) -> None:
        self.deliveries: list[Delivery] = []
        self.connections: list[Connection] = []
        #: How many connections there have been.
        self.opened = 0
        #: How many deliveries are neither acknowledged nor lost.
        self.pending = 0
        #: Acks that came too late, or for nothing that we sent.
        self.stray_acks: list[str] = []
        self._app = app
        self._clock = clock
        self._changes = changes
        self._chance = chance
        self._ack_timeout = ack_timeout
        self._retries = retries
        self._keep = keep
        #: The other way to the app.
        self.http = HttpDelivery(
            clock=clock, changes=changes, ack_timeout=ack_timeout, retries=retries
        )
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._open = asyncio.Event()
        self._tickets: set[str] = set()
        self._numbers = 0
        self._due: dict[str, asyncio.Future[Json]] = {}

    def ticket(self) -> str:
        """Return a path with which the app may connect."""
        ticket = self._number("ticket")
        self._tickets.add(ticket)
        return f"/link/?ticket={ticket}&app_id={self._app}"

    def deliver(
        self,
        payload: Json,
        *,
        kind: str = "events_api",
        accepts_answer: bool = False,
        done: Callable[[Delivery], None] | None = None,
    ) -> Delivery:
        """Put `payload` on its way; `done` is called when it has come to an end."""
        delivery = Delivery(kind, payload, accepts_answer, done=done)
        self.deliveries.append(delivery)
        self.pending += 1
        self._queue.put_nowait(delivery)
        self._changes.mark()
        return delivery

    async def run(self) -> None:
        """See every delivery through, until cancelled."""
        async with asyncio.TaskGroup() as deliveries:
            while True:
                delivery = await self._queue.get()
                deliveries.create_task(self._see_through(delivery))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Hold one connection for as long as it lasts."""
        if request.query.get("ticket") not in self._tickets:
            raise web.HTTPForbidden
        # Without autoping, so that a frozen connection answers no ping. The
        # timeout is for a peer that does not answer our close.
        socket = web.WebSocketResponse(autoping=False, timeout=1.0)
        await socket.prepare(request)
        self.opened += 1
        connection = Connection(self.opened, socket, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await connection.send(self._farewell("too_many_websockets"))
            await socket.close()
            return socket
        self.connections.append(connection)
        try:
            await connection.send(self._hello())
            self._opened_or_closed()
            async for frame in socket:
                if not connection.frozen:
                    await self._receive(socket, frame)
        finally:
            self.connections.remove(connection)
            self._opened_or_closed()
        return socket

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell all connections to go: "warning", "refresh_requested" or
        "link_disabled" (A4). Closing is left to the app."""
        for connection in list(self.connections):
            await connection.send(self._farewell(reason))

    def cut(self, only: int | None = None) -> None:
        """Break all connections, or the one with the number `only`, without a close
        frame."""
        for connection in self.connections:
            if only not in (None, connection.number):
                continue
            if connection.request.transport is not None:
                connection.request.transport.abort()

    def freeze(self) -> None:
        """Let all connections go silent, as if a cable were pulled: nothing that
        is sent arrives, no ping is answered, no end of it is seen."""
        for connection in self.connections:
            connection.frozen = True

    async def close(self) -> None:
        """Close all connections properly."""
        for connection in list(self.connections):
            await connection.socket.close()
        await self.http.close()

    async def _see_through(self, delivery: Delivery) -> None:
        delivery.lost = not await self._delivered(delivery)
        self.pending -= 1
        if delivery.done is not None:
            delivery.done(delivery)
        self._changes.mark()

    async def _delivered(self, delivery: Delivery) -> bool:
        """Send `delivery` until it is acknowledged; say whether it ever was."""
        if self.http.url:
            return await self._posted(delivery)
        if delivery.type != "events_api":
            return bool(self.connections) and await self._attempt(delivery, 0)
        last = asyncio.get_running_loop().time() + self._keep
        retry = 0
        while retry <= len(self._retries):
            if not self.connections:
                retry = max(retry, 1)
                if not await self._opened_before(last):
                    return False
            if await self._attempt(delivery, retry):
                return True
            if retry < len(self._retries):
                await asyncio.sleep(self._retries[retry])
            retry += 1
        return False

    async def _posted(self, delivery: Delivery) -> bool:
        def begun(retry: int) -> None:
            delivery.attempts.append(Attempt("", 0, self._clock(), retry))
            self._changes.mark()

        posted = await self.http.see_through(delivery.type, delivery.payload, begun)
        if posted.failure:
            return False
        delivery.attempts[-1].acked = self._clock()
        if delivery.accepts_answer:
            delivery.answer = http_delivery.answer(posted)
        return True

    async def _opened_before(self, last: float) -> bool:
        try:
            async with asyncio.timeout_at(last):
                while not self.connections:
                    await self._open.wait()
        except TimeoutError:
            return False
        return True

    async def _attempt(self, delivery: Delivery, retry: int) -> bool:
        """Send `delivery` once; say whether it was acknowledged in time."""
        connection = self._chance.choice(self.connections)
        attempt = Attempt(
            self._number("envelope"), connection.number, self._clock(), retry
        )
        delivery.attempts.append(attempt)
        self._changes.mark()
        ack = self._due[attempt.envelope] = asyncio.Future()
        try:
            async with asyncio.timeout(self._ack_timeout):
                await connection.send(_envelope(delivery, attempt))
                delivery.answer = (await ack).get("payload")
        except TimeoutError:
            return False
        finally:
            del self._due[attempt.envelope]
        attempt.acked = self._clock()
        self._changes.mark()
        return True

    async def _receive(self, socket: web.WebSocketResponse, frame: WSMessage) -> None:
        if frame.type is WSMsgType.PING:
            await socket.pong(frame.data)
        elif frame.type is WSMsgType.TEXT:
            ack = json.loads(frame.data)
            # The SDK acknowledges on whatever connection it has by then.
            due = self._due.get(ack["envelope_id"])
            if due is not None and not due.done():
                due.set_result(ack)
            else:
                self.stray_acks.append(ack["envelope_id"])
                self._changes.mark()

    def _opened_or_closed(self) -> None:
        if self.connections:
            self._open.set()
        else:
            self._open.clear()
        self._changes.mark()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": self._app},
            "debug_info": {
                "host": "applink-emulated",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
        }

    def _farewell(self, reason: str) -> Json:
        debug = {"host": "applink-emulated"}
        return {"type": "disconnect", "reason": reason, "debug_info": debug}

    def _number(self, name: str) -> str:
        self._numbers += 1
        return f"{name}-{self._numbers}"


def _envelope(delivery: Delivery, attempt: Attempt) -> Json:
    envelope = {
        "envelope_id": attempt.envelope,
        "type": delivery.type,
        "accepts_response_payload": delivery.accepts_answer,
        "payload": delivery.payload,
    }
    if delivery.type == "events_api":
        reason = "timeout" if attempt.retry else ""
        envelope |= {"retry_attempt": attempt.retry, "retry_reason": reason}
    return envelope
