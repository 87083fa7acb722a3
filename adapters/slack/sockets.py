"""Holds the connections of Socket Mode: one app may have several, and Slack sends each
event to any one of them (platform facts A4).

Rule: the connections close independently. The SDK closes a connection before it opens
the next one, so with two or more connections, events do not wait for that.

Bolt does not handle messages from sockets. It would only build a request and a context,
which takes a quarter of the time until the acknowledgement.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack.client import SlackClient
from adapters.slack.config import PLATFORM
from adapters.slack.greeting import Greeting
from adapters.slack.intake import MOST_EVENTS
from bot.errors import AccessRevoked, ConfigError, DeliveryError, Throttled
from bot.ports.host import Health

log = logging.getLogger(__name__)

#: Takes in the body of a message and the number of Slack's retry, 0 for the first
#: attempt. Returns the response, which acknowledges the message or refuses it.
Take = Callable[[dict[str, Any], int], Awaitable[BoltResponse]]

# How often the SDK checks a socket, in seconds. After a loss, events wait until the
# next check. With a shorter interval, a slow pong would count as a loss.
PING = 5.0

# The first and the longest pause between attempts to reconnect, in seconds. Pauses
# double.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class Sockets:
    """Keeps `count` connections open.

    `address` is the address for the first connection if it was requested before. `of`
    is the number of connections of all kinds that the platform needs.
    """

    def __init__(
        self,
        take: Take,
        client: SlackClient,
        app_token: str,
        health: Health,
        refused: Callable[[ConfigError], None],
        *,
        count: int = 1,
        of: int = 1,
        address: str | None = None,
        absent: Callable[[float], None] = lambda since: None,
    ) -> None:
        self._take = take
        self._client = client
        self._app_token = app_token
        self._health = health
        #: Called when Slack rejects the token.
        self._refused = refused
        self._of = of
        self._address = address
        #: Called when a connection is open again, with the time since when none was, in
        #: seconds since 1970.
        self._absent = absent
        self._open_now = set[str]()
        self._gone_since = time.time()
        self._sockets = [self._socket(f"socket {n}") for n in range(count)]

    async def connect(self) -> None:
        """Open all connections, one after the other. Do not return while Slack cannot
        be reached."""
        for socket in self._sockets:
            await socket.connect()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Close all connections."""
        for socket in self._sockets:
            await socket.close()  # type: ignore[no-untyped-call]

    def _socket(self, name: str) -> SocketModeClient:
        socket = SocketModeClient(
            self._app_token,
            # The SDK's own logger would log messages at DEBUG.
            logger=logging.getLogger("slack_bolt"),
            web_client=self._client.web,
            ping_interval=PING,
        )
        # The SDK's queue is unbounded. It is emptied in every iteration of the loop, so
        # waiting for room here is brief.
        socket.message_queue = asyncio.Queue(MOST_EVENTS)
        # The SDK's own method reconnects without pauses or end, and logs the raw error.
        # Ours backs off, and logs what to do.
        opened = partial(self._open, name)
        socket.issue_new_wss_url = opened  # type: ignore[method-assign]
        greeting = Greeting(partial(self._on_hello, name))
        socket.on_message_listeners.append(greeting.take)
        socket.socket_mode_request_listeners.append(self._acknowledge)
        return socket

    async def _acknowledge(
        self, socket: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        began = time.time()
        answer = await self._take(request.payload, request.retry_attempt or 0)
        await send_async_response(socket, request, answer, began)

    def _on_hello(self, name: str) -> None:
        if not self._open_now:
            self._absent(self._gone_since)
        self._open_now.add(name)
        self._health.connected(PLATFORM, name, self._of)

    def _on_lost(self, name: str) -> None:
        if self._open_now == {name}:
            self._gone_since = time.time()
        self._open_now.discard(name)
        self._health.lost(PLATFORM, name)

    async def _open(self, name: str) -> str:
        """Return a new address for the SDK to connect to, retrying without limit.

        Ends the adapter if Slack rejects the token.
        """
        # The SDK requests an address when it has no connection or a broken one.
        self._on_lost(name)
        if address := self._address:
            # The address that was requested at sign-in to test the token.
            self._address = None
            return address
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._client.open_socket(self._app_token)
            except AccessRevoked as error:
                self._refused(error)
                # The SDK would log any other error and retry.
                raise asyncio.CancelledError from error
            except DeliveryError as error:
                wait = pause
                if isinstance(error, Throttled):
                    wait = max(pause, error.retry_after)
                log.warning("slack.unreachable again_in=%.0f %s", wait, error)
                await asyncio.sleep(wait)
                pause = min(LONGEST_PAUSE, pause * 2)
