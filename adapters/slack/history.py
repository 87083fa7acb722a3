"""Reads earlier messages of a thread or at the top of a channel from Slack."""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters.slack import capped, events, organisations
from adapters.slack.block_text import MOST_CHARS
from adapters.slack.client import Identity, SlackClient, next_cursor
from adapters.slack.newest import MOMENT, Page, newest
from bot.domain.message import EarlierMessages, Message
from bot.domain.scope import Scope, ThreadKey
from bot.errors import Throttled
from bot.runtime.offload import offload

log = logging.getLogger(__name__)

# Messages per page of a channel. Some apps get 15, however many they request (facts
# A5.2), so the cursor, not the count, shows whether more messages follow.
PAGE = 100
# Messages per page of a thread: the most that Slack returns (facts A5.2), to find the
# end of the thread with few calls.
THREAD_PAGE = 999
# How many of the newest and of the first messages of a long thread are read.
MOST_HISTORY = 500
BEGINNING = 20
# How long a read may wait for rate limits, in seconds, while people wait.
PATIENCE = 30.0
# The same for an app that gets one page a minute (facts A5.2) and is mentioned in an
# existing thread. The time is enough for two more pages after the first: 43 messages in
# sequence, or the first 15 and some of the newest.
CAPPED_PATIENCE = 125.0
# An app that Slack tells to wait this many seconds may call once a minute (facts A5.2).
CAPPED_WAIT = 45.0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a thread that was read completely."""

    #: The messages, oldest first, and whether each was edited.
    messages: Sequence[tuple[Message, bool]]
    #: The ts of everything that people see in this part.
    shown: frozenset[str]
    #: The time at which this part ends, in seconds since 1970; infinite if it is the
    #: end of the thread.
    last: float


class MessageHistory:
    """`bot.ports.platform.MessageHistory` of one workspace."""

    def __init__(self, client: SlackClient, us: Identity) -> None:
        self._client = client
        self._us = us
        #: Whether Slack has returned 15 messages though more exist and were requested.
        self._is_capped = False

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the messages of `thread` before `message`, or all if `message` is
        None. Of a long thread, return the first and the newest messages. Raises
        DeliveryError."""
        latest = None if message is None else float(message)
        pages: list[Page[Message]] = []
        patience = _WaitBudget(CAPPED_PATIENCE if self._is_capped else PATIENCE)

        async def read(
            oldest: float | None, latest: float | None, cursor: str
        ) -> Page[Message]:
            page = await self._read_page(thread, patience, oldest, latest, cursor)
            pages.append(page)
            return page

        first = await read(None, latest, "")
        if latest is None:
            latest = first.last + MOMENT if first.last else math.inf
        if capped.is_capped(first):
            self._is_capped = True
            patience.left = max(patience.left, CAPPED_PATIENCE)
        if self._is_capped and capped.has_many_pages(first):
            end = await capped.near_end(read, first, latest)
        else:
            end = await newest(read, MOST_HISTORY, latest, first)
        known = [each for at, each in first.messages if each and at < latest]
        head = [each for each in known[:BEGINNING] if each not in end]
        messages = (*head, *end)
        # `replies` does not count the root, but counts the question.
        missing = max(1, first.replies - len(messages) + (message is None))
        reaches_end = any(
            not page.cursor and end[-1:] and end[-1] in [m for _, m in page.messages]
            for page in pages
        )
        if end and end[0] in known:
            between = known.index(end[0]) - len(head)
            if reaches_end:
                return EarlierMessages(messages, between, len(head))
            if not between:
                return EarlierMessages(messages, missing, len(messages))
        is_open = bool(end) and not reaches_end
        return EarlierMessages(messages, missing, len(head), is_open=is_open)

    @property
    def is_capped(self) -> bool:
        """True if Slack is known to let this app read only 15 messages a minute."""
        return self._is_capped

    async def after(
        self,
        thread: ThreadKey,
        oldest: float,
        most: int,
        patience: float,
        *,
        shared: bool | None,
    ) -> Excerpt:
        """Return about `most` messages of `thread` from the time `oldest` on. Wait up
        to `patience` seconds for rate limits. `shared` is that of
        `organisations.fetched_origin`. Raises DeliveryError."""
        found: dict[str, tuple[Message, bool]] = {}
        shown: dict[str, None] = {}
        waits, cursor = _WaitBudget(patience), ""
        while len(found) < most:
            page = await self._page(
                *("conversations.replies", waits),
                channel=thread.channel,
                ts=thread.thread,
                limit=THREAD_PAGE,
                oldest=f"{oldest:.6f}",
                inclusive=True,
                cursor=cursor or None,
            )
            messages = page.get("messages") or []
            said = await self._convert(messages, thread.channel, shared=shared)
            # Slack returns the root first, whatever the bounds.
            found |= {
                each.message: (each, bool(raw.get("edited")))
                for raw, each in zip(messages, said, strict=True)
                if each is not None and each.at >= oldest
            }
            there = [raw for raw in messages if raw.get("subtype") != events.TOMBSTONE]
            shown |= dict.fromkeys(str(raw["ts"]) for raw in there)
            cursor = next_cursor(page)
            if not cursor:
                break
            self._is_capped = self._is_capped or len(messages) <= capped.PAGE
        self._is_capped = self._is_capped or waits.longest >= CAPPED_WAIT
        last = max(map(float, shown), default=oldest) if cursor else math.inf
        return Excerpt(list(found.values()), frozenset(shown), last)

    async def recent(
        self,
        place: Scope,
        most: int,
        since: float | None = None,
        *,
        patience: float = PATIENCE,
        shared: bool | None = False,
    ) -> list[Message]:
        """Return the newest messages at the top of a channel, oldest first. Wait up to
        `patience` seconds for rate limits. `shared` is that of
        `organisations.fetched_origin`. Raises DeliveryError."""
        found: list[Message] = []
        oldest = f"{since:.6f}" if since is not None else None
        pages = self._messages(
            "conversations.history",
            place.channel,
            patience,
            shared,
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

    async def replied(
        self, channel: str, oldest: float, latest: float, patience: float
    ) -> Mapping[str, bool]:
        """Return whether anybody but the bot has replied to each message at the top of
        `channel` between `oldest` and `latest`, by the ts of the message.

        Reads at most one page, which has the newest messages. Waits up to `patience`
        seconds for rate limits. Raises DeliveryError.
        """
        page = await self._page(
            *("conversations.history", _WaitBudget(patience)),
            channel=channel,
            limit=THREAD_PAGE,
            oldest=f"{oldest:.6f}",
            latest=f"{latest:.6f}",
            inclusive=True,
        )
        us = {self._us.user, self._us.bot}
        # Slack may list only some of many people who replied.
        return {
            str(each["ts"]): not us.issuperset(each.get("reply_users") or ())
            for each in page.get("messages") or ()
        }

    async def _read_page(
        self,
        thread: ThreadKey,
        patience: "_WaitBudget",
        oldest: float | None,
        latest: float | None,
        cursor: str,
    ) -> Page[Message]:
        page = await self._page(
            "conversations.replies",
            patience,
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
        found = await self._convert(messages, thread.channel)
        return Page(
            [
                (float(each["ts"]), received)
                for each, received in zip(messages, found, strict=True)
            ],
            next_cursor(page),
            int(root.get("reply_count") or 0),
            float(root.get("latest_reply") or 0.0),
        )

    async def _messages(
        self,
        method: str,
        channel: str,
        seconds: float,
        shared: bool | None,
        **arguments: Any,
    ) -> AsyncGenerator[Message, None]:
        """Yield the messages in the pages of `method`. Wait up to `seconds` for rate
        limits."""
        cursor: str | None = None
        some = False
        patience = _WaitBudget(seconds)
        while True:
            try:
                page = await self._page(
                    method,
                    patience,
                    channel=channel,
                    limit=PAGE,
                    cursor=cursor,
                    **arguments,
                )
            except Throttled as error:
                if not some:
                    raise
                # Some apps get 15 messages a minute (facts A5.2). Some messages now are
                # better than all of them in an hour.
                log.warning("slack.history_cut channel=%s %s", channel, error)
                return
            raw = page.get("messages") or ()
            for received in await self._convert(raw, channel, shared=shared):
                if received:
                    some = True
                    yield received
            cursor = next_cursor(page)
            if not cursor:
                return

    async def _convert(
        self,
        messages: Sequence[Mapping[str, Any]],
        channel: str,
        *,
        shared: bool | None = False,
    ) -> list[Message | None]:
        us = self._us

        def convert() -> list[Message | None]:
            origin = partial(organisations.fetched_origin, us=us, shared=shared)
            return [
                events.message(each, us, channel, origin=origin(each))
                for each in messages
            ]

        # Messages may have long attachments, each of which takes milliseconds to read.
        return await offload(convert, len(messages) * MOST_CHARS)

    async def _page(
        self, method: str, patience: "_WaitBudget", **arguments: Any
    ) -> Mapping[str, Any]:
        while True:
            try:
                return await self._client.call(method, **arguments)
            except Throttled as error:
                await patience.wait(error)


@dataclass(slots=True)
class _WaitBudget:
    """The seconds that one read may still wait for rate limits, and its longest wait in
    seconds."""

    left: float
    longest: float = 0.0

    async def wait(self, error: Throttled) -> None:
        """Wait as long as Slack says. Raise `error` if too little time is left."""
        self.left -= error.retry_after
        self.longest = max(self.longest, error.retry_after)
        if self.left < 0:
            raise error
        await asyncio.sleep(error.retry_after)
