"""Keeps one reply shown: what the renderer says, when the pacer allows it.

Claude is read at its own speed and the platform written at its own. Whenever
a write is allowed it carries the newest text, so a slow platform gets fewer
and larger updates, never a queue of stale ones.

The order of durable steps: intent stored, message posted, its id stored; from
then on the text of an edit stored, message edited. A crash between any two is
repaired by whoever resumes the turn, and takes nothing from anyone who read it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from bot.delivery.write_budget import Priority, WriteRequest
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.platform import EditInterval, Limits, WriteKind
from bot.domain.reply import Control, Part, PostedPart
from bot.domain.turn import Turn
from bot.errors import (
    DeliveryError,
    Rerouted,
    StorageError,
    StorageRejected,
    ThreadGone,
    Throttled,
)
from bot.ports.platform import Surface
from bot.ports.store import Store
from bot.rendering.renderer import STEP_CHARS, Renderer
from bot.runtime import background
from bot.text.characters import replace_lone_surrogates

log = logging.getLogger(__name__)

# A resumed answer replaces what an earlier attempt showed. Readers keep the
# old text until the new one has caught up with it, or for this long after its
# first word, so that a message does not shrink before their eyes.
CATCH_UP = 3.0

# The longest pause between two tries of a write that the platform refuses.
LONGEST_PAUSE = 30.0

# What taking in a piece costs beside its characters, in characters (an estimate): what
# the SDK does for each event, above all.
PIECE_COSTS = 20

# Of ways of writing that nothing is said of.
ANY_PACE = EditInterval()


class StreamedReply:
    """The answer to `turn`, as people see it grow on `surface`."""

    def __init__(
        self,
        turn: Turn,
        surface: Surface,
        *,
        store: Store,
        pacer: WriteScheduler,
        limits: Limits,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._turn = turn
        self._surface = surface
        self._store = store
        self._pacer = pacer
        self._limits = limits
        self._clock = clock
        self._now = now
        self._renderer = Renderer(limits)
        self._changed = asyncio.Event()
        self._finished = self._withdrawn = False
        self._failures = 0
        self._before = {shown.index: shown for shown in turn.shown}
        # Whoever asked for another answer does not wait for it to be as long.
        cut = turn.attempts > 0
        seen = (len(shown.text) for shown in turn.shown if shown.message)
        self._before_chars = sum(seen) if cut else 0
        self._messages = {s.index: s.message for s in turn.shown if s.message}
        #: When the first word came.
        self._began = float("inf")
        #: From when on a message without a word is better than none.
        self._placeholder = float("inf")
        self._retry = float("-inf")
        self._shown: dict[int, Part] = {}
        self._edited: dict[int, float] = {}
        #: How many messages, from the first on, are final and shown: they never change.
        self._complete = 0
        #: How much was taken in since others last had their turn.
        self._taken = 0
        #: What Claude said so far, as it said it.
        self.text = ""

    async def feed(self, text: str) -> None:
        """Take in the next piece of the answer, and let others have their turn while
        a long one is laid out."""
        text = replace_lone_surrogates(text)
        for start in range(0, len(text), STEP_CHARS):
            piece = text[start : start + STEP_CHARS]
            # Many pieces may come at once, in one packet, and none of them waits.
            self._taken += len(piece) + PIECE_COSTS
            if self._taken > STEP_CHARS:
                self._taken = 0
                await asyncio.sleep(0)
            await self._take_in(piece)

    async def _take_in(self, text: str) -> None:
        first = not self.text
        self._began = min(self._began, self._clock())
        self.text += text
        self._renderer.take_in(text)
        has_more = self._renderer.lay_out()
        while has_more:
            await asyncio.sleep(0)
            has_more = self._renderer.lay_out()
        self._changed.set()
        if first:
            # Words are more urgent than the placeholder that may be waiting.
            self._press()

    @property
    def has_posted(self) -> bool:
        """Whether any message of it is there."""
        return bool(self._messages)

    def finish(
        self, note: str, controls: tuple[Control, ...] = (), calls: str = ""
    ) -> None:
        """The answer is complete: what remains is to show all of it, with `controls`
        below it, and to call the one who is to be called."""
        self._renderer.finish(note, controls, calls)
        self._finished = True
        self._changed.set()
        self._press()

    def withdraw(self) -> None:
        """Nothing is to be said after all: what is shown is to be taken back."""
        self._withdrawn = self._finished = True
        self._changed.set()

    async def keep_shown(self) -> None:
        """Write whatever should be seen, until all of a finished reply is.

        Raises ThreadGone when nobody can see it any more, and AccessRevoked.
        """
        announcing = background.begin("announce", self._announce())
        try:
            while True:
                if part := self._stale():
                    wish = await self._pacer.may_write(self._wish(part))
                    # What is to be seen may have changed while we waited.
                    part = self._stale()
                    if part and wish.way in self._surface.ways(part):
                        await self._try_to_write(part, wish.way)
                    self._pacer.landed(self._turn.key)
                elif self._finished:
                    break
                else:
                    await self._wait_for_change()
            kept = set() if self._withdrawn else self._shown.keys()
            for index in sorted((self._before.keys() | self._messages.keys()) - kept):
                await self._take_back(index)
        finally:
            announcing.cancel()
            await asyncio.wait({announcing})
            self._pacer.leave(self._turn.key)

    async def _announce(self) -> None:
        """Let people see that an answer is coming: by the platform's own sign, or
        else, and where that stays all that they see, by a placeholder."""
        if self._finished:
            return
        signed = False
        try:
            signed = await self._surface.announce()
        finally:
            silence = self._limits.silence if signed else 0.0
            self._placeholder = self._clock() + silence
            self._changed.set()

    def _press(self) -> None:
        """Let the wish that waits be what is wanted by now."""
        if part := self._stale():
            self._pacer.hurry(self._wish(part))

    def _stale(self) -> Part | None:
        """The first message that does not read what it should."""
        if self._withdrawn or self._is_hidden():
            return None
        for part in self._renderer.parts[self._complete :]:
            if self._shown.get(part.index) != part and not self._can_wait(part):
                return part
            if part.final:
                self._complete = part.index + 1
        return None

    def _can_wait(self, part: Part) -> bool:
        """Whether `part` shows too little that is new to be worth a write."""
        if part.final:
            # Below words of the same reply it would say nothing, but for a call.
            return not part.text.strip() and not part.calls and part.index > 0
        if not part.text.strip():
            due = self._clock() >= self._placeholder
            return part.index > 0 or not due or 0 in self._messages
        seen = self._shown.get(part.index)
        if seen is None or not seen.text:
            return False
        grown = len(part.text.rstrip()) - len(seen.text.rstrip())
        return grown < self._pace(self._surface.ways(part)[0]).fewest

    def _is_hidden(self) -> bool:
        """Whether readers still have more before them than the new text."""
        return (
            not self._finished
            and len(self.text) < self._before_chars
            and self._clock() < self._began + CATCH_UP
        )

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        waits = [self._began + CATCH_UP] if self._is_hidden() and self.text else []
        if not self._messages and not self.text:
            waits.append(self._placeholder)
        left = min(waits, default=float("inf")) - self._clock()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left if left < float("inf") else None):
                await self._changed.wait()

    def _wish(self, part: Part) -> WriteRequest:
        urgency = self._urgency(part)
        thread = self._turn.thread
        way = self._pacer.choose(thread, self._surface.ways(part), urgency)
        earliest = max(self._earliest(part, way), self._retry)
        return WriteRequest(self._turn.key, thread, way, urgency, earliest)

    def _earliest(self, part: Part, way: WriteKind) -> float:
        if self._finished:
            return float("-inf")
        if part.index in self._edited:
            interval = self._pace(way).interval(len(self.text))
            return self._edited[part.index] + interval
        if part.text and not self._edited:
            return self._began + self._limits.settle
        return float("-inf")

    def _pace(self, way: WriteKind) -> EditInterval:
        return self._limits.paces.get(way, ANY_PACE)

    def _urgency(self, part: Part) -> Priority:
        if self._finished:
            return Priority.FINAL
        if not part.text.strip():
            return Priority.PLACEHOLDER
        seen = self._shown.get(part.index)
        return Priority.REFRESH if seen and seen.text else Priority.FIRST

    async def _try_to_write(self, part: Part, way: WriteKind) -> None:
        try:
            await self._write(part, way)
            self._failures = 0
        except Throttled as error:
            self._pacer.cool(self._turn.thread, way, error.retry_after)
            log.warning("reply.throttled thread=%s %s", self._turn.thread, error)
        except Rerouted as error:
            # It is asked for anew, in another way.
            log.info("reply.rerouted thread=%s %s", self._turn.thread, error)
        except (ThreadGone, StorageRejected):
            raise
        except (DeliveryError, StorageError) as error:
            self._failures += 1
            self._retry = self._clock() + min(LONGEST_PAUSE, 2.0**self._failures / 4)
            log.warning("reply.delayed thread=%s %s", self._turn.thread, error)

    async def _write(self, part: Part, way: WriteKind) -> None:
        posted = self._messages.get(part.index)
        if posted:
            await self._remember(part, posted)
        else:
            # What people may see from now on, whatever becomes of us.
            intent = PostedPart(part.index, None, part.text)
            await self._store.show(self._turn, intent, self.text, self._now())
        message = self._messages[part.index] = await self._surface.show(part, way)
        self._shown[part.index] = part
        if part.text:
            # A placeholder does not count: the first words may follow at once.
            self._edited[part.index] = self._clock()
        if not posted:
            await self._remember(part, message)

    async def _remember(self, part: Part, message: str) -> None:
        """Store what people see, or are about to."""
        shown = PostedPart(part.index, message, part.text)
        try:
            await self._store.show(self._turn, shown, self.text, self._now())
        except StorageError as error:
            # They see it all the same, and `finish` stores it in the end.
            log.warning("reply.unsaved thread=%s %s", self._turn.thread, error)

    async def _take_back(self, index: int) -> None:
        """Remove a message that is not wanted any more."""
        try:
            await self._surface.remove(index)
            await self._store.unshow(self._turn, index)
        except (DeliveryError, StorageError) as error:
            # A left-over is ugly; a turn that never ends is worse.
            log.warning("reply.leftover thread=%s %s", self._turn.thread, error)
