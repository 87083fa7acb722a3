"""Background tasks, and the isolation of their failures.

Rule 1: an exception ends only the task that raised it. All background tasks start here;
a test searches the code for others.
Rule 2: the log names the location of an error (`bot.errors.error_location`), never its
text, which may contain people's words. Our own errors about platforms, Claude and the
database never do, so their text is logged.
Rule 3: AccessRevoked is passed to a callback that stops its platform and no other. Any
other ConfigError is only logged, since it may come from an unreadable setting.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
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

#: Called with the platform that rejected our credentials, and the error.
Refused = Callable[[str, AccessRevoked], None]

# Errors whose text never contains people's words.
_TOLD = (AccessRevoked, DeliveryError, ModelError, StorageError)

# The retries of a failing timer callback, and the pause in seconds before each. Without
# a retry, a task that waits for the callback would wait for the next event.
MOST_REPEATS = 3
REPEAT_AFTER = 1.0


def report(
    what: str, error: Exception, *, platform: str = "", refused: Refused | None = None
) -> None:
    """Log that the work called `what` failed with `error`.

    An AccessRevoked of `platform` is passed to `refused` instead.
    """
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
    """Await `work`. Report its exceptions instead of raising them."""
    try:
        await work
    except Exception as error:
        report(what, error, platform=platform, refused=refused)


def begin(what: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
    """Start `work` for an owner that keeps the task and cancels it at the end."""
    return _start(contained(what, work), work, what)


def held(what: str, work: Coroutine[Any, Any, object]) -> set[asyncio.Task[None]]:
    """Start `work` like `begin`, and return a set that holds the task while it runs.

    The set drops the ended task, since each kept task costs a kilobyte.
    """
    task = begin(what, work)
    tasks = {task}
    task.add_done_callback(tasks.discard)
    return tasks


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel `tasks` and wait until they have ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def end(task: asyncio.Task[Any]) -> None:
    """Cancel `task`, unless it is being cancelled already.

    A second cancellation would interrupt its cleanup.
    """
    if not task.cancelling():
        task.cancel()


async def finish(work: Coroutine[Any, Any, object]) -> None:
    """Await the end of `work`, even if this task is cancelled meanwhile.

    For cleanup. The cancellation is raised afterwards.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def later(
    seconds: float, what: str, callback: Callable[[], None], repeats: int = MOST_REPEATS
) -> asyncio.TimerHandle:
    """Call `callback` in `seconds`.

    If it raises, report the error and call it again, at most `repeats` times.
    """

    def call() -> None:
        try:
            callback()
        except Exception as error:
            report(what, error)
            if repeats:
                later(REPEAT_AFTER, what, callback, repeats - 1)

    return asyncio.get_running_loop().call_later(seconds, call)


class Background:
    """The tasks of one owner.

    Leaving the context waits for all tasks; leaving it with an error cancels them
    first.
    """

    def __init__(self, refused: Refused | None = None) -> None:
        self._refused = refused
        #: The running tasks with the platform that each belongs to; "" for none.
        self._running: dict[asyncio.Task[None], str] = {}
        self._left: set[str] = set()
        self._over = False

    def start(
        self, what: str, work: Coroutine[Any, Any, object], *, platform: str = ""
    ) -> asyncio.Task[None]:
        """Start `work` for `platform`. The log calls it `what`."""
        guarded = contained(what, work, platform=platform, refused=self._refused)
        task = _start(guarded, work, what)
        self._running[task] = platform
        task.add_done_callback(self._forget)
        if self._over or (platform and platform in self._left):
            task.cancel()
        return task

    def leave(self, platform: str) -> None:
        """Cancel all tasks of `platform` except the current one.

        Tasks that are started for `platform` later are cancelled at once.
        """
        self._left.add(platform)
        current = asyncio.current_task()
        for task, concerned in self._running.items():
            if concerned == platform and task is not current:
                end(task)

    def cancel(self) -> None:
        """Cancel all tasks. Tasks that are started later are cancelled at once."""
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
            await self._wait_for_end()
        except asyncio.CancelledError:
            self.cancel()
            await self._wait_for_end()
            raise

    async def _wait_for_end(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)


def unforeseen(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that reached the event loop from a library's task or callback.

    asyncio's own handler would print the error's text and the arguments of the call.
    """
    error = context.get("exception")
    if isinstance(error, Exception):
        report("library", error)
    else:
        # asyncio's message, up to the object that it describes.
        told, _, _ = str(context.get("message", "")).partition("<")
        log.error("loop.failed %s", told.strip())


@contextlib.contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Install `unforeseen` as the exception handler of `loop`."""
    before = loop.get_exception_handler()
    loop.set_exception_handler(unforeseen)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _start(
    guarded: Coroutine[Any, Any, None], work: Coroutine[Any, Any, object], what: str
) -> asyncio.Task[None]:
    task = asyncio.create_task(guarded, name=what)
    # A task that is cancelled before its first step never awaits its work, which Python
    # would warn about. Closing a finished coroutine does nothing.
    task.add_done_callback(lambda _: work.close())
    return task
