"""Finds the newest messages of a thread whose pages begin with the oldest.

`conversations.replies` goes from the oldest message of a window to the newest,
whatever the window (facts A5.2), so the end of a long thread is at the end of many
pages. It is found by its beginning: a window is guessed that holds as many messages
as are wanted and that one page takes, from how many there are in all and how close
together they are. Knows no SDK, so a test can play any thread.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.errors import Throttled

log = logging.getLogger(__name__)

T = TypeVar("T")

# A window is guessed so much larger than needed; one page takes twice as many
# messages as are wanted.
MARGIN = 1.4
# Where nothing is in a window, the next begins so many times nearer to what was said
# before it.
NEARER = 8.0
# How much of the gap may be left over where people are said to go on as before.
UNEVEN = 0.2
# How many windows are tried until the pages are read one after the other. Each try
# takes at least a page of messages, or the time since the last, out of the search.
MOST_TRIES = 12
# What tells two messages apart, in seconds: Slack's times have six decimals.
MOMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Messages by time, oldest first; None for those that nobody said."""

    messages: Sequence[tuple[float, T | None]]
    #: Where the next page begins; "" if this is the last.
    cursor: str
    #: How many replies the thread has in all, and when the last was said, in seconds
    #: since 1970; 0 where that is not known.
    replies: int = 0
    last: float = 0.0


#: Reads a page of a window (oldest, latest, cursor), its bounds included. May raise
#: Throttled.
Read = Callable[[float | None, float | None, str], Awaitable[Page[T]]]


@dataclass(slots=True)
class _Search(Generic[T]):
    """What is known of a thread: a beginning, a gap, and an end."""

    read: Read[T]
    #: How many are wanted, of those before `latest`.
    most: int
    latest: float | None
    #: What was read last in front of the gap, and what was read behind it.
    front: dict[float, T | None]
    end: dict[float, T | None] = field(default_factory=dict)

    async def run(self, low: float, high: float, expected: int) -> None:
        """Close the gap between `low` and `high`, in which `expected` messages are
        thought to be, or find all that is wanted behind it."""
        guess = self._ahead(low, high, expected)
        # No more than it takes to read all of it.
        for _ in range(min(MOST_TRIES, expected // len(self.front))):
            oldest = guess if guess > low + MOMENT else low
            page = await self.read(oldest, high, "")
            found = {at: said for at, said in page.messages if low <= at <= high}
            expected -= len(found)
            if page.cursor and found:
                # More than a page: the end is behind what was read.
                self.front, low = found, max(found)
                guess = self._ahead(low, high, expected)
                continue
            self.end = found | self.end
            if self._wanted <= 0 or oldest <= low:
                return
            if found:
                # As far back as they are apart here.
                guess = oldest - MARGIN * self._wanted * (high - oldest) / len(found)
            else:
                # Nobody said anything for long: look nearer to where they did.
                guess = low + (oldest - low) / NEARER
            high = oldest
        self.end = await onward(self.read, low, self.most, self.latest)

    @property
    def _wanted(self) -> int:
        return self.most - _count(self.end)

    def _ahead(self, low: float, high: float, expected: int) -> float:
        """Where the wanted messages begin, going by what is in front of the gap."""
        share = min(1.0, MARGIN * self._wanted / max(1, expected))
        evenly = high - (high - low) * share
        times = sorted(self.front)[1:]
        apart = (times[-1] - times[0]) / len(times) if times else 0.0
        alike = low + apart * expected * (1 - share)
        # If people went on as before, that fills the gap; where it does not, they
        # stopped long ago, and where it is too much they have become faster.
        return alike if alike < evenly - (high - low) * UNEVEN else evenly

    def newest(self) -> dict[float, T | None]:
        """All that is known to be next to each other, at the end of the thread."""
        return self.end or self.front


async def newest(read: Read[T], most: int, latest: float | None = None) -> list[T]:
    """Return the newest `most` messages of a thread, before `latest` if that is given;
    oldest first.

    Where Slack does not let us read on, returns what there is: the newest ones, or
    else the first. Raises Throttled where there is nothing.
    """
    first = await read(None, latest, "")
    begun = dict(first.messages)
    high = latest or first.last
    last = max(begun, default=0.0)
    # The message at `latest` is in every window, too.
    wanted = most + (latest is not None)
    search = _Search(read, wanted, latest, front=begun)
    try:
        if not first.cursor:
            search.end = begun
        elif len(begun) < most or first.replies < 3 * len(begun) or high <= last:
            # Few pages, or pages too small to search by, as apps get that Slack caps.
            search.end = await onward(read, None, wanted, latest, begun, first)
        else:
            await search.run(last, high, first.replies - len(begun))
            if _count(search.end) < wanted:
                search.end = search.front | search.end
    except Throttled as error:
        # The beginning now is better than everything in an hour (facts A5.2).
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
    """Read page after page of a window, from `page` on if it was read; return the
    last `most` messages. `found` is kept up to date, for where that is cut short."""
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
