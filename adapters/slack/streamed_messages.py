"""Writes messages of one reply as Slack's native streams: start, append, stop.

Rule: every failure of a stream leads back to post and edit. The write raises Rerouted;
after it, the stream is stopped and its message edited.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from adapters.slack import reply_blocks
from adapters.slack.client import SlackClient
from adapters.slack.native_streams import Stream, Streams
from adapters.slack.refusals import Unstreamable
from adapters.slack.task_cards import TaskCards
from bot.domain.platform import WriteKind
from bot.domain.reply import MORE, Part
from bot.domain.turn import Turn
from bot.errors import DeliveryError, Rerouted, ThreadGone, Throttled, Unfit

log = logging.getLogger(__name__)


class StreamedMessages:
    """The open streams of the reply to `turn`."""

    def __init__(self, client: SlackClient, streams: Streams, turn: Turn) -> None:
        self._client = client
        self._streams = streams
        self._turn = turn
        self._may_start = streams.serve(turn.thread)
        #: Claude's actions besides writing.
        self.cards = TaskCards()
        #: Open streams by the index of the message.
        self._open: dict[int, Stream] = {}

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the ways to write to the open stream of `part`, best first; none if
        the part has no open stream."""
        stream = self._open.get(part.index)
        if stream is None:
            return ()
        if part.final or stream.closing or self._streams.is_old(stream):
            return (WriteKind.CLOSE,)
        if self._streams.spare_others(self._turn.thread):
            return (WriteKind.CLOSE, WriteKind.APPEND)
        return (WriteKind.APPEND,)

    def ways_to_start(self, part: Part) -> Sequence[WriteKind]:
        """Return the ways to start the message of `part`, best first."""
        if not self._may_start or not part.text.strip() or part.calls or part.plain:
            return (WriteKind.POST,)
        if not self._is_direct and not self._recipient():
            # Nobody would see a stream live.
            return (WriteKind.POST,)
        if self._streams.spare_others(self._turn.thread):
            return (WriteKind.POST, WriteKind.OPEN)
        return (WriteKind.POST,) if part.final else (WriteKind.OPEN, WriteKind.POST)

    @property
    def _is_direct(self) -> bool:
        return self._turn.thread.channel.startswith("D")

    def _recipient(self) -> Mapping[str, str]:
        found = self._streams.recipient(self._turn) if self._turn.asker else None
        return found or {}

    def adopt(self, index: int, ts: str) -> None:
        """Register message `index` as a stream that an earlier process left open."""
        self._open[index] = Stream("", 0.0, ts, closing=True, unsure=True)

    def forget(self, index: int) -> None:
        """Drop the stream of message `index`, which was deleted."""
        self._open.pop(index, None)

    def leave(self) -> None:
        """Drop all streams, since another process continues them."""
        self._open.clear()

    async def end(self, ts: str) -> None:
        """Stop the message `ts` if it is an open stream."""
        with contextlib.suppress(Unstreamable, ThreadGone):
            await self._call("chat.stopStream", ts)

    async def start(self, part: Part) -> str:
        """Start a stream with the text of `part`; return the ts of its message.

        Raises Rerouted if Slack refuses streams there, or another DeliveryError.
        """
        thread = self._turn.thread
        reader = {} if self._is_direct else self._recipient()
        # Slack counts the stream's lifetime from the arrival of the call, which is
        # later than this.
        stream = self._streams.begin(part.text)
        # If this call fails for any reason, the next attempt is a post.
        self._may_start = False
        try:
            answer = await self._put(
                "chat.startStream", part.text, thread_ts=thread.thread, **reader
            )
        except Unstreamable as error:
            self._streams.refuse(thread)
            log.info("slack.no_streams channel=%s %s", thread.channel, error)
            raise Rerouted(str(error)) from error
        except ThreadGone as error:
            # The app may still be allowed to post here; if not, the post fails, too.
            self._streams.refuse_channel(thread)
            log.info("slack.no_streams channel=%s %s", thread.channel, error)
            raise Rerouted(str(error)) from error
        except Unfit as error:
            raise Rerouted(str(error)) from error
        self._may_start = True
        stream.ts = str(answer["ts"])
        self._open[part.index] = stream
        return stream.ts

    async def require_root(self, index: int) -> None:
        """Delete the stream of message `index`, which has just begun, and raise
        ThreadGone if the root of the thread is gone. Slack's answer to the start of a
        stream does not say where the message is."""
        thread = self._turn.thread
        try:
            await self._client.require_root(thread.channel, thread.thread)
        except ThreadGone:
            stream = self._open.pop(index)
            await self._call("chat.stopStream", stream.ts)
            await self._client.take_back(thread.channel, stream.ts)
            raise

    async def append(self, part: Part) -> str:
        """Append the new text of `part` to its stream; return the ts. Raises Rerouted
        or another DeliveryError."""
        stream = self._open[part.index]
        if not part.text.startswith(stream.sent):
            stream.closing = stream.unsure = True
            raise Rerouted("a stream cannot take back what it said")
        if rest := part.text[len(stream.sent) :]:
            with self._breaking(part.index):
                await self._put("chat.appendStream", rest, ts=stream.ts)
            stream.sent = part.text
        return stream.ts

    async def stop(self, part: Part) -> str:
        """Stop the stream of `part`; return the ts.

        Raises Rerouted if the message must be edited to show `part`, or another
        DeliveryError.
        """
        stream = self._open[part.index]
        whole = not stream.unsure and part.text.startswith(stream.sent)
        rest = part.text[len(stream.sent) :] if whole else ""
        if whole and not part.final:
            # The message continues by edits, and must look like an edited message.
            rest += MORE
        more: dict[str, Any] = {}
        if whole and (controls := reply_blocks.controls(part, self._turn)):
            more["blocks"] = controls
        with self._breaking(part.index):
            await self._put(
                "chat.stopStream",
                rest,
                ts=stream.ts,
                metadata=reply_blocks.metadata(self._turn, part.index),
                **more,
            )
        del self._open[part.index]
        if not whole:
            raise Rerouted("what the stream reads is not sure")
        return stream.ts

    async def close(self, timeout: float) -> None:
        """Stop every open stream, waiting up to `timeout` seconds for each."""
        for stream in self._open.values():
            with contextlib.suppress(TimeoutError, DeliveryError):
                async with asyncio.timeout(timeout):
                    await self._call("chat.stopStream", stream.ts)

    async def _call(self, method: str, ts: str) -> None:
        channel = self._turn.thread.channel
        await self._client.call(method, channel=channel, ts=ts)

    async def _put(self, method: str, text: str, **arguments: Any) -> dict[str, Any]:
        """Call `method` with `text` and the waiting cards; return Slack's answer. If
        Slack does not accept cards, leave them out from then on."""
        channel = self._turn.thread.channel
        said = reply_blocks.chunks(text) if text else []
        cards = list(self.cards.waiting) if self._streams.takes_cards and said else []
        call = partial(self._client.call, method, channel=channel, **arguments)
        try:
            answer = await (call(chunks=[*cards, *said]) if said else call())
        except (Unstreamable, Unfit) as error:
            if not cards or "invalid_" not in str(error):
                raise
            self._streams.takes_cards = False
            log.info("slack.no_cards channel=%s %s", channel, error)
            answer = await call(chunks=said)
        self.cards.sent(len(cards))
        return dict(answer)

    @contextlib.contextmanager
    def _breaking(self, index: int) -> Iterator[None]:
        """Make the next write stop the stream of message `index` and edit the message
        if the call inside the block fails."""
        stream = self._open[index]
        try:
            yield
        except Throttled:
            # The text in the stream is still known, but the message must be edited from
            # now on.
            stream.closing = True
            raise
        except ThreadGone:
            raise
        except Unstreamable as error:
            if error.is_over:
                del self._open[index]
            stream.closing = stream.unsure = True
            raise Rerouted(str(error)) from error
        except Unfit as error:
            stream.closing = stream.unsure = True
            raise Rerouted(str(error)) from error
        except DeliveryError:
            stream.closing = stream.unsure = True
            raise
