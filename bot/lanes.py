"""Keeps one turn at a time per thread, and any number of threads at once.

A lane exists only while its thread has work. What the work is stands in the
store; a lane only makes sure that somebody looks, and that nobody else does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.trace import where
from bot.values import ThreadKey

log = logging.getLogger(__name__)

#: Drains a thread of its open turns; the event asks it to stop the running one.
#: Returns where the thread goes on, if it moved.
Work = Callable[[ThreadKey, asyncio.Event], Awaitable[ThreadKey | None]]

# A turn that fails for a reason nobody foresaw is tried again by the rule for
# crashes, which ends it as interrupted after the second attempt. A lane that
# fails even so is left alone until something new is said.
MOST_FAILURES = 4


@dataclass(slots=True)
class _Lane:
    task: asyncio.Task[None] | None = None
    #: Something came since the lane last looked.
    again: bool = True
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Lanes:
    """Runs `work` for each thread that has some, inside the group `tasks`."""

    def __init__(self, tasks: asyncio.TaskGroup, work: Work) -> None:
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
        lane.task = self._tasks.create_task(self._drive(thread, lane))

    def stop(self, thread: ThreadKey) -> bool:
        """Ask the running turn of `thread` to stop; say whether there was one."""
        lane = self._lanes.get(thread)
        if lane is None or lane.stop.is_set():
            return False
        lane.stop.set()
        return True

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
                    if onward := await self._work(thread, lane.stop):
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
