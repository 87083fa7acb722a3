"""Keeps the earlier answer if an attempt to write it again brings no text."""

from dataclasses import replace

from bot.conversation.outcomes import UNFINISHED, with_note
from bot.domain.turn import Ended, Outcome, Turn
from bot.messages.answers import EARLIER
from bot.ports.earlier_turns import EarlierTurns

# An answer that ended so is kept as what it is: a part of an answer, or one that later
# turns do not read.
_INCOMPLETE = (Ended.STOPPED, Ended.INTERRUPTED, Ended.REFUSED)


async def keep_earlier(store: EarlierTurns, turn: Turn, outcome: Outcome) -> Outcome:
    """Return `outcome` or, if it has no text, `outcome` with the answer that `turn`
    should have replaced. Raises StorageError."""
    if outcome.text.strip() or not turn.shown:
        return outcome
    earlier = await store.repeated_turn(turn)
    if earlier is None or not earlier.text.strip():
        return outcome
    return _with_earlier(outcome, earlier)


def _with_earlier(outcome: Outcome, earlier: Turn) -> Outcome:
    is_stopped = outcome.ended is Ended.STOPPED
    ended = Ended.DONE if is_stopped else Ended.FAILED
    replay = earlier.text
    if earlier.ended in _INCOMPLETE:
        ended = earlier.ended
        replay = "" if ended is Ended.REFUSED else earlier.text + UNFINISHED
    kept = replace(
        outcome,
        ended=ended,
        text=earlier.text,
        head=earlier.head,
        replay=replay,
        note="" if is_stopped else outcome.note,
    )
    return with_note(kept, EARLIER)
