"""Logs refusals that strangers can cause as often as they like: once an hour for each
reason."""

import logging
import time
from collections.abc import Callable

#: Seconds between two log lines about the same reason.
REPEAT = 3600.0
#: The most reasons that are told apart. Strangers choose the texts of some.
MOST_REASONS = 20
OTHERS = "reason=other"


class RefusalLog:
    """The refusals of one kind, which the log calls `event`."""

    def __init__(
        self,
        log: logging.Logger,
        event: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._clock = clock
        #: The time of the last line, and the number of refusals since then that were
        #: not logged, by reason.
        self._refused: dict[str, tuple[float, int]] = {}

    def note(self, reason: str) -> None:
        """Log `reason` and how often it was left out, unless it was logged within the
        hour."""
        now = self._clock()
        if reason not in self._refused and len(self._refused) >= MOST_REASONS:
            self._refused = {
                known: each
                for known, each in self._refused.items()
                if now - each[0] < REPEAT
            }
            if len(self._refused) >= MOST_REASONS:
                reason = OTHERS
        since, unsaid = self._refused.get(reason, (now - REPEAT, 0))
        if now - since >= REPEAT:
            self._log.warning("%s more=%d %s", self._event, unsaid, reason)
            since, unsaid = now, -1
        self._refused[reason] = since, unsaid + 1
