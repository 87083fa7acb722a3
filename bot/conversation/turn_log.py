"""Logs how turns ended, without anything that people or Claude wrote."""

import logging

from bot.domain.turn import Outcome, Turn

log = logging.getLogger(__name__)


def log_end(turn: Turn, outcome: Outcome | None, seconds: float) -> None:
    """Log that `turn` was delivered, and how it ended.

    `seconds` is the time since the turn was taken up. `outcome` is None if it was
    logged before.
    """
    if outcome is None:
        log.info("turn.delivered thread=%s turn=%s", turn.thread, turn.key)
        return
    log.info(
        "turn.done thread=%s turn=%s ended=%s seconds=%.2f model=%s"
        " prompt=%d cached=%d output=%d cost=%s request=%s%s",
        turn.thread,
        turn.key,
        outcome.ended.value,
        seconds,
        outcome.model or "-",
        outcome.usage.prompt,
        outcome.usage.cache_read,
        outcome.usage.output,
        "unknown" if outcome.cost is None else f"{outcome.cost:.6f}",
        outcome.request_id or "-",
        f" reason={outcome.reason!r}" if outcome.reason else "",
    )
