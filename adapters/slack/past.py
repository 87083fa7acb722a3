"""Reads what was said before: in a thread, or at the top of a channel."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

from adapters.slack import events
from adapters.slack.client import Identity, SlackClient
from bot.errors import Throttled
from bot.rules import Level, Place
from bot.values import Heard, ThreadKey

log = logging.getLogger(__name__)

# A page of the backfill. Some apps get 15 however many they ask for (facts
# A5.2), so the answer decides whether there is more, not the count.
PAGE = 100
# What of a long thread is read when we are called into it: the newest.
MOST_HISTORY = 500
# How long the backfill may wait for a rate limit while people wait for it.
PATIENCE = 30.0


class Past:
    """What was said in one workspace."""

    def __init__(self, client: SlackClient, us: Identity) -> None:
        self._client = client
        self._us = us

    async def history(self, thread: ThreadKey, before: str) -> list[Heard]:
        """See `bot.ports.Adapter`."""
        # Slack puts the root first, whatever the bounds.
        return [
            heard
            for heard in await self._replies(thread, MOST_HISTORY, latest=before)
            if heard.at < float(before)
        ]

    async def recent(
        self, place: Place, most: int, since: float | None = None
    ) -> list[Heard]:
        """See `bot.ports.Adapter`."""
        if place.level is Level.THREAD:
            return await self._replies(place.key, most)
        found: list[Heard] = []
        cursor: str | None = None
        oldest = f"{since:.6f}" if since is not None else None
        while len(found) < most:
            try:
                page = await self._page(
                    "conversations.history",
                    channel=place.channel,
                    oldest=oldest,
                    inclusive=True if oldest else None,
                    limit=PAGE,
                    cursor=cursor,
                )
            except Throttled as error:
                if not found:
                    raise
                log.warning("slack.history_cut place=%s %s", place, error)
                break
            for message in page.get("messages") or ():
                heard = events.message(message, self._us, place.channel)
                if heard and heard.opens:
                    found.append(heard)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        # Slack begins with the newest.
        return found[:most][::-1]

    async def _replies(
        self, thread: ThreadKey, most: int, latest: str | None = None
    ) -> list[Heard]:
        """The newest messages of a thread, oldest first."""
        found: deque[Heard] = deque(maxlen=most)
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            try:
                page = await self._page(
                    "conversations.replies",
                    channel=thread.channel,
                    ts=thread.thread,
                    latest=latest,
                    limit=PAGE,
                    cursor=cursor,
                )
            except Throttled as error:
                if not found:
                    raise
                # An app that Slack caps gets 15 messages a minute (facts A5.2):
                # the beginning now is better than everything in an hour.
                log.warning("slack.history_cut thread=%s %s", thread, error)
                return list(found)
            for message in page.get("messages") or ():
                heard = events.message(message, self._us, thread.channel)
                # Later pages may begin with the root again.
                if heard and heard.message not in seen:
                    seen.add(heard.message)
                    found.append(heard)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return list(found)

    async def _page(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        waited = 0.0
        while True:
            try:
                return await self._client.call(method, **arguments)
            except Throttled as error:
                waited += error.retry_after
                if waited > PATIENCE:
                    raise
                await asyncio.sleep(error.retry_after)
