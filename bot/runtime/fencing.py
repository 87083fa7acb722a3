"""A check at the last moment before a call leaves this process.

What was decided before a call may be outdated when it is sent: the call waited for a
rate limit, or the whole process was frozen, and another one has taken over. Whoever
decides gives the check; adapters carry it out before each call that writes.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar

_check: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar(
    "check", default=None
)


@contextlib.contextmanager
def checked_by(check: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Have `check` awaited before each call that is made in this block. An error that
    it raises is raised instead of the call."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


async def confirm() -> None:
    """Carry out the check of the call that is about to be sent, if it has one."""
    if (check := _check.get()) is not None:
        await check()
