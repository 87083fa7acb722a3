"""Runs one turn at a time per thread, and a limited number of turns per process.

A thread without a free slot waits in a queue that is fair between people
(`bot.runtime.fair_queue`). The queue holds only the thread's key: no task, no text. The
work itself is in the store. The dispatcher ensures that exactly one task looks for the
work of a thread.

Rule: the queue is bounded. Threads that do not fit are fetched from the store, in the
same order, when there is room again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.conversation.slots import NONE, Asker, Slots
from bot.conversation.stop_signal import StopSignal
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ANSWERS_AT_ONCE, WaitingThread
from bot.errors import error_location
from bot.runtime.background import Background, end
from bot.runtime.fair_queue import Entry, FairQueue
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# The most threads that wait for a slot in memory, at a few hundred bytes each.
MOST_WAITING = 10_000


#: Takes the next open turn of a thread to its end, and gives the signal the turn's key.
#: Returns the thread with more to do, which may be one that it moved to, or None.
Work = Callable[[ThreadKey, StopSignal], Awaitable[ThreadKey | None]]

#: Returns at most this many threads with open turns, in the order of the fair queue.
Fetch = Callable[[int], Awaitable[Sequence[WaitingThread]]]


# A turn that fails with an unexpected error is retried by the rule for crashes, which
# ends it as interrupted after the second attempt. A thread that still fails is left
# alone until it gets a new message.
MOST_FAILURES = 4


async def _nothing(most: int) -> Sequence[WaitingThread]:
    return []


@dataclass(slots=True)
class _ThreadQueue:
    #: The author and time of the thread's question: its position if it waits again.
    entry: Entry[ThreadKey, Asker]
    #: Whether the thread occupies a slot. Ending a turn without an answer needs none.
    has_slot: bool = True
    task: asyncio.Task[None] | None = None
    #: Whether the bot has left the workspace, so that a cancellation is no shutdown.
    is_left: bool = False
    #: Set if messages arrived since the work last looked into the store.
    again: Entry[ThreadKey, Asker] | None = None
    stop_signal: StopSignal = field(default_factory=StopSignal)


class ThreadDispatcher:
    """Runs `work` for each thread that has some, as one of `tasks`.

    At most `at_once` turns run, and at most `per_platform` of one platform, so that a
    platform that hangs does not occupy all slots. `per_workspace` limits the turns of
    one workspace, by platform. At most `most` threads wait in memory; `fetch` returns
    the threads that do not fit.
    """

    def __init__(
        self,
        tasks: Background,
        work: Work,
        fetch: Fetch = _nothing,
        *,
        at_once: int = ANSWERS_AT_ONCE,
        per_platform: int | None = None,
        per_workspace: Mapping[str, int] = NONE,
        most: int = MOST_WAITING,
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._fetch = fetch
        self._most = most
        self._slots = Slots(at_once, per_platform or at_once, per_workspace)
        self._active: dict[ThreadKey, _ThreadQueue] = {}
        self._queue: FairQueue[ThreadKey, Asker] = FairQueue(most)
        #: Whether threads with open turns may exist in the store only.
        self._left = False
        self._fetching: asyncio.Task[None] | None = None
        #: Futures by thread, resolved once nothing of the thread runs or waits here.
        #: The result is the thread that it moved to.
        self._idle: dict[ThreadKey, asyncio.Future[ThreadKey | None]] = {}
        self._closed = False

    def put(self, thread: ThreadKey, asker: str = "", at: float = 0.0) -> bool:
        """Schedule `thread`, in which `asker` wrote at `at`, in seconds since 1970.

        Return True if the thread has to wait for a slot and no other question of
        `asker` waits. After `close` this does nothing: the turn is durable, and the
        next process resumes it.
        """
        if self._closed:
            return False
        who = self._slots.owner(thread, asker)
        if active := self._active.get(thread):
            active.again = active.again or Entry(thread, who, at)
            return False
        if thread in self._queue:
            return False
        first = not self._queue.waits(who)
        self._wait(Entry(thread, who, at))
        self._fill()
        return first and thread not in self._active

    def may_take(self, thread: ThreadKey) -> bool:
        """Return whether `thread` may take a slot, once one is free. Its platform and
        its workspace limit this."""
        return self._slots.may_take(self._slots.owner(thread, ""))

    async def drain(self, thread: ThreadKey) -> ThreadKey | None:
        """Run the open turns of `thread` to their ends.

        Return the thread that it moved to, which the caller drains next; None if it did
        not move. Returns early once the dispatcher is closed or the workspace is left,
        and after a turn that held the last slot, so that another thread can take the
        slot.
        """
        self.put(thread)
        if not (thread in self._active or thread in self._queue):
            return None
        if (idle := self._idle.get(thread)) is None:
            idle = self._idle[thread] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(idle)

    def _note_idle(self, thread: ThreadKey, onward: ThreadKey | None = None) -> None:
        idle = self._idle.pop(thread, None)
        if idle is not None and not idle.done():
            idle.set_result(onward)

    async def resume(self) -> int:
        """Schedule threads with open turns, as many as may wait; return how many.
        Raises StorageError."""
        most = self._most + len(self._active)
        self._left = False
        found = await self._fetch(most)
        self._left |= len(found) >= most
        # A thread that is left is about to end, and is scheduled again.
        new = [
            each
            for each in found
            if each.thread not in self._active or self._active[each.thread].is_left
        ]
        for each in new:
            self.put(each.thread, each.asker, each.at)
        return len(new)

    def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        """Stop a turn of `thread`, and return whether it will stop.

        `turn` is the turn's key; "" means the running turn or, if none runs, the next.
        A turn that waits for a slot ends at once without an answer. A turn named by its
        key must be open.
        """
        if active := self._active.get(thread):
            return active.stop_signal.ask(turn)
        entry = self._queue.discard(thread)
        if self._closed or (entry is None and not turn):
            return False
        entry = entry or Entry(thread, self._slots.owner(thread, ""), 0.0)
        self._begin(
            _ThreadQueue(entry, has_slot=False, stop_signal=StopSignal(ends=turn))
        )
        return True

    def stop_turn(self, turn: str) -> None:
        """Stop the turn with the key `turn`, if it runs."""
        for active in self._active.values():
            if active.stop_signal.turn == turn:
                active.stop_signal.ask(turn)

    def withdraw_turn(self, turn: str) -> None:
        """Stop the turn with the key `turn`, if it runs and none of its answer
        shows."""
        for active in self._active.values():
            active.stop_signal.withdraw(turn)

    def withdraw(self, thread: ThreadKey, turn: str) -> None:
        """Stop the running turn of `thread` with the key `turn`, whose questions were
        deleted. Does nothing if some of its answer shows."""
        if active := self._active.get(thread):
            active.stop_signal.withdraw(turn)

    def leave(self, place: Scope) -> None:
        """Cancel the running turns in `place`, and drop its waiting threads from
        memory. All turns stay open in the store. The caller schedules no new ones."""
        self._leave(lambda thread: place.holds(Scope.of(thread)))

    def leave_channel(self, channel: Scope) -> None:
        """Do so for `channel` in all workspaces of its platform."""
        of = channel.platform, channel.channel
        self._leave(lambda thread: (thread.platform, thread.channel) == of)

    def _leave(self, is_there: Callable[[ThreadKey], bool]) -> None:
        for entry in list(self._queue):
            if is_there(entry.item):
                self._queue.discard(entry.item)
                self._note_idle(entry.item)
        current = asyncio.current_task()
        for thread, active in self._active.items():
            if is_there(thread):
                active.is_left = True
                if active.task is not None and active.task is not current:
                    end(active.task)

    def is_running(self, thread: ThreadKey) -> bool:
        """Return whether a message in `thread` has to wait for a running turn."""
        active = self._active.get(thread)
        return active is not None and bool(active.stop_signal.turn)

    def delays(self, thread: ThreadKey, author: str) -> bool:
        """Return whether to tell `author` that a message waits for the running turn.
        Records that `author` is told now."""
        active = self._active.get(thread)
        if (
            active is None
            or not active.stop_signal.turn
            or author in active.stop_signal.notified
        ):
            return False
        active.stop_signal.notified.add(author)
        return True

    @property
    def load(self) -> tuple[int, int]:
        """The number of running turns, and of threads that wait in memory."""
        return self._slots.taken, len(self._queue)

    def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """Return the running threads in `place`, each with the key of its turn."""
        return [
            (thread, active.stop_signal.turn)
            for thread, active in self._active.items()
            if active.stop_signal.turn and place.holds(Scope.of(thread))
        ]

    def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads in `place` in which `asker` waits for a slot. The thread
        with the oldest question comes first."""
        found = [
            entry
            for entry in self._queue
            if entry.owner[:2] == (place.platform, asker)
            and place.holds(Scope.of(entry.item))
        ]
        return [entry.item for entry in sorted(found, key=lambda entry: entry.at)]

    async def close(self, grace: float) -> None:
        """Start nothing more; let turns finish for `grace` seconds, then cancel them.
        Threads that wait for a slot are left to the next process."""
        self._closed = True
        waiting = [entry.item for entry in self._queue]
        self._queue.clear()
        for thread in waiting:
            self._note_idle(thread)
        if self._fetching is not None:
            self._fetching.cancel()
        tasks = {active.task for active in self._active.values() if active.task}
        if not tasks:
            return
        log.info("lanes.closing turns=%d grace=%.0f", len(tasks), grace)
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _wait(self, entry: Entry[ThreadKey, Asker]) -> None:
        left = self._queue.put(entry.item, entry.owner, entry.at)
        self._left |= left is not None

    def _fill(self) -> None:
        """Start threads while there are free slots, and fetch more if there is room."""
        while self._slots.is_free and (entry := self._queue.take(self._slots.may_take)):
            self._slots.take(entry.item)
            self._begin(_ThreadQueue(entry))
        room = len(self._queue) <= self._most // 2
        if self._left and room and self._fetching is None:
            self._fetching = self._tasks.start("fetch threads", self._fetch_more())

    async def _fetch_more(self) -> None:
        try:
            await retry_until_success(self.resume)
        finally:
            self._fetching = None

    def _begin(self, active: _ThreadQueue) -> None:
        thread = active.entry.item
        self._active[thread] = active
        active.task = self._tasks.start("lane", self._drive(thread, active))

    async def _drive(self, thread: ThreadKey, active: _ThreadQueue) -> None:
        onward = None
        try:
            for _ in range(MOST_FAILURES):
                active.again = None
                try:
                    onward = await self._work(thread, active.stop_signal)
                    break
                except asyncio.CancelledError:
                    if active.is_left and not self._closed:
                        break
                    # Otherwise only a shutdown cancels: nothing may start from here on.
                    self._closed = True
                    raise
                except Exception as error:
                    # Any error is caught, so that other threads go on. The error's
                    # message is not logged, because it may contain what people wrote.
                    log.error(
                        "turn.crashed thread=%s at=%s", thread, error_location(error)
                    )
                    if self._closed:
                        break
        finally:
            # No await since the last look at `again`: a message that arrives now
            # must not be added to an entry that is about to be removed.
            del self._active[thread]
            # The thread goes to the end of the queue, of this process or of all
            # processes: a thread with a steady flow of messages must not keep its slot.
            is_left = thread in self._idle and not self._slots.is_free
            if active.has_slot:
                self._slots.give(thread)
            if not self._closed:
                is_left = is_left and onward == thread
                if onward is not None and onward not in self._active and not is_left:
                    self._wait(Entry(onward, active.entry.owner, active.entry.at))
                if active.again is not None:
                    self._wait(active.again)
                self._fill()
            if not (thread in self._active or thread in self._queue):
                self._note_idle(thread, onward if onward != thread else None)
