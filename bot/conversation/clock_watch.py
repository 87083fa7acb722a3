"""Notices that the clock of this machine is ahead of the platforms' clocks.

Messages then seem too old to be answered. Messages that are fetched after an outage are
old, too, but they arrive faster than they were written. Live messages arrive at the
pace at which they were written, so two that are equally old although time has passed
between them show that the clock is wrong.
"""

import logging

from bot.domain.budget import HOUR

log = logging.getLogger(__name__)

# How much time must be between two messages, and by how much their ages may differ, in
# seconds. An event takes less than a second or two (platform facts A2, B1).
APART = 30.0
ALIKE = 2.0


class ClockWatch:
    """Compares the messages that are too old to be answered."""

    def __init__(self) -> None:
        #: When an old message arrived, and its age then.
        self._seen: tuple[float, float] | None = None
        self._warned = float("-inf")

    def stale(self, at: float, now: float) -> None:
        """Note that a message from the time `at` arrived, too old to be answered; warn
        of the clock, once an hour, if that is the reason."""
        age = now - at
        before = self._seen
        if before is None or abs(before[1] - age) > ALIKE:
            self._seen = (now, age)
            return
        if now - before[0] >= APART and now - self._warned >= HOUR:
            self._warned = now
            log.warning(
                "clock.ahead seconds=%.0f Messages seem too old to be answered. Set the"
                " clock of this machine.",
                age,
            )
