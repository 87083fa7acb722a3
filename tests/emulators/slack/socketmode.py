"""Slack's side of Socket Mode (A4): connections, envelopes, acks, redelivery.

Rule 1: a payload goes to any one open connection. Unless its envelope is acknowledged
within `ack_timeout`, on any connection, it is sent again with a new envelope, after
each of `retries` in turn, and then given up.
Rule 2: an event without an open connection waits for one, at most `keep` seconds. The
first delivery that the app then receives is a retry (A2).
Rule 3: only events are sent again (A2). Uses of controls, commands and views are sent
once: the person sees an error and tries again.

All of these are real seconds. Only logs use the emulator's clock.
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

#: A4: an ack is due within 3 s.
ACK_TIMEOUT = 3.0
#: A2: nearly at once, after one minute, after five.
RETRIES = (0.0, 60.0, 300.0)
#: Seconds that events are kept: about as long as the retries last. A longer outage
#: loses events.
KEEP = 360.0
#: A4: the most connections of one app.
MOST_CONNECTIONS = 10


@dataclass(slots=True)
class Attempt:
    """One envelope that was sent, or one request."""

    envelope: str
    #: The number of its connection, from 1; 0 for an HTTP request.
    connection: int
    at: float
    #: `retry_attempt`, as the app saw it.
    retry: int
    #: The time of an ack within the timeout; None without one.
    acked: float | None = None


@dataclass(slots=True)
class Delivery:
    """One payload on its way to the app."""

    type: str
    payload: Json
    accepts_answer: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    #: Whether it was given up: the app will never receive it.
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
    #: Whether it is open, but passes nothing in either direction.
    frozen: bool = False

    async def send(self, frame: Json) -> None:
        """Send `frame`. It is lost if the peer is gone."""
        if not self.frozen:
            with contextlib.suppress(ConnectionError):
                await self.socket.send_json(frame)


class SocketMode:
    """Slack's end of the app's WebSockets. An app with a request URL receives
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
        #: How many connections have been opened.
        self.opened = 0
        #: How many deliveries are neither acknowledged nor lost.
        self.pending = 0
        #: Acks that were late, or for unknown envelopes.
        self.stray_acks: list[str] = []
        self._app = app
        self._clock = clock
        self._changes = changes
        self._chance = chance
        self._ack_timeout = ack_timeout
        self._retries = retries
        self._keep = keep
        #: The delivery over HTTP.
        self.http = HttpDelivery(
            clock=clock, changes=changes, ack_timeout=ack_timeout, retries=retries
        )
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._open = asyncio.Event()
        self._tickets: set[str] = set()
        self._numbers = 0
        self._due: dict[str, asyncio.Future[Json]] = {}

    def ticket(self) -> str:
        """Return a path at which the app may connect."""
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
        """Queue `payload` for delivery. `done` is called when it is acknowledged or
        lost."""
        delivery = Delivery(kind, payload, accepts_answer, done=done)
        self.deliveries.append(delivery)
        self.pending += 1
        self._queue.put_nowait(delivery)
        self._changes.mark()
        return delivery

    async def run(self) -> None:
        """Carry out deliveries until cancelled."""
        async with asyncio.TaskGroup() as deliveries:
            while True:
                delivery = await self._queue.get()
                deliveries.create_task(self._see_through(delivery))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a connection until it closes."""
        if request.query.get("ticket") not in self._tickets:
            raise web.HTTPForbidden
        # Without autoping, so that a frozen connection answers no ping. The timeout is
        # for a peer that does not answer our close frame.
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
        """Send all connections a disconnect message with the reason "warning",
        "refresh_requested" or "link_disabled" (A4). The app closes them."""
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
        """Make all connections silent, as after a pulled cable: nothing arrives, pings
        are not answered, and the connections do not close."""
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
        """Send `delivery` until it is acknowledged. Return whether it was."""
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
        """Send `delivery` once. Return whether it was acknowledged in time."""
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
            # The SDK acknowledges on its current connection, which may be another one.
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
