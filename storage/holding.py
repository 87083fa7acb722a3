"""Threads that the process which heard of them holds until they are there, inside a
transaction.

Rule: nobody is woken for a thread that the process which stored it still owns
(`engine/holding.sql`). Giving it wakes others, and so does the end of that process: the
thread is nobody's then, and such threads are looked for.
"""

from bot.domain.scope import Scope, ThreadKey
from storage import locks, message_edits
from storage.connection import Connection
from storage.thread_queries import THREAD_ID, named

# The epoch of a thread that was taken since is higher.
HELD = (
    f"SELECT id FROM threads WHERE id = ({THREAD_ID}) AND owner = :owner AND epoch = 0"
)


def give_thread(db: Connection, thread: ThreadKey, to: ThreadKey, owner: str) -> None:
    locks.storing(db, Scope.of(to))
    locks.both(db, thread, to)
    held = db.execute(HELD, {**named(thread), "owner": owner}).fetchone()
    if held is None:
        return
    if to != thread:
        message_edits.move_thread(db, thread, to)
    db.execute("UPDATE threads SET owner = '' WHERE id = ?", [held["id"]])
