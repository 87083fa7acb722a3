"""Ends turns that fail again and again, so that their threads go on.

Rule: only what says something of the turn counts. A platform that turns us away, a disk
that is full or a locked database says nothing of it, however often it is met.
"""

import logging
from collections.abc import Callable

from bot.conversation.outcomes import GIVEN_UP
from bot.domain.turn import Turn, TurnState
from bot.errors import StorageRejected, ThreadkeepError, error_location, leaves
from bot.ports.store import TurnStore

log = logging.getLogger(__name__)

# How often taking a turn to its end may fail for a reason that nobody foresaw, over
# restarts too. Before that the rule for crashes has ended it as interrupted and said
# so, if that can be said.
MOST_FAILURES = 5

# Writing an answer out may end the process before the failure is counted, so that it
# begins is counted, too; but less, since a kill from outside says nothing of the turn.
BEGUN, FAILED = 1, 4
MOST = MOST_FAILURES * FAILED


class Failures:
    """Counts the failures of turns, in the store."""

    def __init__(self, store: TurnStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def ends(self, turn: Turn) -> bool:
        """Whether `turn`, which is to be written out, was tried often enough, with
        which it has ended. The try that follows is counted before it is made: no
        attempt is, and it may end the process."""
        return turn.state is TurnState.UNDELIVERED and await self._count(turn, BEGUN)

    async def note(self, turn: Turn, error: Exception) -> None:
        """Count that `error` ended a try of `turn`, and end the turn after too many.

        Raises `error` where it says nothing of the turn.
        """
        if all(_is_foreseen(each) for each in leaves(error)):
            raise error
        log.error(
            "turn.crashed thread=%s turn=%s at=%s",
            *(turn.thread, turn.key, error_location(error)),
        )
        begun = BEGUN if turn.state is TurnState.UNDELIVERED else 0
        await self._count(turn, FAILED - begun)

    async def _count(self, turn: Turn, weight: int) -> bool:
        failures = await self._store.record_failure(turn, weight)
        if failures < MOST:
            return False
        log.error("turn.given_up thread=%s turn=%s", turn.thread, turn.key)
        await self._store.abandon_turn(turn, GIVEN_UP, self._now())
        return True


def _is_foreseen(error: BaseException) -> bool:
    return isinstance(error, ThreadkeepError) and not isinstance(error, StorageRejected)
