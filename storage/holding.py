"""Threads that one process holds until the platform has created them, inside a
transaction.

Rule: no process is woken for a thread while the process that stored it still owns it
(`engine/holding.sql`). Giving the thread away wakes others. So does the end of the
owning process: the thread then belongs to nobody, and the reaper searches for such
threads.
"""

from bot.domain.scope import Scope, ThreadKey
from storage import locks, message_edits
from storage.connection import Connection
from storage.thread_queries import THREAD_ID, named

# A thread that was taken since then has a higher epoch.
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
