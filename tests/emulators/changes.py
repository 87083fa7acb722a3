"""Lets a test wait until a condition is true, without polling.

Rule: code that changes the world, or adds to one of its logs, calls `mark()` after the
change. A predicate is tested again at each mark. It is also tested a few times a
second, because it may depend on changes without a mark, such as those in the program
under test.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

#: Seconds that a test waits for a condition. It is long because the machine may be
#: busy.
PATIENCE = 60.0

#: Seconds after which a predicate is tested again, with or without a mark.
AGAIN = 0.25


class Changes:
    """The signal that every change of the world sends."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def mark(self) -> None:
        """Signal a change."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(
        self,
        predicate: Callable[[], T],
        *,
        timeout: float,
        dump: Callable[[], str] = str,
    ) -> T:
        """Wait until `predicate()` is true. Return its result.

        A LookupError in the predicate counts as false. Raises AssertionError with
        `dump()` after `timeout` real seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                with self._marking():
                    # No await between the test and the wait, so no mark is missed.
                    while not (found := _look(predicate)):
                        await self._next.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s\n{dump()}") from None
        return found

    @contextlib.contextmanager
    def _marking(self) -> Iterator[None]:
        """Mark at intervals of AGAIN while the block runs."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def begin() -> None:
            nonlocal timer
            timer = loop.call_later(AGAIN, again)

        def again() -> None:
            self.mark()
            begin()

        begin()
        try:
            yield
        finally:
            timer.cancel()


def _look(predicate: Callable[[], T]) -> T | None:
    try:
        return predicate()
    except LookupError:
        return None
