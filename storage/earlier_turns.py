"""Earlier turns and questions of a thread, inside a transaction."""

from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from storage import thread_queries
from storage.broken import calendar_time
from storage.connection import Connection, Cursor
from storage.thread_queries import THREAD_ID
from storage.turn_reading import ask_turn, read_turn

# The turns of a thread end one after the other, so the index by that time yields the
# last turn without reading the others.
PREVIOUS_TURN = """
    SELECT id FROM turns
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
      AND id < :turn AND state = 'delivered'
      AND EXISTS (
        SELECT 1 FROM replies WHERE turn_id = turns.id AND message IS NOT NULL
      )
    ORDER BY ended_at DESC, id DESC LIMIT 1
"""

# A turn, and the turns that it repeats: those directly before it whose messages it has
# taken over.
REPEATED = """
    SELECT id FROM turns
    WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
      AND id <= :turn AND id > coalesce((
        SELECT max(turn_id) FROM messages
        WHERE thread_id = (SELECT thread_id FROM turns WHERE id = :turn)
          AND turn_id < :turn AND role = 'user'
      ), 0)
"""

# The last of the turns that a turn repeats.
REPEATED_TURN = f"SELECT max(id) FROM ({REPEATED}) AS repeated WHERE id < :turn"

ANSWERED = f"""
    SELECT id FROM turns
    WHERE thread_id = ({THREAD_ID}) AND state = 'delivered' AND text <> ''
      AND (:turn = '' OR key = :turn)
      -- The messages of an answer that was written again are those of another turn.
      AND EXISTS (
        SELECT 1 FROM messages
        WHERE messages.thread_id = turns.thread_id AND turn_id = turns.id
          AND role = 'user'
      )
    ORDER BY ended_at DESC, id DESC LIMIT 1
"""

# Reads only the end of the index by time.
QUESTION_TIMES = f"""
    SELECT at FROM messages
    WHERE thread_id = ({THREAD_ID}) AND asks = 1 ORDER BY at DESC LIMIT :most
"""


def previous_turn(db: Connection, turn: Turn) -> Turn | None:
    return read_turn(ask_turn(db, PREVIOUS_TURN, {"turn": turn.id}), turn.thread)


def repeated_turn(db: Connection, turn: Turn) -> Turn | None:
    return read_turn(ask_turn(db, REPEATED_TURN, {"turn": turn.id}), turn.thread)


def answered(db: Connection, thread: ThreadKey, turn: str = "") -> Turn | None:
    where = {**thread_queries.named(thread), "turn": turn}
    return read_turn(ask_turn(db, ANSWERED, where), thread)


def question_times(db: Connection, thread: ThreadKey, most: int) -> list[float]:
    return times_of(ask_question_times(db, thread, most))


def ask_question_times(db: Connection, thread: ThreadKey, most: int) -> Cursor:
    """Send the query whose result `times_of` reads."""
    return db.execute(QUESTION_TIMES, {**thread_queries.named(thread), "most": most})


def times_of(asked: Cursor) -> list[float]:
    """Return the times of the questions that were `asked` for, oldest first."""
    return [calendar_time(row["at"]) for row in asked][::-1]
