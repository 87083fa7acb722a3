"""Turns that were delivered, inside a transaction."""

from sqlite_utils import Database

from bot.domain.turn import Turn
from storage.thread_queries import turn_of

PREVIOUS_TURN = """
    SELECT *, 0 AS begins FROM turns
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
      AND id < :turn AND state = 'delivered'
      AND EXISTS (
        SELECT 1 FROM replies WHERE turn_id = turns.id AND message IS NOT NULL
      )
    ORDER BY id DESC LIMIT 1
"""


def previous_turn(db: Database, turn: Turn) -> Turn | None:
    row = db.execute(PREVIOUS_TURN, {"turn": turn.id}).fetchone()
    return turn_of(db, turn.thread, row) if row else None
