"""Counts warnings and errors of the log by event, in the last hour and in total.

Rule: only the event of a record is stored, which is a word of the code. The text of a
record is not.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.vitals import LogCount
from bot.runtime.lru import LruDict

# The most different events that are counted: about three times those of our code.
MOST_EVENTS = 300

# The seconds in each of the buckets that make up the last hour.
BUCKET = 60.0
BUCKETS_OF_AN_HOUR = 60

_EVENT = re.compile(r"\A[a-z_]++(?:\.[a-z_]++)++(?![^ ])")


@dataclass(slots=True)
class _Count:
    #: (minutes since 1970, count), the newest last.
    minutes: deque[tuple[int, int]] = field(
        default_factory=lambda: deque(maxlen=BUCKETS_OF_AN_HOUR + 1)
    )
    all: int = 0
    last: float = 0.0


class LogCounter(logging.Handler):
    """A handler that counts records of level WARNING and above."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(logging.WARNING)
        self._now = now
        self._counts: LruDict[tuple[str, str], _Count] = LruDict(MOST_EVENTS)

    def emit(self, record: logging.LogRecord) -> None:
        """Count `record`."""
        found = _EVENT.match(str(record.msg))
        event = found[0] if found else record.name.partition(".")[0]
        key = event, record.levelname.lower()
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count()
        now = self._now()
        minute = int(now // BUCKET)
        before = count.minutes.pop()[1] if _is_of(count, minute) else 0
        count.minutes.append((minute, before + 1))
        count.all += 1
        count.last = now

    def read(self) -> tuple[LogCount, ...]:
        """Return the counts, those with the newest record first."""
        oldest = int(self._now() // BUCKET) - BUCKETS_OF_AN_HOUR
        # Another thread may log in the meantime.
        self.acquire()
        try:
            found = [
                LogCount(
                    *(event, level),
                    hour=sum(n for minute, n in count.minutes if minute > oldest),
                    count=count.all,
                    last=count.last,
                )
                for (event, level), count in list(self._counts.items())
            ]
        finally:
            self.release()
        return tuple(sorted(found, key=lambda each: -each.last))


def _is_of(count: _Count, minute: int) -> bool:
    return bool(count.minutes) and count.minutes[-1][0] == minute
