"""Long computations in a worker thread.

Rule: what one person sends must not block everybody else. Work whose time depends on
the length of a text runs in a worker thread if the text is long. Python code in a
thread yields every few milliseconds, but a single call into C (a regular expression,
JSON, `str.encode`) does not, so such calls also need a bound on their input or linear
time.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Up to this many characters cost less than the switch to a thread and back, which
#: takes some tenths of a millisecond.
INLINE_CHARS = 10_000


async def offload(work: Callable[[], T], chars: int, inline: int = INLINE_CHARS) -> T:
    """Return the result of `work`, which processes `chars` characters.

    More than `inline` characters are processed in a worker thread. `work` must not
    touch anything that the loop may change meanwhile. Raises what `work` raises.
    """
    if chars <= inline:
        return work()
    return await asyncio.to_thread(work)
