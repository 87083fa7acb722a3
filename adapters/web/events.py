"""The event stream of a page: its content, then every change.

Rule: a page that connects gets its whole content from the store, then changes, so it
can reconnect after any failure. Each event describes the current content, never an
addition to content that the page may lack.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from adapters.web.context import Context
from adapters.web.drawing import Drawn
from adapters.web.speaker import Speaker, member_of, speaker
from adapters.web.threads import Change, Reader
from bot.domain.post import Post
from bot.domain.scope import Scope

#: Seconds without an event after which a comment is sent.
HEARTBEAT = 15.0
#: Seconds that a page may take to read sent data.
PATIENCE = 30.0
#: The most threads that the list of a channel shows.
MOST_TOPICS = 100
#: The pause between two updates of one page, in seconds. A page cannot show more.
STEP = 0.04


def visible(post: Post, who: Speaker) -> bool:
    """Return whether `who` sees `post` in a place that they read."""
    return post.reader in ("", who.member.id)


class Page:
    """The posts that one page shows, and the versions that it was sent."""

    def __init__(self, context: Context, who: Speaker) -> None:
        self._context = context
        self._who = who
        #: The HTML of each message as it was last sent, by message id.
        self._sent: dict[str, Drawn] = {}

    def wants(self, post: Post) -> bool:
        """Return whether the page needs changes of `post`."""
        return post.thread.channel == self._who.channel and visible(post, self._who)

    async def start(self) -> list[tuple[str, Any]]:
        """Return the events with the whole content."""
        return [
            ("topics", await topics(self._context, self._who)),
            ("posts", await self._posts()),
        ]

    async def follow(self, changes: Sequence[Change]) -> list[tuple[str, Any]]:
        """Return the events that show `changes`."""
        events: list[tuple[str, Any]] = []
        here = self._who.thread
        for change in changes:
            post = change.post
            if post.thread.thread != here:
                continue
            if change.gone:
                self._sent.pop(post.message, None)
                events.append(("gone", {"id": post.message}))
            else:
                events.append(await self._change_event(post))
        if any(self._is_listed(each) for each in changes):
            events.append(("topics", await topics(self._context, self._who)))
        return events

    def _is_listed(self, change: Change) -> bool:
        """Return whether `change` may change the list of threads; an answer that only
        grew does not."""
        post = change.post
        return change.gone or post.final or not post.text

    async def _posts(self) -> list[dict[str, Any]]:
        if not self._who.thread:
            return []
        stored = await self._context.board.store.posts(self._who.place.key)
        drawn = [
            await self._context.drawing.draw(each)
            for each in stored
            if visible(each, self._who)
        ]
        self._sent = {each.post.message: each for each in drawn}
        return [self._whole_message(each) for each in drawn]

    async def _change_event(self, post: Post) -> tuple[str, Any]:
        drawn = await self._context.drawing.draw(post)
        before = self._sent.get(post.message)
        self._sent[post.message] = drawn
        if before is None:
            return "post", self._whole_message(drawn)
        same = 0
        for old, new in zip(before.blocks, drawn.blocks, strict=False):
            if old != new:
                break
            same += 1
        change: dict[str, Any] = {
            "id": post.message,
            "from": same,
            "blocks": drawn.blocks[same:],
            "busy": not post.final,
            "version": drawn.version,
        }
        if drawn.head != before.head:
            change["head"] = drawn.head
        if drawn.foot != before.foot:
            change["foot"] = drawn.foot
        return "grow", change

    def _whole_message(self, drawn: Drawn) -> dict[str, Any]:
        return {
            "id": drawn.post.message,
            "html": self._context.drawing.article(replace(drawn, blocks=())),
            "from": 0,
            "blocks": drawn.blocks,
            "head": drawn.head,
            "foot": drawn.foot,
            "busy": not drawn.post.final,
            "version": drawn.version,
        }


async def topics(context: Context, who: Speaker) -> str:
    """Return the list of threads in the channel of `who`."""
    channel = Scope(who.place.platform, who.place.workspace, who.channel)
    found = await context.board.store.topics(channel, MOST_TOPICS)
    return "".join(
        context.drawing.topic(
            each, channel=who.channel, here=each.root.message == who.thread
        )
        for each in found
        if visible(each.root, who)
    )


def routes(context: Context) -> list[web.RouteDef]:
    """Return the route of the stream."""

    async def events(request: web.Request) -> web.StreamResponse:
        query = request.query
        who = speaker(
            member_of(request), query.get("channel", ""), query.get("thread", "")
        )
        page = Page(context, who)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.headers["Cache-Control"] = "no-store"
        with context.threads.reading(page.wants) as reader:
            # Send the retry delay first, so that a page that is disconnected at once
            # comes back soon.
            await response.prepare(request)
            await _write(response, "retry: 1000\n\n")
            await _send(response, await page.start())
            await _follow(response, page, reader)
        return response

    return [web.get("/local/events", events)]


async def _follow(response: web.StreamResponse, page: Page, reader: Reader) -> None:
    while not reader.ended:
        changes = await reader.changes(HEARTBEAT)
        if changes:
            await _send(response, await page.follow(changes))
            await asyncio.sleep(STEP)
        elif not reader.ended:
            await _write(response, ": alive\n\n")


async def _send(
    response: web.StreamResponse, events: Sequence[tuple[str, Any]]
) -> None:
    text = "".join(
        f"event: {name}\ndata: {json.dumps(value)}\n\n" for name, value in events
    )
    if text:
        await _write(response, text)


async def _write(response: web.StreamResponse, text: str) -> None:
    """Write `text`. Raises TimeoutError if the page does not read."""
    async with asyncio.timeout(PATIENCE):
        await response.write(text.encode())
