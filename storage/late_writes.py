"""Messages that a process may have posted or edited after another one had taken the
thread, inside a transaction.

Unlike the writes of a turn, these calls need no ownership of the thread.
"""

from bot.domain.scope import Scope
from bot.domain.turn import Turn
from storage import erasures, locks
from storage.connection import Connection

# A message that was written again belongs to a later turn of the same thread.
KNOWN = """
    SELECT turn_id, state, part, message FROM replies JOIN turns ON turns.id = turn_id
    WHERE thread_id = (SELECT thread_id FROM turns WHERE turns.id = :turn)
      AND turn_id >= :turn
"""

AGAIN = "UPDATE turns SET state = 'undelivered' WHERE id = ?"


def known_messages(db: Connection, turn: Turn, index: int) -> frozenset[str] | None:
    rows = db.execute(KNOWN, {"turn": turn.id}).fetchall()
    for row in rows:
        is_it = (row["turn_id"], row["part"]) == (turn.id, index)
        if is_it and row["message"] is None and row["state"] != "delivered":
            return None
    return frozenset(row["message"] for row in rows if row["message"])


def deliver_again(db: Connection, turn: Turn, message: str) -> bool:
    locks.thread(db, turn.thread)
    rows = db.execute(KNOWN, {"turn": turn.id}).fetchall()
    shows = next((row for row in rows if row["message"] == message), None)
    if shows is None or shows["state"] in ("waiting", "answering"):
        return True
    if shows["state"] == "undelivered":
        return False
    # The text of a deleted answer no longer exists.
    if not erasures.answer_was_deleted(db, shows["turn_id"], Scope.of(turn.thread)):
        db.execute(AGAIN, [shows["turn_id"]])
    return True
