"""Requests about turns of other processes, inside a transaction."""

from collections import defaultdict

from bot.domain.listed_process import ListedProcess
from bot.domain.scope import Scope, ThreadKey
from bot.domain.vitals import Ages
from storage.broken import calendar_time
from storage.connection import Connection
from storage.scope_columns import inside, parts
from storage.thread_queries import THREAD_ID, key_of, named

# Uses the partial index of open turns.
RUNNING = """
    SELECT platform, workspace, channel, thread, turns.key
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered' AND state <> 'waiting' AND {}
    ORDER BY turns.id
"""

WAITING = """
    SELECT platform, workspace, channel, thread
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered' AND state = 'waiting' AND {}
      AND NOT EXISTS (
        SELECT 1 FROM turns AS earlier
        WHERE earlier.thread_id = turns.thread_id AND earlier.state <> 'delivered'
          AND earlier.id < turns.id
      )
      AND :asker = (
        SELECT author FROM messages
        WHERE messages.thread_id = turns.thread_id AND messages.turn_id = turns.id
          AND asks = 1 AND deleted_at IS NULL
        ORDER BY messages.at, messages.id LIMIT 1
      )
    ORDER BY asked_at, turns.id
"""

STOP = f"""
    UPDATE turns SET stopping = :how
    WHERE id = (
        SELECT min(id) FROM turns INDEXED BY idx_turns_open
        WHERE thread_id = ({THREAD_ID}) AND state <> 'delivered'
          AND (:turn = '' OR key = :turn)
      )
      AND ended_at IS NULL
      AND (stopping = '' OR (stopping = 'withdraw' AND :how = 'stop'))
"""

# A process that only reads or changes settings has no name and is left out.
PROCESSES = """
    SELECT id, role, name, started_at, seen_at,
        (SELECT count(*) FROM threads WHERE owner = processes.id) AS threads
    FROM processes WHERE name <> '' ORDER BY role, started_at, name
"""

TURNS_OF_PROCESSES = """
    SELECT owner, platform, state, count(*) AS count, min(asked_at) AS oldest
    FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered' AND owner <> ''
    GROUP BY owner, platform, state ORDER BY platform, state
"""

LEAVE = f"UPDATE threads SET owner = '' WHERE id = ({THREAD_ID}) AND owner = :owner"


def running_turns(db: Connection, place: Scope) -> list[tuple[ThreadKey, str]]:
    rows = db.execute(RUNNING.format(inside(place)), parts(place))
    return [(key_of(row), row["key"]) for row in rows]


def waiting_threads_of(db: Connection, place: Scope, asker: str) -> list[ThreadKey]:
    rows = db.execute(WAITING.format(inside(place)), {**parts(place), "asker": asker})
    return [key_of(row) for row in rows]


def ask_to_stop(db: Connection, thread: ThreadKey, turn: str, how: str) -> bool:
    asked = db.execute(STOP, {**named(thread), "turn": turn, "how": how})
    return asked.rowcount > 0


def processes(db: Connection) -> list[ListedProcess]:
    turns = defaultdict[str, list[Ages]](list)
    for owner, platform, state, count, oldest in db.execute(TURNS_OF_PROCESSES):
        turns[owner].append(Ages(platform, state, count, calendar_time(oldest)))
    return [
        ListedProcess(role, name, started, seen, threads, tuple(turns[id]))
        for id, role, name, started, seen, threads in db.execute(PROCESSES)
    ]


def leave_thread(db: Connection, thread: ThreadKey, owner: str) -> None:
    db.execute(LEAVE, {**named(thread), "owner": owner})
