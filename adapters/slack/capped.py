"""Finds the newest messages of a thread for an app that gets 15 messages a minute.

Slack lists a window from its oldest message on (facts A5.2), and an app that may call
once a minute cannot read page after page. So the start of a short window is guessed.
Each call of `read` may be the last, so a window with too few messages is better than
one with more than a page. Does not use the SDK, so a test can simulate any thread.
"""

import logging
from collections.abc import Sequence
from typing import TypeVar

from adapters.slack.newest import MOMENT, Page, Read
from bot.errors import Throttled

log = logging.getLogger(__name__)

T = TypeVar("T")

# The most messages that Slack returns to a capped app (facts A5.2).
PAGE = 15
# A thread of fewer pages than this is read page by page.
FEW_PAGES = 3
# The number of messages that a window should have: half of a page, since messages come
# unevenly.
AIM = 7
# The number of newest messages that suffices. More are not worth another minute.
ENOUGH = 4
# The most windows that are tried if Slack refuses none.
MOST_TRIES = 15
# The factor by which a window without messages is extended.
LONGER = 8.0


def is_capped(page: Page[T]) -> bool:
    """Return whether Slack caps this app, judged by `page`, for which more messages
    than `PAGE` were requested."""
    return bool(page.cursor) and len(page.messages) <= PAGE


def has_many_pages(first: Page[T]) -> bool:
    """Return whether the thread that begins with `first` is too long to read page by
    page."""
    size = len(first.messages)
    return bool(first.cursor) and first.replies >= FEW_PAGES * size


async def near_end(read: Read[T], first: Page[T], latest: float) -> list[T]:
    """Return consecutive messages before `latest`, oldest first.

    They are the newest ones. If Slack refuses further windows first, they may be other
    messages that are newer than those in `first`, or none.
    """
    #: Messages of a window that more messages follow, and messages up to `latest`.
    middle: dict[float, T | None] = {}
    end: dict[float, T | None] = {}
    begun = dict(first.messages)
    low, high = max(begun), latest
    missing = max(AIM, first.replies - len(begun))
    apart = _mean_interval(sorted(begun)[1:])
    oldest = high - AIM * (high - low) / missing
    try:
        for _ in range(MOST_TRIES):
            page = await read(oldest, high, "")
            found = {at: each for at, each in page.messages if oldest <= at <= high}
            if page.cursor:
                middle, low = found, max(found)
                apart = _mean_interval(sorted(found))
            else:
                end |= found
                high = oldest
                if len(end) > ENOUGH or high <= low:
                    break
            if high == latest:
                # Assume that messages come at least as often as in the middle.
                oldest = high - min(AIM * apart, (high - low) / 2)
            elif len(end) > 1:
                oldest = high - LONGER * (latest - high)
            else:
                # The window was in a pause of the thread. Assume that the missing
                # messages came as often as the last known ones, and look where they
                # would have ended; if that is no help, look between the two bounds.
                ahead = missing * apart
                if middle or ahead > high - low:
                    oldest = low + min(ahead, high - low) / 2
                else:
                    oldest = low + ahead - AIM * apart
            oldest = max(low, oldest) if oldest < high - MOMENT else low
    except Throttled as error:
        # Some messages now are better than all of them in an hour (facts A5.2).
        log.warning("slack.history_cut %s", error)
    said = [each for at, each in sorted(end.items()) if each and at < latest]
    return said or [each for _, each in sorted(middle.items()) if each]


def _mean_interval(times: Sequence[float]) -> float:
    """Return the mean interval of `times`, which ascend, in seconds."""
    return (times[-1] - times[0]) / max(1, len(times) - 1) if times else 0.0
