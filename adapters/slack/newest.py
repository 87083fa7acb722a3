"""Finds the newest messages of a thread whose pages begin with the oldest.

`conversations.replies` lists a window from its oldest message to the newest (facts
A5.2), so the end of a long thread is at the end of many pages. Instead of reading all
pages, this module guesses a window that has the wanted messages and fits one page. The
guess uses the number of messages in the thread and the intervals between them. Does not
use the SDK, so a test can simulate any thread.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.errors import Throttled

log = logging.getLogger(__name__)

T = TypeVar("T")

# The factor by which a guessed window is larger than needed. One page holds twice as
# many messages as are wanted.
MARGIN = 1.4
# The factor by which the window after an empty one begins nearer to the messages before
# the gap.
NEARER = 8.0
# The share of the gap that may remain unexplained if messages are assumed to come as
# often as before.
UNEVEN = 0.2
# The most windows that are tried before the pages are read in sequence. Each try
# removes at least a page of messages, or the window itself, from the search.
MOST_TRIES = 12
# The smallest difference between two messages, in seconds: timestamps have six
# decimals.
MOMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of (time, message) pairs, oldest first. The message is None if nobody
    wrote it."""

    messages: Sequence[tuple[float, T | None]]
    #: The cursor of the next page; "" if this is the last.
    cursor: str
    #: The number of replies in the whole thread, and the time of the last reply in
    #: seconds since 1970; 0 if unknown.
    replies: int = 0
    last: float = 0.0


#: Reads a page of a window (oldest, latest, cursor), bounds included. Raises Throttled.
Read = Callable[[float | None, float | None, str], Awaitable[Page[T]]]


@dataclass(slots=True)
class _Search(Generic[T]):
    """The known parts of a thread: a beginning, a gap, and an end."""

    read: Read[T]
    #: The number of messages before `latest` that are wanted.
    most: int
    latest: float | None
    #: The page read last before the gap, and the messages read after it.
    front: dict[float, T | None]
    end: dict[float, T | None] = field(default_factory=dict)

    async def run(self, low: float, high: float, expected: int) -> None:
        """Close the gap between `low` and `high`, with an estimated `expected` messages
        in it, or find all wanted messages at its end."""
        guess = self._ahead(low, high, expected)
        # At most as many tries as there are pages.
        for _ in range(min(MOST_TRIES, expected // len(self.front))):
            oldest = guess if guess > low + MOMENT else low
            page = await self.read(oldest, high, "")
            found = {at: said for at, said in page.messages if low <= at <= high}
            expected -= len(found)
            if page.cursor and found:
                # The window has more than a page, so the end of the thread comes later.
                self.front, low = found, max(found)
                guess = self._ahead(low, high, expected)
                continue
            self.end = found | self.end
            if self._wanted <= 0 or oldest <= low:
                return
            if found:
                # Go back as far as the intervals in this window suggest.
                guess = oldest - MARGIN * self._wanted * (high - oldest) / len(found)
            else:
                # A long pause: go nearer to the last known messages.
                guess = low + (oldest - low) / NEARER
            high = oldest
        end = await onward(self.read, low, self.most, self.latest)
        # Drop the first message of the thread, which is on every page.
        self.end = {at: said for at, said in end.items() if at >= low}

    @property
    def _wanted(self) -> int:
        return self.most - _count(self.end)

    def _ahead(self, low: float, high: float, expected: int) -> float:
        """Return the estimated time of the first wanted message, based on the messages
        before the gap."""
        share = min(1.0, MARGIN * self._wanted / max(1, expected))
        evenly = high - (high - low) * share
        times = sorted(self.front)[1:]
        apart = (times[-1] - times[0]) / len(times) if times else 0.0
        alike = low + apart * expected * (1 - share)
        # Messages that came as often as before would fill the gap. If they do not fill
        # it, they stopped long ago. If the gap is too short, they came more often.
        return alike if alike < evenly - (high - low) * UNEVEN else evenly

    def newest(self) -> dict[float, T | None]:
        """Return the consecutive messages known at the end of the thread."""
        return self.end or self.front


async def newest(
    read: Read[T],
    most: int,
    latest: float | None = None,
    first: Page[T] | None = None,
) -> list[T]:
    """Return the newest `most` messages of a thread, oldest first. If `latest` is
    given, they are before it. `first` is the first page if it was read already.

    If Slack refuses further pages, return the newest messages that were read, or else
    the first ones. Raises Throttled if none were read.
    """
    first = first or await read(None, latest, "")
    begun = dict(first.messages)
    high = latest or first.last
    last = max(begun, default=0.0)
    # The message at `latest` is part of every window.
    wanted = most + (latest is not None)
    search = _Search(read, wanted, latest, front=begun)
    try:
        if not first.cursor:
            search.end = begun
        elif len(begun) < most or first.replies < 3 * len(begun) or high <= last:
            # Few pages, or pages too small to search with, as capped apps get.
            search.end = await onward(read, None, wanted, latest, begun, first)
        else:
            await search.run(last, high, first.replies - len(begun))
            if _count(search.end) < wanted:
                search.end = search.front | search.end
    except Throttled as error:
        # Some messages now are better than all of them in an hour (facts A5.2).
        log.warning("slack.history_cut %s", error)
    found = sorted(search.newest().items())
    said = [
        each
        for at, each in found
        if each is not None and (latest is None or at < latest)
    ]
    return said[-most:]


async def onward(
    read: Read[T],
    oldest: float | None,
    most: int,
    latest: float | None = None,
    found: dict[float, T | None] | None = None,
    page: Page[T] | None = None,
) -> dict[float, T | None]:
    """Read a window page by page, and return its last messages, at least `most`.

    `page` is the first page if it was read already. `found` is updated after each page,
    so that the caller has the messages if a later page fails.
    """
    found = found if found is not None else {}
    while True:
        page = page or await read(oldest, latest, "")
        found.update(page.messages)
        for at in sorted(found)[: max(0, len(found) - 2 * most)]:
            del found[at]
        if not page.cursor:
            return found
        page = await read(oldest, latest, page.cursor)


def _count(messages: dict[float, T | None]) -> int:
    return sum(said is not None for said in messages.values())
