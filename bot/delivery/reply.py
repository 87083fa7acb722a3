"""Writes one reply to the platform when the scheduler allows it.

Reading Claude and writing to the platform are independent. Each write carries the
latest text, so a slow platform gets fewer and larger updates, never a queue of stale
ones.

Order of durable steps: intent stored, message posted, its id stored; then for each
edit, text stored, message edited. After a crash between any two, the next attempt at
the turn repairs the reply without removing text that somebody has read.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from bot.delivery.late_writes import Corrections, LateWrites
from bot.delivery.pieces import Pieces
from bot.delivery.reply_uploads import ReplyUploads
from bot.delivery.stored_parts import StoredParts
from bot.delivery.write_request import WriteRequest, priority_of
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.completion import Activity
from bot.domain.platform import Limits, WriteKind
from bot.domain.reply import Control, Part
from bot.domain.turn import Turn, TurnState
from bot.errors import (
    DeliveryError,
    Rerouted,
    StorageError,
    StorageRejected,
    ThreadGone,
    Throttled,
    Unfit,
)
from bot.ports.platform import Surface
from bot.ports.store import ReplyStore
from bot.rendering.renderer import Renderer
from bot.runtime import background
from bot.runtime.flag import Flag
from bot.runtime.offload import offload
from bot.runtime.retry import Backoff

log = logging.getLogger(__name__)

# A resumed answer replaces the text of an earlier attempt. The old text stays until the
# new one is as long, or for this many seconds after the first new text, so that a
# message does not shrink while people read it.
CATCH_UP = 3.0

# Pauses between attempts at a write that the platform refuses.
BACKOFF = Backoff(first=0.5, longest=30.0)


class StreamedReply:
    """The answer to `turn`, written to `surface` while it grows."""

    def __init__(
        self,
        turn: Turn,
        surface: Surface,
        *,
        store: ReplyStore,
        scheduler: WriteScheduler,
        limits: Limits,
        uploads: ReplyUploads,
        corrections: Corrections,
        file_lines: float | None,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._turn = turn
        self._surface = surface
        self._stored = StoredParts(turn, store, now, scheduler)
        #: The writes that may arrive late.
        self.late = LateWrites(turn, surface, corrections)
        self._now = now
        self._scheduler = scheduler
        self._limits = limits
        self._clock = clock
        self._uploads = uploads
        self._renderer = Renderer(limits, file_lines)
        self._changed = Flag()
        self._finished = self._withdrawn = self._left = False
        #: How many writes in a row the platform refused, and when the next may be
        #: tried.
        self._refused = 0, float("-inf")
        # Only for an interrupted attempt: `retry` shows the new text at once.
        cut = turn.attempts > 0 and any(shown.message for shown in turn.shown)
        self._before_chars = len(turn.head) + len(turn.text) if cut else 0
        #: The ids of the posted messages, by index.
        self.messages = {s.index: s.message for s in turn.shown if s.message}
        #: The time of the first text.
        self._began = float("inf")
        #: The time at which a placeholder is due.
        self._placeholder = float("inf")
        self._shown: dict[int, Part] = {}
        self._edited: dict[int, float] = {}
        #: The same, as all readers see it: without text that was appended to a stream.
        self._shared: dict[int, Part] = {}
        self._shared_at: dict[int, float] = {}
        #: The number of messages, counted from the first, that are final and shown.
        self._complete = 0
        self._pieces = Pieces()
        #: The note, the controls and the ping after the text, once the text is
        #: complete.
        self._ending: tuple[str, tuple[Control, ...], str] | None = None
        #: The answer so far, as Claude wrote it.
        self.text = ""
        #: When the first text of the answer was shown, in seconds since 1970.
        self.first_words: float | None = None
        #: The line above the answer; "" for none.
        self.head = ""

    def begin(self, head: str) -> None:
        """Set the line shown above the answer, or "" for none. Call this before feeding
        any text; a later call replaces the line."""
        self.head = head
        self._renderer.begin(head)

    async def feed(self, text: str) -> None:
        """Add the next piece of the answer; let other tasks run meanwhile."""
        async for piece in self._pieces.of(text):
            await self._render(piece)

    def show_progress(self, activity: Activity) -> None:
        """Let the platform show the activity of Claude."""
        if not self._is_over and (sign := self._surface.sign):
            sign.progress(activity)

    async def _render(self, text: str) -> None:
        delay = self._limits.delay(len(self.text))
        self._began = min(self._began, self._clock())
        self.text += text
        self._renderer.take_in(text)
        await self._lay_out()
        self._changed.set()
        if self._limits.delay(len(self.text)) < delay:
            # Text has a higher priority than the placeholder that may be pending.
            self._hurry()

    async def _lay_out(self) -> None:
        has_more = self._renderer.lay_out()
        while has_more:
            await asyncio.sleep(0)
            has_more = self._renderer.lay_out()

    @property
    def has_text_shown(self) -> bool:
        """True if any text of the answer is shown; a placeholder does not count."""
        seen = any(shown.message for shown in self._turn.shown)
        earlier = seen and bool(self._turn.text.strip())
        return earlier or any(part.text.strip() for part in self._shown.values())

    async def finish(
        self, note: str, controls: tuple[Control, ...] = (), calls: str = ""
    ) -> None:
        """Complete the answer with `note` and `controls` below it, and ping the user
        `calls` unless that is "". `keep_shown` then writes the rest and returns."""
        if left := self._pieces.rest():
            await self._render(left)
        # A long line may have been held back as the head of a table.
        self._renderer.flush()
        await self._lay_out()
        self._ending = (note, controls, calls)
        if not self._renderer.has_files:
            self._end()
        self._changed.set()
        self._hurry()

    async def _attach(self) -> None:
        """Attach the files, or show them as text; then complete the answer."""
        files = await offload(self._renderer.files, len(self.text))
        for failed in await self._uploads.settle(files):
            async for piece in self._pieces.of(failed.markdown):
                self._renderer.append(piece)
                await self._lay_out()
        self._end()

    def _end(self) -> None:
        assert self._ending is not None
        self._renderer.finish(*self._ending)
        self._finished = True

    @property
    def _is_over(self) -> bool:
        """True if the text is complete. Files may follow."""
        return self._finished or self._ending is not None

    def withdraw(self) -> None:
        """Make `keep_shown` delete the posted messages, and return."""
        self._withdrawn = self._finished = True
        self._changed.set()

    def leave(self) -> None:
        """Make `keep_shown` return, and leave all messages to another reply."""
        self._left = self._finished = True
        self._changed.set()

    async def keep_shown(self) -> None:
        """Write the reply as it grows, until it is finished and all of it is shown.
        Raises ThreadGone, AccessRevoked and StorageRejected."""
        announcing = background.held("announce", self._announce())
        try:
            while True:
                if part := self._outdated_part():
                    requests = self._requests(part)
                    request = await self._scheduler.may_write(*requests)
                    # The text may have changed during the wait.
                    part = self._outdated_part()
                    if part and request.kind in self._surface.ways(part):
                        await self._try_to_write(part, request)
                    self._scheduler.write_completed(self._turn.key)
                elif self._finished:
                    break
                elif self._ending:
                    await self._attach()
                else:
                    await self._wait_for_change()
            if not self._left:
                kept = set() if self._withdrawn else self._shown.keys()
                known = {shown.index for shown in self._turn.shown}
                known |= self.messages.keys()
                for index in sorted(known - kept):
                    await self._stored.remove(self._surface, index)
                await self._uploads.clean_up()
            await self._stored.settle(self.text, self.head)
        finally:
            await background.cancel_all(announcing)
            self._scheduler.remove(self._turn.key)

    async def _announce(self) -> None:
        """Show the platform's typing indicator, and schedule a placeholder: at once if
        there is no indicator, else after a silence."""
        if self._is_over:
            return
        signed = False
        try:
            signed = await self._surface.announce()
        finally:
            silence = self._limits.silence if signed else 0.0
            self._placeholder = self._clock() + silence
            self._changed.set()

    def _hurry(self) -> None:
        """Replace the pending request by one for the current text."""
        if part := self._outdated_part():
            self._scheduler.hurry(*self._requests(part))

    def _outdated_part(self) -> Part | None:
        """Return the first message whose text is outdated on the platform."""
        if self._withdrawn or self._left or self._is_hidden():
            return None
        for part in self._renderer.parts[self._complete :]:
            if not self._is_kept(part) and self._due_ways(part):
                return part
            if part.final:
                self._complete = part.index + 1
        return None

    def _is_kept(self, part: Part) -> bool:
        """Return whether a posted message stays unchanged until the files are attached.
        The message may be complete already."""
        is_late = self._turn.state is TurnState.UNDELIVERED and not self._finished
        return is_late and part.index in self.messages

    def _due_ways(self, part: Part) -> list[WriteKind]:
        """Return the ways of writing `part` that would show enough new text to a
        reader."""
        ways = self._surface.ways(part)
        streams = WriteKind.APPEND in ways
        return [way for way in ways if self._is_due(part, way, streams)]

    def _is_due(self, part: Part, way: WriteKind, streams: bool) -> bool:
        shares = streams and way is WriteKind.CLOSE
        seen = (self._shared if shares else self._shown).get(part.index)
        pace = WriteKind.EDIT if shares else way
        return seen != part and not self._can_wait(part, seen, pace)

    def _can_wait(self, part: Part, seen: Part | None, pace: WriteKind) -> bool:
        """Return whether `part` has too little new text for a write."""
        if part.final:
            # An empty message below others is posted only for a ping.
            return not part.text.strip() and not part.calls and part.index > 0
        if not part.text.strip():
            due = self._clock() >= self._placeholder
            return part.index > 0 or not due or 0 in self.messages
        if seen is None or not seen.text:
            return False
        grown = len(part.text.rstrip()) - len(seen.text.rstrip())
        return grown < self._limits.pace(pace).fewest

    def _is_hidden(self) -> bool:
        """Return whether the text of an earlier attempt still stays in place of the new
        text."""
        return (
            not self._is_over
            and len(self.head) + len(self.text) < self._before_chars
            and self._clock() < self._began + CATCH_UP
        )

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        waits = [self._began + CATCH_UP] if self._is_hidden() and self.text else []
        if not self.messages and not self.text:
            waits.append(self._placeholder)
        left = min(waits, default=float("inf")) - self._clock()
        await self._changed.wait_at_most(left)

    def _requests(self, part: Part) -> list[WriteRequest]:
        """Return requests for the due ways of writing `part`, any of which will do."""
        streams = WriteKind.APPEND in self._surface.ways(part)
        seen = self._shown.get(part.index)
        priority, requests = priority_of(part, seen, is_over=self._is_over), []
        key, thread = self._turn.key, self._turn.thread
        for way in self._due_ways(part):
            earliest, turn = self._earliest(part, way), None
            if streams and way is WriteKind.CLOSE:
                # Only the asker sees appended text, so for the other readers the stream
                # is stopped when its message would otherwise be edited.
                turn, interval = WriteKind.EDIT, self._limits.pace(WriteKind.EDIT)
                wait = interval.interval(len(self.text))
                earliest = self._shared_at.get(part.index, float("-inf")) + wait
            earliest = max(earliest, self._refused[1])
            request = WriteRequest(key, thread, way, priority, earliest, turn)
            requests.append(request)
        return requests

    def _earliest(self, part: Part, kind: WriteKind) -> float:
        if self._is_over:
            return float("-inf")
        if part.index in self._edited:
            interval = self._limits.pace(kind).interval(len(self.text))
            return self._edited[part.index] + interval
        if part.text and not self._edited:
            return self._began + self._limits.delay(len(self.text))
        return float("-inf")

    async def _try_to_write(self, part: Part, request: WriteRequest) -> None:
        kind = request.kind
        try:
            if await self._write(part, request):
                self._refused = 0, float("-inf")
                self._scheduler.count(kind, "written")
        except Throttled as error:
            self._scheduler.count(kind, "limited")
            await self._stored.back_off(request, error.retry_after)
            log.warning("reply.throttled thread=%s %s", self._turn.thread, error)
        except Rerouted as error:
            # The next request asks for another kind of write.
            log.info("reply.rerouted thread=%s %s", self._turn.thread, error)
        except Unfit as error:
            self._scheduler.count(kind, "refused")
            log.error("reply.unfit thread=%s %s", self._turn.thread, error)
            if not self._renderer.refit(part.index):
                raise ThreadGone(str(error)) from error
        except (ThreadGone, StorageRejected):
            raise
        except (DeliveryError, StorageError) as error:
            self._scheduler.count(kind, "failed")
            failures = self._refused[0] + 1
            self._refused = failures, self._clock() + BACKOFF.pause(failures)
            log.warning("reply.delayed thread=%s %s", self._turn.thread, error)

    async def _write(self, part: Part, request: WriteRequest) -> bool:
        posted, stored = self.messages.get(part.index), self._stored
        async with self.late.watched():
            if not await stored.prepare(part, posted, request, self.text, self.head):
                return False
            self.late.begins(part.index, posted)
            with stored.guard():
                message = await self._surface.show(part, request.kind)
            self.messages[part.index] = message
            self._record(part, request.kind)
            if posted == message:
                await stored.confirm()
            else:
                await stored.record(part, message, self.text, self.head)
            self.late.ends(part.index)
        return True

    def _record(self, part: Part, kind: WriteKind) -> None:
        """Record that `part` was written."""
        if kind is WriteKind.OPEN:
            # The message is final only when its stream is stopped.
            part = replace(part, final=False)
        now = self._clock()
        self._shown[part.index] = part
        if part.text:
            # A placeholder does not count: the first text may follow at once.
            self._edited[part.index] = now
            self.first_words = self.first_words or self._now()
        if kind is not WriteKind.APPEND:
            self._shared[part.index], self._shared_at[part.index] = part, now
