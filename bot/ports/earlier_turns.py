"""Earlier turns of a thread."""

from typing import Protocol

from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn


class EarlierTurns(Protocol):
    """Turns that were delivered, and their questions."""

    async def previous_turn(self, turn: Turn) -> Turn | None:
        """Return the last DELIVERED turn before `turn` in its thread with a posted
        answer."""
        ...

    async def repeated_turn(self, turn: Turn) -> Turn | None:
        """Return the turn whose answer `turn` writes again, or None. `retry_turn` made
        `turn` from it."""
        ...

    async def question_times(self, thread: ThreadKey, most: int) -> list[float]:
        """Return the times of at most `most` of the newest questions of `thread`,
        oldest first, in seconds since 1970."""
        ...
