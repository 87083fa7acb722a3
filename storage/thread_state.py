"""The state of a thread from which an answer begins, inside a transaction."""

from bot.domain.completion import BYTES_PER_TOKEN
from bot.domain.scope import Scope, ThreadKey
from bot.domain.thread_state import ThreadState
from storage import settings
from storage.connection import Connection
from storage.dialect import CONTENT_BYTES
from storage.earlier_turns import ask_question_times, times_of
from storage.thread_queries import THREAD_ID, named

# The last answer, and the last answer that read its prompt only once. With tools, the
# API counts the prompt again for each use, together with the results, which are not
# kept. Reads the end of the index by thread and turn.
LAST_ANSWER = f"""
    SELECT turn_id, turns.input + turns.cache_write_5m + turns.cache_write_1h
        + turns.cache_read + turns.output AS tokens
    FROM messages CROSS JOIN turns ON turns.id = turn_id
      LEFT JOIN charges ON charges.turn = turns.key AND charges.turn IS NOT NULL
      LEFT JOIN receipts USING (turn_id)
    WHERE messages.thread_id = ({THREAD_ID}) AND role = 'assistant'
      AND messages.id > (SELECT reads_after FROM threads WHERE id = ({THREAD_ID}))
      AND (
        :any = 1 OR (
            coalesce(charges.searches + charges.fetches, 0) = 0
            AND coalesce(receipts.asked, '[]') = '[]'
        )
      )
    ORDER BY turn_id DESC LIMIT 1
"""
# Messages between two turns, including those of the second turn.
SAID_BETWEEN = f"""
    SELECT coalesce(sum({CONTENT_BYTES}), 0) AS bytes FROM messages
    WHERE thread_id = ({THREAD_ID}) AND turn_id > :after AND turn_id <= :upto
      AND place IS NOT NULL
      AND id > (SELECT reads_after FROM threads WHERE id = ({THREAD_ID}))
"""
UNREAD = f"SELECT unread FROM threads WHERE id = ({THREAD_ID})"


def thread_state(db: Connection, thread: ThreadKey, most: int) -> ThreadState:
    where = named(thread)
    # All queries are sent before any result is read: on PostgreSQL, this takes one
    # round trip.
    stored = settings.ask_stored(db, Scope.of(thread))
    times = ask_question_times(db, thread, most)
    unread = db.execute(UNREAD, where)
    newest = db.execute(LAST_ANSWER, {**where, "any": True})
    plain = db.execute(LAST_ANSWER, {**where, "any": False})
    row, last, known = unread.fetchone(), newest.fetchone(), plain.fetchone()
    tokens = 0
    if last is not None:
        after, tokens = known or (0, 0)
        if after != last["turn_id"]:
            between = {**where, "after": after, "upto": last["turn_id"]}
            said = db.execute(SAID_BETWEEN, between).fetchone()
            tokens = int(tokens + said["bytes"] / BYTES_PER_TOKEN)
        tokens = min(int(last["tokens"]), tokens)
    return ThreadState(
        settings=settings.read_stored(stored),
        asked_at=times_of(times),
        tokens=tokens,
        needs_backfill=row is not None and bool(row["unread"]),
    )
