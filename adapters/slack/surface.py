"""Writes one reply into a Slack thread: post, then edit; or as one of Slack's streams.

Slack offers no idempotency key, so every post carries its turn and part as
message metadata, and a post whose outcome is unknown is looked for before it
is made again (platform facts A5.3). A stream can carry that only at its end.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from adapters.slack import reply_blocks
from adapters.slack.client import SlackClient, Unfit, Unstreamable
from adapters.slack.native_streams import Stream, Streams
from adapters.slack.thinking_status import THINKING, Status
from bot.domain.platform import WriteKind
from bot.domain.reply import Part
from bot.domain.turn import Turn
from bot.errors import DeliveryError, Rerouted, ThreadGone, Throttled
from bot.runtime import background

log = logging.getLogger(__name__)

# How long before a turn's last sign of life its posts may have been made, by a
# clock that need not agree with Slack's.
LOOK_BACK = 3600.0
# The same where less may be assumed.
SKEW = 5.0
PAGE = 100

# How long the end of a turn waits for a line that goes by itself (facts A8.1):
# whoever is told to stop while Slack is silent has better things to do.
CLEARING = 2.0


# The status line goes by itself after two minutes (facts A8.1).
RENEWAL = 100.0


class SlackSurface:
    """One reply in a Slack thread."""

    def __init__(
        self, client: SlackClient, status: Status, streams: Streams, turn: Turn
    ) -> None:
        self._client = client
        self._status = status
        self._streams = streams
        self._turn = turn
        self._thinking: asyncio.Task[None] | None = None
        #: Whether people see the status line.
        self._signed = False
        self._renewing: asyncio.Task[None] | None = None
        #: Whether the status line may show, as a killed process may have left it. A
        #: post clears it (facts A8.1), unless Slack saw the post first.
        self._has_status = turn.attempts > 0
        self._ts = {s.index: s.message for s in turn.shown if s.message}
        self._unsure = {s.index for s in turn.shown if not s.message}
        #: The messages that are being streamed.
        self._live: dict[int, Stream] = {}
        self._may_stream = streams.serve(turn.thread)

    async def announce(self) -> bool:
        """See `bot.ports.platform.Surface`."""
        if self._turn.attempts and self._ts:
            # Taken up after a crash: what is there says so, and there may be no post
            # to clear the line.
            return True
        # A task of its own: whoever waits for it may have better things to do.
        self._thinking = background.begin("status", self._think())
        self._has_status = True
        await asyncio.shield(self._thinking)
        if self._signed and not self._ts:
            self._renewing = background.begin("renew status", self._renew())
        return self._signed

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """See `bot.ports.platform.Surface`."""
        if stream := self._live.get(part.index):
            ends = part.final or stream.closing or self._streams.is_old(stream)
            return (WriteKind.CLOSE,) if ends else (WriteKind.APPEND,)
        if part.index in self._ts:
            return (WriteKind.EDIT,)
        if self._may_stream and part.text.strip() and not part.final:
            return (WriteKind.OPEN, WriteKind.POST)
        return (WriteKind.POST,)

    async def show(self, part: Part, way: WriteKind) -> str:
        """See `bot.ports.platform.Surface`."""
        if part.index in self._unsure:
            await self._find(part.index)
        if way is WriteKind.OPEN and part.index not in self._ts:
            return await self._open(part)
        if way is WriteKind.APPEND:
            return await self._append(part)
        if way is WriteKind.CLOSE:
            return await self._end(part)
        try:
            return await self._write(part.index, reply_blocks.body(part, self._turn))
        except Unfit as error:
            # Words without their looks are better than a placeholder for ever.
            log.error("slack.unfit thread=%s %s", self._turn.thread, error)
        try:
            return await self._write(part.index, reply_blocks.plain(part))
        except Unfit as error:
            raise ThreadGone(str(error)) from error

    async def close(self) -> None:
        """Leave nothing half open."""
        for task in (self._thinking, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        for index in list(self._live):
            with contextlib.suppress(TimeoutError, DeliveryError):
                async with asyncio.timeout(CLEARING):
                    await self._call_stream("chat.stopStream", ts=self._ts[index])
        if self._has_status:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLEARING):
                    # Twice if need be: left alone it would show for two minutes.
                    if not await self._status.set(self._turn, ""):
                        await self._status.set(self._turn, "")

    async def remove(self, index: int) -> None:
        """See `bot.ports.platform.Surface`."""
        if index in self._unsure:
            await self._find(index)
        if ts := self._ts.pop(index, None):
            self._live.pop(index, None)
            with contextlib.suppress(ThreadGone):
                await self._client.call(
                    "chat.delete", channel=self._turn.thread.channel, ts=ts
                )

    async def _think(self) -> None:
        self._signed = await self._status.set(self._turn, THINKING)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            await self._status.set(self._turn, THINKING)

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
                # An answer that is given anew takes over the messages of another turn.
                metadata=reply_blocks.metadata(self._turn, index),
                **body,
            )
        except Unstreamable as error:
            # An earlier process began it as a stream, and was killed.
            self._live[index] = Stream("", 0.0, closing=True, unsure=True)
            raise Rerouted(str(error)) from error
        return ts

    # As a stream.

    async def _open(self, part: Part) -> str:
        thread = self._turn.thread
        # Outside direct messages Slack wants to know who sees it live (facts A7.1).
        reader = {"recipient_user_id": self._turn.asker or None}
        reader["recipient_team_id"] = thread.workspace
        if thread.channel.startswith("D"):
            reader = {}
        was_set = self._is_set
        # Slack counts from when it hears of it, which is not before now.
        stream = self._streams.begin(part.text)
        # Until we know better, whatever went wrong, the next try is a post.
        self._may_stream = False
        try:
            answer = await self._client.call(
                "chat.startStream",
                channel=thread.channel,
                thread_ts=thread.thread,
                chunks=reply_blocks.chunks(part.text),
                **reader,
            )
        except Unstreamable as error:
            self._streams.refuse(thread)
            log.info("slack.no_streams channel=%s %s", thread.channel, error)
            raise Rerouted(str(error)) from error
        except Unfit as error:
            raise Rerouted(str(error)) from error
        except (Throttled, ThreadGone):
            raise
        except DeliveryError:
            self._unsure.add(part.index)
            raise
        self._may_stream = True
        ts = self._ts[part.index] = str(answer["ts"])
        self._live[part.index] = stream
        self._posted(was_set)
        return ts

    async def _append(self, part: Part) -> str:
        stream, ts = self._live[part.index], self._ts[part.index]
        if not part.text.startswith(stream.sent):
            stream.closing = stream.unsure = True
            raise Rerouted("a stream cannot take back what it said")
        if rest := part.text[len(stream.sent) :]:
            with self._breaking(part.index):
                await self._call_stream(
                    "chat.appendStream", ts=ts, chunks=reply_blocks.chunks(rest)
                )
            stream.sent = part.text
        return ts

    async def _end(self, part: Part) -> str:
        """End the stream of a message. What it then reads is edited, but for where
        all went well."""
        stream, ts = self._live[part.index], self._ts[part.index]
        whole = not stream.unsure and part.text.startswith(stream.sent)
        rest = part.text[len(stream.sent) :] if whole else ""
        more: dict[str, Any] = {"chunks": reply_blocks.chunks(rest)} if rest else {}
        if (
            whole
            and part.final
            and (controls := reply_blocks.controls(part, self._turn))
        ):
            more["blocks"] = controls
        with self._breaking(part.index):
            await self._call_stream(
                "chat.stopStream",
                ts=ts,
                metadata=reply_blocks.metadata(self._turn, part.index),
                **more,
            )
        del self._live[part.index]
        if not whole:
            raise Rerouted("what the stream reads is not sure")
        return ts

    async def _call_stream(self, method: str, **arguments: Any) -> None:
        channel = self._turn.thread.channel
        await self._client.call(method, channel=channel, **arguments)

    @contextlib.contextmanager
    def _breaking(self, index: int) -> Iterator[None]:
        """See to it that message `index` is ended and edited if its stream breaks."""
        stream = self._live[index]
        try:
            yield
        except Throttled:
            # It says nothing of what is in the stream; only that edits are due.
            stream.closing = True
            raise
        except ThreadGone:
            raise
        except Unstreamable as error:
            if error.is_over:
                del self._live[index]
            stream.closing = stream.unsure = True
            raise Rerouted(str(error)) from error
        except Unfit as error:
            stream.closing = stream.unsure = True
            raise Rerouted(str(error)) from error
        except DeliveryError:
            stream.closing = stream.unsure = True
            raise

    # As a post.

    async def _post(self, index: int, body: dict[str, Any]) -> str:
        thread = self._turn.thread
        was_set = self._is_set
        try:
            answer = await self._client.call(
                "chat.postMessage",
                channel=thread.channel,
                thread_ts=thread.thread,
                unfurl_links=False,
                unfurl_media=False,
                metadata=reply_blocks.metadata(self._turn, index),
                **body,
            )
        except (Throttled, ThreadGone, Unfit):
            raise
        except DeliveryError:
            self._unsure.add(index)
            raise
        self._posted(was_set)
        return str(answer["ts"])

    @property
    def _is_set(self) -> bool:
        """Whether Slack is done with showing the status line."""
        return self._thinking is None or self._thinking.done()

    def _posted(self, was_set: bool) -> None:
        """Note that a message is there, before which the line may have been set."""
        self._has_status = self._has_status and not was_set
        if self._renewing is not None:
            self._renewing.cancel()

    async def _find(self, index: int) -> None:
        """Look whether the post of message `index` succeeded after all."""
        thread = self._turn.thread
        cursor: str | None = None
        nameless: str | None = None
        while True:
            try:
                page = await self._client.call(
                    "conversations.replies",
                    channel=thread.channel,
                    ts=thread.thread,
                    oldest=f"{max(0.0, self._turn.touched - LOOK_BACK):.6f}",
                    include_all_metadata="true",
                    limit=PAGE,
                    cursor=cursor,
                )
            except ThreadGone as error:
                # Without the right to read, a duplicate is possible; silence
                # would be worse.
                log.warning("slack.cannot_look thread=%s %s", thread, error)
                break
            for message in page.get("messages") or ():
                if found := reply_blocks.part_of(message, self._turn.key):
                    self._ts.setdefault(found[0], found[1])
                elif self._is_bare(message):
                    nameless = str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor or index in self._ts:
                break
        if nameless and nameless not in self._ts.values():
            # All else that we say says what it is; this is the stream that we began.
            self._ts.setdefault(index, nameless)
        self._unsure.discard(index)

    def _is_bare(self, message: Any) -> bool:
        """Whether `message` is ours, of this turn's time, and does not say what it
        belongs to, as a stream cannot before its end."""
        ours = message.get("user") == self._streams.us and not message.get("metadata")
        return ours and float(message["ts"]) >= self._turn.touched - SKEW


@contextlib.asynccontextmanager
async def open_surface(
    client: SlackClient, status: Status, streams: Streams, turn: Turn
) -> AsyncIterator[SlackSurface]:
    """A surface for `turn`."""
    surface = SlackSurface(client, status, streams, turn)
    try:
        yield surface
    finally:
        await surface.close()
