"""Long computations in a worker thread.

Rule: one person's input must not block everybody else. Work whose time depends on the
length of a text runs in a worker thread if the text is long. Python code in a thread
yields every few milliseconds, but a single call into C (a regular expression, JSON,
`str.encode`) does not, so such calls also need bounded input or linear time.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Processing up to this many characters costs less than switching to a thread and back,
#: which takes some tenths of a millisecond.
INLINE_CHARS = 10_000


async def offload(work: Callable[[], T], chars: int, inline: int = INLINE_CHARS) -> T:
    """Return the result of `work`, which processes `chars` characters.

    More than `inline` characters are processed in a worker thread. `work` must not use
    anything that the event loop may change meanwhile. Raises the exceptions of `work`.
    """
    if chars <= inline:
        return work()
    return await asyncio.to_thread(work)
