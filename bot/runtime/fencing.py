"""A check immediately before a call is sent.

The decision to make a call may be outdated when the call is sent: the call waited for a
rate limit, or the whole process was frozen, and another process has taken over. The
code that decides sets the check, and adapters run it before each call that writes.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar

_check: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar(
    "check", default=None
)


@contextlib.contextmanager
def checked_by(check: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Run `check` before each call that is made in this block.

    If `check` raises, the call is not made.
    """
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


async def confirm() -> None:
    """Run the current check, if there is one. Raises the errors of the check."""
    if (check := _check.get()) is not None:
        await check()
