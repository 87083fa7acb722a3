"""Writes one reply into a Slack thread: post, then edit. Native streams are in
`adapters.slack.streamed_messages`.

Slack has no idempotency key, so every post carries its turn and part as message
metadata, and a post of unknown outcome is searched for before it is repeated (platform
facts A5.3). A stream can be given metadata only when it is stopped.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

from adapters.slack import reply_blocks, thinking_status
from adapters.slack.client import SlackClient, next_cursor
from adapters.slack.native_streams import Streams
from adapters.slack.refusals import Unstreamable
from adapters.slack.streamed_messages import StreamedMessages
from adapters.slack.thinking_status import Status
from adapters.slack.uploads import SlackUploads
from bot.domain.completion import Activity
from bot.domain.platform import WriteKind
from bot.domain.reply import Part
from bot.domain.scope import Scope
from bot.domain.turn import Turn
from bot.errors import (
    DeliveryError,
    MessageGone,
    Rerouted,
    ThreadGone,
    ThreadLost,
    Throttled,
    Unfit,
    is_lost,
)
from bot.messages.controls import THINKING_STATUS
from bot.rendering import safe_links
from bot.runtime import background
from bot.runtime.flag import Flag

log = logging.getLogger(__name__)

# How long before `turn.touched` the turn's posts may have been made, in seconds. Our
# clock may differ from Slack's.
LOOK_BACK = 3600.0
# The same for posts without metadata, which could be mistaken for other answers.
SKEW = 5.0
PAGE = 100

# How long the end of a turn waits to clear the status line or to stop a stream, in
# seconds. A shutdown must not hang while Slack does not respond, and the status line
# expires by itself (facts A8.1).
CLEARING = 2.0


# How often the status line is set again, in seconds: it expires after two minutes
# (facts A8.1).
RENEWAL = 100.0


class SlackSurface:
    """`bot.ports.platform.Surface` in a Slack thread."""

    def __init__(
        self,
        client: SlackClient,
        status: Status,
        streams: Streams,
        turn: Turn,
        uploads: SlackUploads | None,
    ) -> None:
        #: The files below the answer; None if the app may not upload any.
        self.uploads = uploads
        self._client = client
        self._status = status
        self._us = streams.us
        self._turn = turn
        self._thinking: asyncio.Task[None] | None = None
        #: Whether Slack shows the status line.
        self._signed = False
        self._renewing: asyncio.Task[None] | None = None
        #: The text of the status line, whether it changed, and whether a call to set
        #: it is in progress.
        self._line = THINKING_STATUS
        self._changed = Flag()
        self._is_setting = False
        #: Whether the status line may be shown, perhaps left by a process that was
        #: killed. A post clears the line (facts A8.1), unless Slack receives the post
        #: before the line.
        self._has_status = turn.attempts > 0
        self._ts = {s.index: s.message for s in turn.shown if s.message}
        #: Messages of the answer that this one repeats, which were not edited yet.
        self._former = set(self._ts) if turn.is_repeat else set()
        #: Messages whose post has an unknown outcome.
        self._unsure = {s.index for s in turn.shown if not s.message}
        self._streamed = StreamedMessages(client, streams, turn)
        #: The ts of messages that this surface began as streams.
        self._begun = set[str]()

    async def announce(self) -> bool:
        """Show the status line; return whether Slack accepted it."""
        if self._turn.attempts and self._ts:
            # Resumed after a crash: the existing message is enough of a sign, and there
            # may be no further post to clear the line.
            return True
        # A task of its own, since the caller may stop waiting for it.
        self._thinking = background.begin("status", self._think())
        self._has_status = True
        await asyncio.shield(self._thinking)
        # Drop the finished task, which would keep a kilobyte until the answer ends.
        self._thinking = None
        if self._signed and not self._ts:
            self._renewing = background.begin("renew status", self._renew())
            self._renewing.add_done_callback(self._forget_renewing)
        return self._signed

    @property
    def sign(self) -> Self:
        """This surface, whose status line shows what Claude does."""
        return self

    def progress(self, activity: Activity) -> None:
        """Show `activity` as a card in a native stream, and in the status line until
        the first post."""
        self._streamed.cards.add(activity)
        if not self._ts:
            self._line = thinking_status.line(activity)
            self._changed.set()

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the ways to write `part`, best first: as a stream, or by post and
        edit."""
        if ways := self._streamed.ways(part):
            return ways
        if part.index in self._ts:
            return (WriteKind.EDIT,)
        return self._streamed.ways_to_start(part)

    async def show(self, part: Part, way: WriteKind) -> str:
        """Write `part`; return the ts of its message. Raises DeliveryError or
        AccessRevoked."""
        text = safe_links.without_misleading(part.text, is_final=part.final)
        part = replace(part, text=text)
        if part.index in self._unsure:
            await self._find(part.index)
        if way is WriteKind.OPEN and part.index not in self._ts:
            return await self._start_stream(part)
        if way is WriteKind.APPEND:
            return await self._streamed.append(part)
        if way is WriteKind.CLOSE:
            return await self._streamed.stop(part)
        return await self._write(part.index, reply_blocks.body(part, self._turn))

    def forget(self) -> None:
        """Leave the streams and the status line to the process that now owns the
        thread."""
        self._streamed.leave()
        self._has_status = False

    async def close(self) -> None:
        """Cancel the tasks, stop the streams, and clear the status line."""
        for task in (self._thinking, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        await self._streamed.close(CLEARING)
        if self._has_status:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLEARING):
                    # Try twice, since otherwise the line is shown for two minutes.
                    if not await self._status.set(self._turn, ""):
                        await self._status.set(self._turn, "")

    @property
    def deletions(self) -> Self:
        """This surface, whose messages can be deleted."""
        return self

    async def remove(self, index: int) -> None:
        """Delete message `index`. Raises DeliveryError."""
        if index in self._unsure:
            await self._find(index)
        if ts := self._ts.pop(index, None):
            self._streamed.forget(index)
            await self._delete(ts)

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Delete the posts of message `index` that are not `known`. Raises
        DeliveryError."""
        found = {self._ts[index]} if index in self._ts else set()
        if index in self._unsure:
            async for page in self._pages():
                parts = (reply_blocks.part_of(each, self._turn.key) for each in page)
                found |= {part[1] for part in parts if part and part[0] == index}
        for ts in found.difference(known):
            log.info("reply.taken_back thread=%s part=%d", self._turn.thread, index)
            if ts in self._begun:
                await self._streamed.end(ts)
            await self._delete(ts)

    async def _delete(self, ts: str) -> None:
        with contextlib.suppress(ThreadGone):
            await self._client.call(
                "chat.delete", channel=self._turn.thread.channel, ts=ts
            )

    async def _think(self) -> None:
        self._signed = await self._status.set(self._turn, THINKING_STATUS)

    def _forget_renewing(self, renewing: asyncio.Task[None]) -> None:
        self._renewing = None

    async def _renew(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL):
                    await self._changed.wait()
            self._changed.clear()
            self._is_setting = True
            await self._status.set(self._turn, self._line)
            self._is_setting = False

    async def _write(self, index: int, body: dict[str, Any]) -> str:
        ts = self._ts.get(index)
        if ts is None:
            ts = self._ts[index] = await self._post(index, body)
            return ts
        try:
            await self._client.call(
                "chat.update",
                channel=self._turn.thread.channel,
                ts=ts,
                # A repeated answer takes over the messages of another turn.
                metadata=reply_blocks.metadata(self._turn, index),
                **body,
            )
        except Unstreamable as error:
            # An earlier process started it as a stream, and was killed.
            self._streamed.adopt(index, ts)
            raise Rerouted(str(error)) from error
        except MessageGone as error:
            if index not in self._former:
                raise
            # People deleted the old answer, and want a new one.
            del self._ts[index]
            raise Rerouted(str(error)) from error
        self._former.discard(index)
        return ts

    async def _start_stream(self, part: Part) -> str:
        with self._posting(part.index):
            ts = self._ts[part.index] = await self._streamed.start(part)
        self._begun.add(ts)
        try:
            await self._streamed.require_root(part.index)
        except ThreadGone:
            del self._ts[part.index]
            raise
        return ts

    async def _post(self, index: int, body: dict[str, Any]) -> str:
        thread = self._turn.thread
        with self._posting(index):
            answer = await self._client.post_in_thread(
                thread.channel,
                thread.thread,
                metadata=reply_blocks.metadata(self._turn, index),
                **body,
            )
        return str(answer["ts"])

    @contextlib.contextmanager
    def _posting(self, index: int) -> Iterator[None]:
        """Record the effects of the call inside the block, which creates message
        `index`, on the message and on the status line."""
        # A post clears a status line that Slack received before the post.
        was_set = self._thinking is None or self._thinking.done()
        was_set = was_set and not self._is_setting
        try:
            yield
        except (Throttled, ThreadGone, Rerouted, Unfit):
            raise
        except DeliveryError:
            self._unsure.add(index)
            raise
        self._has_status = self._has_status and not was_set
        if self._renewing is not None:
            self._renewing.cancel()

    async def _find(self, index: int) -> None:
        """Search the thread for the post of message `index`, whose outcome is
        unknown."""
        nameless: str | None = None
        try:
            async for page in self._pages():
                for message in page:
                    if found := reply_blocks.part_of(message, self._turn.key):
                        self._ts.setdefault(found[0], found[1])
                    elif self._is_bare(message):
                        nameless = str(message["ts"])
                if index in self._ts:
                    break
        except ThreadGone as error:
            await self._take_back_strays()
            # Continue without permission to read: a duplicate is better than no answer.
            log.warning("slack.cannot_look thread=%s %s", self._turn.thread, error)
        if nameless and nameless not in self._ts.values():
            # All other messages of the bot carry metadata, so this is the open stream.
            self._ts.setdefault(index, nameless)
        self._unsure.discard(index)

    async def _pages(self) -> AsyncIterator[Sequence[Any]]:
        """Yield pages of the thread's messages from LOOK_BACK seconds before this turn
        on. Raises DeliveryError."""
        thread = self._turn.thread
        cursor: str | None = None
        while True:
            page = await self._client.call(
                "conversations.replies",
                channel=thread.channel,
                ts=thread.thread,
                oldest=f"{max(0.0, self._turn.touched - LOOK_BACK):.6f}",
                include_all_metadata="true",
                limit=PAGE,
                cursor=cursor,
            )
            yield page.get("messages") or ()
            cursor = next_cursor(page)
            if not cursor:
                return

    async def _take_back_strays(self) -> None:
        """Delete posts of unknown outcome at the top of the channel. Slack shows them
        there if the root of the thread was deleted before they arrived."""
        channel = self._turn.thread.channel
        oldest = f"{max(0.0, self._turn.touched - SKEW):.6f}"
        try:
            page = await self._client.call(
                "conversations.history",
                channel=channel,
                oldest=oldest,
                include_all_metadata="true",
                limit=PAGE,
            )
        except DeliveryError as error:
            log.warning("slack.cannot_look thread=%s %s", self._turn.thread, error)
            return
        for message in page.get("messages") or ():
            is_stray = message.get("thread_ts") != self._turn.thread.thread
            if is_stray and reply_blocks.part_of(message, self._turn.key):
                await self._client.take_back(channel, str(message["ts"]))

    def _is_bare(self, message: Any) -> bool:
        """Return whether `message` is the bot's, was posted during this turn, and has
        no metadata, like a stream before its end."""
        ours = message.get("user") == self._us and not message.get("metadata")
        return ours and float(message["ts"]) >= self._turn.touched - SKEW


@contextlib.asynccontextmanager
async def open_surface(
    client: SlackClient,
    status: Status,
    streams: Streams,
    turn: Turn,
    *,
    uploads: bool = False,
) -> AsyncIterator[SlackSurface]:
    """Yield a surface for `turn`, and close it on exit. `uploads` says whether the app
    may upload files."""
    files = SlackUploads(client, Scope.of(turn.thread)) if uploads else None
    surface = SlackSurface(client, status, streams, turn, files)
    try:
        yield surface
    except (ThreadLost, ExceptionGroup) as error:
        if is_lost(error):
            surface.forget()
        raise
    finally:
        await surface.close()
