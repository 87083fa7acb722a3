"""Keeps one turn at a time per thread, and any number of threads at once.

A lane exists only while its thread has work. What the work is stands in the
store; a lane only makes sure that somebody looks, and that nobody else does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.background import Background
from bot.rules import Place
from bot.trace import where
from bot.values import ThreadKey

log = logging.getLogger(__name__)


class Halt:
    """Asks the turn that a lane runs to stop."""

    def __init__(self) -> None:
        #: The key of the turn that runs; "" between turns.
        self.turn = ""
        #: Who knows that it has to end first.
        self.told: set[str] = set()
        self._asked = asyncio.Event()

    def begin(self, turn: str) -> None:
        """From now on it is about the turn with this key; "" for none."""
        self.turn = turn
        self.told.clear()
        self._asked.clear()

    def ask(self, turn: str) -> bool:
        """Ask the running turn to stop, if its key is `turn`; "" means any. Say
        whether it runs and was not asked before."""
        if not self.turn or turn not in ("", self.turn) or self._asked.is_set():
            return False
        self._asked.set()
        return True

    async def wait(self) -> None:
        """Return when the running turn is to stop."""
        await self._asked.wait()


#: Drains a thread of its open turns, of which it says which one runs. Returns where
#: the thread goes on, if it moved.
Work = Callable[[ThreadKey, Halt], Awaitable[ThreadKey | None]]

# A turn that fails for a reason nobody foresaw is tried again by the rule for
# crashes, which ends it as interrupted after the second attempt. A lane that
# fails even so is left alone until something new is said.
MOST_FAILURES = 4


@dataclass(slots=True)
class _Lane:
    task: asyncio.Task[None] | None = None
    #: Something came since the lane last looked.
    again: bool = True
    halt: Halt = field(default_factory=Halt)


class Lanes:
    """Runs `work` for each thread that has some, as one of `tasks`."""

    def __init__(self, tasks: Background, work: Work) -> None:
        self._tasks = tasks
        self._work = work
        self._lanes: dict[ThreadKey, _Lane] = {}
        self._closed = False

    def put(self, thread: ThreadKey) -> None:
        """Have somebody look at `thread`. Never blocks.

        After `close` this does nothing: the work is durable, and the next
        process takes it up.
        """
        if self._closed:
            return
        if lane := self._lanes.get(thread):
            lane.again = True
            return
        lane = self._lanes[thread] = _Lane()
        lane.task = self._tasks.start("lane", self._drive(thread, lane))

    def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        """Ask the running turn of `thread` to stop, if its key is `turn` or none is
        named; say whether that one runs."""
        lane = self._lanes.get(thread)
        return lane is not None and lane.halt.ask(turn)

    def delays(self, thread: ThreadKey, author: str) -> bool:
        """Whether what `author` said in `thread` has to wait for a turn that runs, and
        they were not told so."""
        lane = self._lanes.get(thread)
        if lane is None or not lane.halt.turn or author in lane.halt.told:
            return False
        lane.halt.told.add(author)
        return True

    def running(self, place: Place) -> list[tuple[ThreadKey, str]]:
        """The threads at `place` that are being answered, each with the key of the
        turn."""
        return [
            (thread, lane.halt.turn)
            for thread, lane in self._lanes.items()
            if lane.halt.turn and place.holds(Place.of(thread))
        ]

    async def close(self, grace: float) -> None:
        """Take no more work; let turns finish for `grace` seconds, then cancel."""
        self._closed = True
        tasks = {lane.task for lane in self._lanes.values() if lane.task}
        if not tasks:
            return
        log.info("lanes.closing turns=%d grace=%.0f", len(tasks), grace)
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _drive(self, thread: ThreadKey, lane: _Lane) -> None:
        failures = 0
        try:
            while lane.again and not self._closed:
                lane.again = False
                try:
                    if onward := await self._work(thread, lane.halt):
                        self.put(onward)
                except Exception as error:
                    # The one place for what nobody foresaw. Not the message:
                    # it may hold what people said.
                    failures += 1
                    lane.again = failures < MOST_FAILURES
                    log.error("turn.crashed thread=%s at=%s", thread, where(error))
        finally:
            # No await since the last look at `again`, so no message can slip
            # into a lane that is about to disappear.
            del self._lanes[thread]
