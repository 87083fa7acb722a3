"""Keeps long computations off the event loop. No I/O of its own.

Rule: what one person sends must never let everybody else wait. Work whose length
depends on a text is handed to a worker thread where the text is long. Python code in a
thread gives the loop its turn every few milliseconds, but a single call into C (a
regular expression, JSON, `str.encode`) does not, so those need a bound on their input
or time that is linear in it, as well.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Up to so many characters cost less than a hop to another thread and back, some
#: tenths of a millisecond, would be worth.
INLINE_CHARS = 10_000


async def offload(work: Callable[[], T], chars: int, inline: int = INLINE_CHARS) -> T:
    """Return what `work` returns, which has `chars` characters to go through.

    More than `inline` of them are gone through in a worker thread. `work` must touch
    nothing that the loop may change meanwhile. Raises what `work` raises.
    """
    if chars <= inline:
        return work()
    return await asyncio.to_thread(work)
