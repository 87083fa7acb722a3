"""Runs work that nobody awaits, and keeps the failure of one task from the others.

Rule 1: whatever such work raises ends that work alone. All of it starts here: a test
looks through the code for tasks that are started elsewhere.
Rule 2: the log says where it failed (`bot.errors.error_location`), never with which
words: they may be what people said. Our own errors of platforms, Claude and the
database hold no such words, so theirs are logged.
Rule 3: AccessRevoked is handed to whoever takes that platform down, and concerns no
other. Another ConfigError may come from a setting that cannot be read.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self

from bot.errors import (
    AccessRevoked,
    DeliveryError,
    ModelError,
    StorageError,
    error_location,
    leaves,
)

log = logging.getLogger(__name__)

#: Is told which platform turned us away, and why.
Refused = Callable[[str, AccessRevoked], None]

# Errors whose words say nothing of people.
_TOLD = (AccessRevoked, DeliveryError, ModelError, StorageError)

# How often a callback of the clock that fails is called again, and after how many
# seconds: whoever waits for it would else wait until something else happens.
MOST_REPEATS = 3
REPEAT_AFTER = 1.0


def report(
    what: str, error: Exception, *, platform: str = "", refused: Refused | None = None
) -> None:
    """Log that the work called `what` failed with `error`, and hand an AccessRevoked of
    `platform` to `refused`."""
    unforeseen = False
    for each in leaves(error):
        if isinstance(each, AccessRevoked) and refused is not None and platform:
            refused(platform, each)
        elif isinstance(each, _TOLD):
            log.warning("task.failed task=%s %s", what, each)
        else:
            unforeseen = True
    if unforeseen:
        log.error("task.failed task=%s at=%s", what, error_location(error))


async def contained(
    what: str,
    work: Awaitable[object],
    *,
    platform: str = "",
    refused: Refused | None = None,
) -> None:
    """Await `work`; what it raises is reported and goes no further."""
    try:
        await work
    except Exception as error:
        report(what, error, platform=platform, refused=refused)


def begin(what: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
    """Start `work` for an owner that ends with it: the owner keeps the task, and
    cancels it in the end."""
    return _started(contained(what, work), work, what)


def end(task: asyncio.Task[Any]) -> None:
    """Cancel `task`, once: a second time would cut short how it cleans up."""
    if not task.cancelling():
        task.cancel()


async def finish(work: Coroutine[Any, Any, object]) -> None:
    """Await `work` to its end, also when cancelled meanwhile: for what cleans up."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def later(
    seconds: float, what: str, callback: Callable[[], None], repeats: int = MOST_REPEATS
) -> asyncio.TimerHandle:
    """Call `callback` in `seconds`. If it raises, that is reported, and it is called
    again a few times."""

    def call() -> None:
        try:
            callback()
        except Exception as error:
            report(what, error)
            if repeats:
                later(REPEAT_AFTER, what, callback, repeats - 1)

    return asyncio.get_running_loop().call_later(seconds, call)


class Background:
    """The tasks of one owner. Leaving the context waits for all of them; leaving it
    with an error cancels them first."""

    def __init__(self, refused: Refused | None = None) -> None:
        self._refused = refused
        #: The tasks that run, and the platform that each concerns; "" for none.
        self._running: dict[asyncio.Task[None], str] = {}
        self._left: set[str] = set()
        self._over = False

    def start(
        self, what: str, work: Coroutine[Any, Any, object], *, platform: str = ""
    ) -> asyncio.Task[None]:
        """Start `work`, which the log calls `what`, and which concerns `platform`."""
        guarded = contained(what, work, platform=platform, refused=self._refused)
        task = _started(guarded, work, what)
        self._running[task] = platform
        task.add_done_callback(self._forget)
        if self._over or (platform and platform in self._left):
            task.cancel()
        return task

    def leave(self, platform: str) -> None:
        """Cancel everything that concerns `platform`, but for whoever calls this, and
        whatever is started for it from now on."""
        self._left.add(platform)
        current = asyncio.current_task()
        for task, concerned in self._running.items():
            if concerned == platform and task is not current:
                end(task)

    def cancel(self) -> None:
        """Cancel everything, and whatever is started from now on."""
        self._over = True
        for task in self._running:
            end(task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.cancel()
        try:
            await self._ended()
        except asyncio.CancelledError:
            self.cancel()
            await self._ended()
            raise

    async def _ended(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)


def unforeseen(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what the event loop itself met: for tasks and callbacks of libraries.

    asyncio's own handler would print the error's words and what was called with which
    arguments.
    """
    error = context.get("exception")
    if isinstance(error, Exception):
        report("library", error)
    else:
        # asyncio's own words, up to where they name what they are about.
        told, _, _ = str(context.get("message", "")).partition("<")
        log.error("loop.failed %s", told.strip())


@contextlib.contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let `unforeseen` handle what `loop` meets."""
    before = loop.get_exception_handler()
    loop.set_exception_handler(unforeseen)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _started(
    guarded: Coroutine[Any, Any, None], work: Coroutine[Any, Any, object], what: str
) -> asyncio.Task[None]:
    task = asyncio.create_task(guarded, name=what)
    # Cancelled before its first step, a task never gets to its work; closing what has
    # ended does nothing.
    task.add_done_callback(lambda _: work.close())
    return task
