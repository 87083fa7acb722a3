"""Ends turns that have failed too often, so that their threads go on.

Rule: only errors that the turn itself may have caused are counted. Rejected
credentials, a full disk or a locked database are not, however often they occur.
"""

import logging
from collections.abc import Callable

from bot.conversation.outcomes import GIVEN_UP
from bot.domain.turn import Turn, TurnState
from bot.errors import StorageRejected, ThreadkeepError, error_location, leaves
from bot.ports.store import TurnStore

log = logging.getLogger(__name__)

# The number of unexpected errors, restarts included, after which a turn ends. Before
# that, the rule for crashes ends the turn as interrupted, and posts so if it can.
MOST_FAILURES = 5

# Writing out an answer may crash the process before the failure is counted. So the
# start of an attempt is counted, too, but with less weight, because the process may
# also be killed from outside.
BEGUN, FAILED = 1, 4
MOST = MOST_FAILURES * FAILED


class Failures:
    """Counts the failures of each turn in the store."""

    def __init__(self, store: TurnStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def ends(self, turn: Turn) -> bool:
        """Count an attempt to write out `turn`; return True if that ended the turn.

        A turn ends after too many attempts. A turn that is still to be answered is not
        counted.
        """
        return turn.state is TurnState.UNDELIVERED and await self._count(turn, BEGUN)

    async def note(self, turn: Turn, error: Exception) -> None:
        """Count a failed attempt at `turn`, and end the turn after too many.

        Raises `error`, which ended the attempt, if the turn cannot have caused it.
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
