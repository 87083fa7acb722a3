"""Keeps one turn at a time per thread, and so many turns at once in the process.

A lane exists only while a turn of its thread runs. A thread for which there is no
place waits in a queue that is fair between people (`bot.runtime.fair_queue`), as its
name alone: no task, no text. What the work is stands in the store; a lane only makes
sure that somebody looks, and that nobody else does.

Rule: the queue holds a bounded number of threads. Those that do not fit are fetched
from the store, in the same order, when there is room again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ANSWERS_AT_ONCE, WaitingThread
from bot.errors import error_location
from bot.runtime.background import Background
from bot.runtime.fair_queue import Entry, FairQueue
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How many threads wait for a place in memory, at some hundred bytes each.
MOST_WAITING = 10_000


class StopSignal:
    """Asks the turn that a lane runs to stop."""

    def __init__(self, ends: str | None = None) -> None:
        #: The key of a turn that was stopped while it waited, so that it is to end
        #: without being answered; "" for the thread's next turn. None: nothing is.
        self.ends = ends
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


#: Brings the next open turn of a thread to its end and says which one that is.
#: Returns the thread with more to do: the same one, or where it moved; None for none.
Work = Callable[[ThreadKey, StopSignal], Awaitable[ThreadKey | None]]

#: Returns at most so many threads with open turns, in the order of a fair queue.
Fetch = Callable[[int], Awaitable[Sequence[WaitingThread]]]

_Asker = tuple[str, str]

# A turn that fails for a reason nobody foresaw is tried again by the rule for
# crashes, which ends it as interrupted after the second attempt. A lane that
# fails even so is left alone until something new is said.
MOST_FAILURES = 4


async def _nothing(most: int) -> Sequence[WaitingThread]:
    return []


@dataclass(slots=True)
class _ThreadQueue:
    #: Who asked, and when: where the thread stands when it has to wait again.
    entry: Entry[ThreadKey, _Asker]
    #: Whether it takes one of the places. What only ends a turn takes none.
    placed: bool = True
    task: asyncio.Task[None] | None = None
    #: What came since the lane last looked, if anything did.
    again: Entry[ThreadKey, _Asker] | None = None
    halt: StopSignal = field(default_factory=StopSignal)


class ThreadDispatcher:
    """Runs `work` for each thread that has some, as one of `tasks`.

    At most `at_once` turns run, and of one platform at most `per_platform`, so that
    one that hangs does not take all places. At most `most` threads wait in memory;
    `fetch` tells of those that do not fit.
    """

    def __init__(
        self,
        tasks: Background,
        work: Work,
        fetch: Fetch = _nothing,
        *,
        at_once: int = ANSWERS_AT_ONCE,
        per_platform: int | None = None,
        most: int = MOST_WAITING,
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._fetch = fetch
        self._most = most
        self._places = at_once
        self._per_platform = per_platform or at_once
        #: How many turns run, by platform.
        self._placed: Counter[str] = Counter()
        self._lanes: dict[ThreadKey, _ThreadQueue] = {}
        self._queue: FairQueue[ThreadKey, _Asker] = FairQueue(most)
        #: Whether threads with open turns may be in the store alone.
        self._left = False
        self._fetching: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, thread: ThreadKey, asker: str = "", at: float = 0.0) -> bool:
        """Have somebody look at `thread`, where `asker` said something at `at`, in
        seconds since 1970. Never blocks.

        Returns True if it has to wait for a place and nothing else of `asker` does.
        After `close` this does nothing: the work is durable, and the next process
        takes it up.
        """
        if self._closed:
            return False
        who = (thread.platform, asker)
        if lane := self._lanes.get(thread):
            lane.again = lane.again or Entry(thread, who, at)
            return False
        if thread in self._queue:
            return False
        first = not self._queue.waits(who)
        self._wait(Entry(thread, who, at))
        self._fill()
        return first and thread not in self._lanes

    async def take_up(self) -> int:
        """Put threads with open turns, as many as may wait; return how many.

        Raises StorageError.
        """
        most = self._most + len(self._lanes)
        self._left = False
        found = await self._fetch(most)
        self._left |= len(found) >= most
        new = [each for each in found if each.thread not in self._lanes]
        for each in new:
            self.put(each.thread, each.asker, each.at)
        return len(new)

    def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        """Ask a turn of `thread` to stop: the one with the key `turn`, or if that is
        "" the one that runs or, where none does, the next. Return whether it will.

        A turn that waits for a place ends at once, and is not answered. One that is
        named must be open.
        """
        if lane := self._lanes.get(thread):
            return lane.halt.ask(turn)
        entry = self._queue.discard(thread)
        if self._closed or (entry is None and not turn):
            return False
        entry = entry or Entry(thread, (thread.platform, ""), 0.0)
        self._begin(_ThreadQueue(entry, placed=False, halt=StopSignal(ends=turn)))
        return True

    def delays(self, thread: ThreadKey, author: str) -> bool:
        """Whether what `author` said in `thread` has to wait for a turn that runs, and
        they were not told so."""
        lane = self._lanes.get(thread)
        if lane is None or not lane.halt.turn or author in lane.halt.told:
            return False
        lane.halt.told.add(author)
        return True

    def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """The threads at `place` that are being answered, each with the key of the
        turn."""
        return [
            (thread, lane.halt.turn)
            for thread, lane in self._lanes.items()
            if lane.halt.turn and place.holds(Scope.of(thread))
        ]

    def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads at `place` in which `asker` waits for a place, oldest
        question first."""
        found = [
            entry
            for entry in self._queue
            if entry.owner == (place.platform, asker)
            and place.holds(Scope.of(entry.item))
        ]
        return [entry.item for entry in sorted(found, key=lambda entry: entry.at)]

    async def close(self, grace: float) -> None:
        """Take no more work; let turns finish for `grace` seconds, then cancel. What
        waits for a place is left to the next process."""
        self._closed = True
        self._queue.clear()
        if self._fetching is not None:
            self._fetching.cancel()
        tasks = {lane.task for lane in self._lanes.values() if lane.task}
        if not tasks:
            return
        log.info("lanes.closing turns=%d grace=%.0f", len(tasks), grace)
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _wait(self, entry: Entry[ThreadKey, _Asker]) -> None:
        left = self._queue.put(entry.item, entry.owner, entry.at)
        self._left |= left is not None

    def _fill(self) -> None:
        """Begin what there are places for, and fetch more where there is room."""
        while self._places > 0 and (entry := self._queue.take(self._has_place)):
            self._places -= 1
            self._placed[entry.item.platform] += 1
            self._begin(_ThreadQueue(entry))
        room = len(self._queue) <= self._most // 2
        if self._left and room and self._fetching is None:
            self._fetching = self._tasks.start("fetch threads", self._fetch_more())

    def _has_place(self, who: _Asker) -> bool:
        platform, _ = who
        return self._placed[platform] < self._per_platform

    async def _fetch_more(self) -> None:
        try:
            await retry_until_success(self.take_up)
        finally:
            self._fetching = None

    def _begin(self, lane: _ThreadQueue) -> None:
        thread = lane.entry.item
        self._lanes[thread] = lane
        lane.task = self._tasks.start("lane", self._drive(thread, lane))

    async def _drive(self, thread: ThreadKey, lane: _ThreadQueue) -> None:
        onward = None
        try:
            for _ in range(MOST_FAILURES):
                lane.again = None
                try:
                    onward = await self._work(thread, lane.halt)
                    break
                except asyncio.CancelledError:
                    # Only at the end is a lane cancelled: nothing may begin now.
                    self._closed = True
                    raise
                except Exception as error:
                    # The one place for what nobody foresaw. Not the message:
                    # it may hold what people said.
                    log.error(
                        "turn.crashed thread=%s at=%s", thread, error_location(error)
                    )
                    if self._closed:
                        break
        finally:
            # No await since the last look at `again`, so no message can slip
            # into a lane that is about to disappear.
            del self._lanes[thread]
            self._places += lane.placed
            self._placed[thread.platform] -= lane.placed
            if not self._closed:
                # Behind the others: a thread in which people go on talking does not
                # keep its place.
                if onward is not None and onward not in self._lanes:
                    self._wait(Entry(onward, lane.entry.owner, lane.entry.at))
                if lane.again is not None:
                    self._wait(lane.again)
                self._fill()
