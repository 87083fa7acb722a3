"""Waits at the request URL for an event about one message, in place of the bot.

Rule: events about other messages are answered with 503, so that Slack sends them again,
to the bot itself (facts A2).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from adapters.slack import events
from adapters.slack.client import Identity, SlackClient
from adapters.slack.config import SlackConfig
from adapters.slack.http_events import HttpEvents, serving
from bot.runtime.lru import LruDict

# The most probes that are remembered. Slack may retry events of earlier tests.
MOST = 100


class RequestRecorder:
    """Records the requests to the request URL."""

    def __init__(self, us: Identity) -> None:
        self._us = us
        self._probes: LruDict[str, None] = LruDict(MOST)
        self._arrived = asyncio.Event()
        #: Whether Slack sent any request, which shows that the URL is right.
        self.is_reached = False

    async def take(self, body: dict[str, Any]) -> BoltResponse:
        """Record an event. Acknowledge it if it is about a probe of the bot."""
        self.is_reached = True
        probe = events.probe(body, self._us)
        if probe:
            self._probes[probe] = None
        self._arrived.set()
        return BoltResponse(status=200 if probe else 503, body="")

    async def hears(self, ts: str, patience: float) -> bool:
        """Return whether an event about the message `ts` arrives in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while ts not in self._probes:
                    self._arrived.clear()
                    await self._arrived.wait()
        return ts in self._probes


@contextlib.asynccontextmanager
async def open_recorder(
    client: SlackClient, config: SlackConfig, us: Identity
) -> AsyncIterator[RequestRecorder]:
    """Serve the request URL and yield its requests. Raises ConfigError if its address
    cannot be used."""
    recorder = RequestRecorder(us)
    app = AsyncApp(
        name="threadkeep",
        client=client.web,
        before_authorize=recorder.take,
        logger=logging.getLogger("slack_bolt"),
    )
    http = HttpEvents(app, config.signing_secret)
    async with serving(http, config.http):
        yield recorder
