"""Keeps the earlier answer if an attempt to write it again brings nothing better.

Rule: a whole answer is replaced only by a new one that Claude finished or that people
stopped. A part of an answer is replaced by any new text.
"""

from dataclasses import replace

from bot.conversation.outcomes import LIMITS, UNFINISHED, WITHDRAWN, with_note
from bot.domain.turn import Ended, Outcome, Turn
from bot.messages.answers import EARLIER
from bot.ports.earlier_turns import EarlierTurns
from bot.ui.buttons import is_at_limit

# An answer that ended so is kept as what it is: a part of an answer, or one that later
# turns do not read.
_INCOMPLETE = (Ended.STOPPED, Ended.INTERRUPTED, Ended.REFUSED)

# The attempt failed, perhaps after some text.
_FAILED = (Ended.INTERRUPTED, Ended.REFUSED)


async def keep_earlier(store: EarlierTurns, turn: Turn, outcome: Outcome) -> Outcome:
    """Return `outcome` or, if the answer that `turn` should replace is better, the same
    with that answer. Raises StorageError."""
    has_text = bool(outcome.text.strip())
    is_better = has_text and outcome.ended not in _FAILED
    if outcome is WITHDRAWN or not turn.shown or is_better:
        return outcome
    earlier = await store.repeated_turn(turn)
    if earlier is None or not earlier.text.strip():
        return outcome
    if has_text and earlier.ended in _INCOMPLETE:
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
        # Says whether the text can be continued.
        stop_reason=earlier.stop_reason,
    )
    kept = with_note(kept, EARLIER)
    if is_at_limit(ended, kept.stop_reason):
        return with_note(kept, LIMITS[kept.stop_reason or ""])
    return kept
