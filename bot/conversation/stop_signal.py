"""The request to stop the running turn of a thread."""

import asyncio
from collections.abc import Callable
from typing import Any

from bot.runtime.background import end


class StopSignal:
    """A request to stop the running turn of a thread."""

    def __init__(self, ends: str | None = None) -> None:
        #: The key of a turn that was stopped while it waited, and so ends without an
        #: answer; "" for the next turn of the thread, None for no turn.
        self.ends = ends
        #: The key of the running turn; "" between turns.
        self.turn = ""
        #: Whether the answer has begun, so that the turn's messages no longer wait.
        self.has_begun = False
        #: The people who were told that the running turn has to end first.
        self.notified: set[str] = set()
        #: Whether the running turn's questions were deleted before its answer showed.
        self.is_withdrawn = False
        #: Returns whether any of the running turn's answer shows.
        self.has_shown: Callable[[], bool] = _nothing_shown
        self._is_asked = False
        #: The task that is cancelled when the turn is asked to stop.
        self._reading: asyncio.Task[Any] | None = None

    def begin(self, turn: str) -> None:
        """Start the turn with this key; "" for none. Resets the signal."""
        self.turn, self.has_begun = turn, False
        self.is_withdrawn, self.has_shown = False, _nothing_shown
        self.notified.clear()
        self._is_asked = False

    def ask(self, turn: str) -> bool:
        """Ask the running turn to stop, if its key is `turn`; "" means any. Return True
        if the turn runs and was not asked before."""
        if not self.turn or turn not in ("", self.turn) or self._is_asked:
            return False
        self._stop()
        return True

    def withdraw(self, turn: str) -> None:
        """Ask the running turn to stop and leave nothing behind. Does nothing if the
        turn has another key than `turn`, or some of its answer shows."""
        if turn and turn == self.turn and not self.has_shown():
            self.is_withdrawn = True
            self._stop()

    def end_on_request(self, reading: asyncio.Task[Any] | None) -> None:
        """Cancel `reading`, and nothing else, once the running turn is asked to stop.
        Cancels it at once if the turn was asked already. None cancels nothing."""
        self._reading = reading
        if self._is_asked:
            self._stop()

    def _stop(self) -> None:
        self._is_asked = True
        if self._reading is not None:
            end(self._reading)


def _nothing_shown() -> bool:
    return False
