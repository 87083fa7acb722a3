"""Reads earlier messages from Slack: of a thread, or at the top of a channel."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

from adapters.slack import events
from adapters.slack.block_text import MOST_CHARS
from adapters.slack.client import Identity, SlackClient
from adapters.slack.newest import Page, newest
from bot.domain.message import EarlierMessages, Message
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.errors import Throttled
from bot.runtime.offload import offload

log = logging.getLogger(__name__)

# Messages per page of a channel. Some apps get 15 however many they request (facts
# A5.2), so the cursor, not the count, tells whether there are more.
PAGE = 100
# Messages per page of a thread: the most that Slack returns (facts A5.2), since each
# step of the search for its end is a call.
THREAD_PAGE = 999
# How many messages of a long thread are read: the newest, and the first.
MOST_HISTORY = 500
BEGINNING = 20
# How long reading may wait for rate limits, in seconds, while people wait for it.
PATIENCE = 30.0


class MessageHistory:
    """`bot.ports.platform.MessageHistory` of one workspace."""

    def __init__(self, client: SlackClient, us: Identity) -> None:
        self._client = client
        self._us = us

    async def before(self, thread: ThreadKey, message: str) -> EarlierMessages:
        """Return the messages of `thread` before `message`: of a long thread, the first
        and the newest. Raises DeliveryError."""
        latest = float(message)
        pages: list[Page[Message]] = []
        is_cut = False

        async def read(
            oldest: float | None, latest: float | None, cursor: str
        ) -> Page[Message]:
            nonlocal is_cut
            try:
                page = await self._read_page(thread, oldest, latest, cursor)
            except Throttled:
                is_cut = True
                raise
            pages.append(page)
            return page

        end = await newest(read, MOST_HISTORY, latest)
        first = pages[0]
        known = [each for at, each in first.messages if each and at < latest]
        head = [each for each in known[:BEGINNING] if each not in end]
        # A page whose beginning is not in the end, or an end that Slack did not let us
        # reach, leaves a gap.
        is_apart = bool(head and end) and end[0] not in known
        # The root is no reply, but the question is one.
        total = first.replies - len(head) - len(end)
        messages = (*head, *end)
        if is_cut and not is_apart:
            # The first pages, and nothing after them.
            return EarlierMessages(messages, max(1, total), len(messages))
        if is_apart:
            return EarlierMessages(messages, max(1, total), len(head))
        return EarlierMessages(messages, len(known) - len(messages), len(head))

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return the newest messages of a thread, or at the top of a channel, oldest
        first. Raises DeliveryError."""
        if place.level is ScopeLevel.THREAD:
            return await self._replies(place.key, most)
        found: list[Message] = []
        oldest = f"{since:.6f}" if since is not None else None
        pages = self._messages(
            "conversations.history",
            place.channel,
            oldest=oldest,
            inclusive=True if oldest else None,
        )
        # Slack returns the newest first.
        async with contextlib.aclosing(pages) as messages:
            async for received in messages:
                if received.opens:
                    found.append(received)
                if len(found) == most:
                    break
        return found[::-1]

    async def _replies(self, thread: ThreadKey, most: int) -> list[Message]:
        """Return the newest messages of a thread, oldest first."""
        return await newest(partial(self._read_page, thread), most)

    async def _read_page(
        self,
        thread: ThreadKey,
        oldest: float | None,
        latest: float | None,
        cursor: str,
    ) -> Page[Message]:
        page = await self._page(
            "conversations.replies",
            channel=thread.channel,
            ts=thread.thread,
            limit=THREAD_PAGE,
            oldest=None if oldest is None else f"{oldest:.6f}",
            latest=None if latest is None else f"{latest:.6f}",
            inclusive=None if oldest is None and latest is None else True,
            cursor=cursor or None,
        )
        messages = page.get("messages") or []
        # Slack returns the root first, whatever the bounds.
        root = messages[0] if messages else {}
        found = await self._converted(messages, thread.channel)
        return Page(
            [
                (float(each["ts"]), received)
                for each, received in zip(messages, found, strict=True)
            ],
            str((page.get("response_metadata") or {}).get("next_cursor") or ""),
            int(root.get("reply_count") or 0),
            float(root.get("latest_reply") or 0.0),
        )

    async def _messages(
        self, method: str, channel: str, **arguments: Any
    ) -> AsyncGenerator[Message, None]:
        """Yield the messages in the pages of `method`."""
        cursor: str | None = None
        some = False
        while True:
            try:
                page = await self._page(
                    method, channel=channel, limit=PAGE, cursor=cursor, **arguments
                )
            except Throttled as error:
                if not some:
                    raise
                # Some apps get 15 messages a minute (facts A5.2): a part now is better
                # than everything in an hour.
                log.warning("slack.history_cut channel=%s %s", channel, error)
                return
            for received in await self._converted(page.get("messages") or (), channel):
                if received:
                    some = True
                    yield received
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    async def _converted(
        self, messages: Sequence[Mapping[str, Any]], channel: str
    ) -> list[Message | None]:
        def convert() -> list[Message | None]:
            return [events.message(each, self._us, channel) for each in messages]

        # Each may hold long attachments, which are read in some milliseconds.
        return await offload(convert, len(messages) * MOST_CHARS)

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
