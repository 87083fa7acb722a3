"""Finds newest messages of a thread for an app that gets 15 messages a minute.

Slack lists a window from its oldest message on (facts A5.2), so the newest are found by
guessing where a short window begins: an app that may ask once a minute cannot read page
after page. Each call of `read` may be the last, so a window rather holds too few
messages than more than a page. Does not use the SDK, so a test can simulate any thread.
"""

import logging
from collections.abc import Sequence
from typing import TypeVar

from adapters.slack.newest import MOMENT, Page, Read
from bot.errors import Throttled

log = logging.getLogger(__name__)

T = TypeVar("T")

# The messages that Slack returns at most to a capped app (facts A5.2).
PAGE = 15
# A thread of fewer pages than this is read page by page.
FEW_PAGES = 3
# How many messages a window is to hold: half of a page, since they come unevenly.
AIM = 7
# How many messages of the end suffice; more are not worth another minute.
ENOUGH = 4
# How many windows are tried if Slack refuses none.
MOST_TRIES = 15
# By what factor a window without messages is extended.
LONGER = 8.0


def is_capped(page: Page[T]) -> bool:
    """Return whether `page`, for which more messages than `PAGE` were requested, has
    fewer than there are because Slack caps this app."""
    return bool(page.cursor) and len(page.messages) <= PAGE


def has_many_pages(first: Page[T]) -> bool:
    """Return whether the thread that begins with `first` is too long to be read page by
    page."""
    size = len(first.messages)
    return bool(first.cursor) and first.replies >= FEW_PAGES * size


async def near_end(read: Read[T], first: Page[T], latest: float) -> list[T]:
    """Return consecutive messages before `latest`, oldest first: some of the newest, or
    if Slack refuses further windows, newer ones than those in `first`, or none."""
    #: The messages of a window with more after them, and those up to `latest`.
    middle: dict[float, T | None] = {}
    end: dict[float, T | None] = {}
    begun = dict(first.messages)
    low, high = max(begun), latest
    missing = max(AIM, first.replies - len(begun))
    apart = _apart(sorted(begun)[1:])
    oldest = high - AIM * (high - low) / missing
    try:
        for _ in range(MOST_TRIES):
            page = await read(oldest, high, "")
            found = {at: each for at, each in page.messages if oldest <= at <= high}
            if page.cursor:
                middle, low = found, max(found)
                apart = _apart(sorted(found))
            else:
                end |= found
                high = oldest
                if len(end) > ENOUGH or high <= low:
                    break
            if high == latest:
                # Messages come as often as in the middle, or more often.
                oldest = high - min(AIM * apart, (high - low) / 2)
            elif len(end) > 1:
                oldest = high - LONGER * (latest - high)
            else:
                # A pause. If messages came as often as the last known, they ended where
                # all of the missing ones are posted; else between two limits.
                ahead = missing * apart
                if middle or ahead > high - low:
                    oldest = low + min(ahead, high - low) / 2
                else:
                    oldest = low + ahead - AIM * apart
            oldest = max(low, oldest) if oldest < high - MOMENT else low
    except Throttled as error:
        # A part now is better than everything in an hour (facts A5.2).
        log.warning("slack.history_cut %s", error)
    said = [each for at, each in sorted(end.items()) if each and at < latest]
    return said or [each for _, each in sorted(middle.items()) if each]


def _apart(times: Sequence[float]) -> float:
    """Return the mean distance of `times`, which ascend."""
    return (times[-1] - times[0]) / max(1, len(times) - 1) if times else 0.0
