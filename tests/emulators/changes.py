"""Lets a test wait until something is true of the world, at once.

Rule: whoever changes the world, or adds to one of its logs, calls `mark()` after
the change. A predicate is looked at again at each mark; and a few times a second, since
it may look at what marks nothing, such as the program that the test is about.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

#: How many seconds a test waits for what must happen. A machine that is busy with other
#: things is not a wrong answer.
PATIENCE = 60.0

#: Seconds after which a predicate is looked at again, whether or not there was a mark.
AGAIN = 0.25


class Changes:
    """The one bell that every change of the world rings."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def mark(self) -> None:
        """Say that something changed."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(
        self,
        predicate: Callable[[], T],
        *,
        timeout: float,
        dump: Callable[[], str] = str,
    ) -> T:
        """Wait until `predicate()` is true and return what it returned.

        A predicate that looks for something which is not there yet may raise
        LookupError: that counts as "not yet". Raises AssertionError with `dump()`
        after `timeout` real seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                with self._marking():
                    # No await between the look and the wait, so no mark is missed.
                    while not (found := _look(predicate)):
                        await self._next.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s\n{dump()}") from None
        return found

    @contextlib.contextmanager
    def _marking(self) -> Iterator[None]:
        """Mark again and again while the block runs."""
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
