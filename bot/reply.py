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

from bot.errors import DeliveryError, StorageError, ThreadGone, Throttled
from bot.pacer import Pacer
from bot.pacing import Kind, Urgency, Wish
from bot.ports import Surface
from bot.renderer import Renderer
from bot.stores import Store
from bot.text import whole
from bot.values import Limits, Part, Shown, Turn

log = logging.getLogger(__name__)

# A resumed answer replaces what an earlier attempt showed. Readers keep the
# old text until the new one has caught up with it, or for this long after its
# first word, so that a message does not shrink before their eyes.
CATCH_UP = 3.0

# The longest pause between two tries of a write that the platform refuses.
LONGEST_PAUSE = 30.0


class Reply:
    """The answer to `turn`, as people see it grow on `surface`."""

    def __init__(
        self,
        turn: Turn,
        surface: Surface,
        *,
        store: Store,
        pacer: Pacer,
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
        self._before_chars = sum(len(shown.text) for shown in turn.shown)
        self._messages = {s.index: s.message for s in turn.shown if s.message}
        #: When the first word came.
        self._began = float("inf")
        self._retry = float("-inf")
        self._shown: dict[int, Part] = {}
        self._edited: dict[int, float] = {}
        #: What Claude said so far, as it said it.
        self.text = ""

    def feed(self, text: str) -> None:
        """Take in the next piece of the answer."""
        self._began = min(self._began, self._clock())
        text = whole(text)
        self.text += text
        self._renderer.feed(text)
        self._changed.set()

    def finish(self, note: str, feedback: bool = False) -> None:
        """The answer is complete: what remains is to show all of it, and to ask for
        `feedback` below it if that is wanted."""
        self._renderer.finish(note, feedback)
        self._finished = True
        self._changed.set()
        if part := self._stale():
            self._pacer.hurry(self._wish(part))

    def withdraw(self) -> None:
        """Nothing is to be said after all: what is shown is to be taken back."""
        self._withdrawn = self._finished = True
        self._changed.set()

    async def keep_shown(self) -> None:
        """Write whatever should be seen, until all of a finished reply is.

        Raises ThreadGone when nobody can see it any more, and AccessRevoked.
        """
        try:
            while True:
                if part := self._stale():
                    await self._pacer.may_write(self._wish(part))
                    # What is to be seen may have changed while we waited.
                    if part := self._stale():
                        await self._try_to_write(part)
                elif self._finished:
                    break
                else:
                    await self._wait_for_change()
            kept = set() if self._withdrawn else self._shown.keys()
            for index in sorted((self._before.keys() | self._messages.keys()) - kept):
                await self._take_back(index)
        finally:
            self._pacer.leave(self._turn.key)

    def _stale(self) -> Part | None:
        """The first message that does not read what it should."""
        if self._withdrawn or self._is_hidden():
            return None
        for part in self._renderer.parts:
            if self._shown.get(part.index) != part and not self._is_idle(part):
                return part
        return None

    def _is_idle(self, part: Part) -> bool:
        """Whether `part` would be a placeholder where none is wanted: below words
        of the same reply, in a message that is there already, or on a platform
        that shows by itself that we are writing."""
        if part.text.strip():
            return False
        if part.index > 0:
            return True
        wanted = self._limits.placeholder and 0 not in self._messages
        return not part.final and not wanted

    def _is_hidden(self) -> bool:
        """Whether readers still have more before them than the new text."""
        return (
            not self._finished
            and len(self.text) < self._before_chars
            and self._clock() < self._began + CATCH_UP
        )

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        hidden = self._is_hidden() and self.text
        left = self._began + CATCH_UP - self._clock() if hidden else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._changed.wait()

    def _wish(self, part: Part) -> Wish:
        return Wish(
            self._turn.key,
            self._turn.thread,
            self._kind(part),
            self._urgency(part),
            max(self._earliest(part), self._retry),
        )

    def _earliest(self, part: Part) -> float:
        if part.index in self._edited:
            return self._edited[part.index] + self._limits.interval
        if part.text and not self._edited and not self._finished:
            return self._began + self._limits.settle
        return float("-inf")

    def _urgency(self, part: Part) -> Urgency:
        if self._finished:
            return Urgency.FINAL
        seen = self._shown.get(part.index)
        return Urgency.REFRESH if seen and seen.text else Urgency.FIRST

    def _kind(self, part: Part) -> Kind:
        return Kind.EDIT if part.index in self._messages else Kind.POST

    async def _try_to_write(self, part: Part) -> None:
        kind = self._kind(part)
        try:
            await self._write(part)
            self._failures = 0
        except Throttled as error:
            self._pacer.cool(self._turn.thread, kind, error.retry_after)
            log.warning("reply.throttled thread=%s %s", self._turn.thread, error)
        except ThreadGone:
            raise
        except (DeliveryError, StorageError) as error:
            self._failures += 1
            self._retry = self._clock() + min(LONGEST_PAUSE, 2.0**self._failures / 4)
            log.warning("reply.delayed thread=%s %s", self._turn.thread, error)

    async def _write(self, part: Part) -> None:
        posted = self._messages.get(part.index)
        if posted:
            await self._remember(part, posted)
        else:
            await self._store.intend(self._turn, part.index)
        message = self._messages[part.index] = await self._surface.show(part)
        self._shown[part.index] = part
        if part.text:
            # A placeholder does not count: the first words may follow at once.
            self._edited[part.index] = self._clock()
        if not posted:
            await self._remember(part, message)

    async def _remember(self, part: Part, message: str) -> None:
        """Store what people see, or are about to."""
        shown = Shown(part.index, message, part.text)
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
