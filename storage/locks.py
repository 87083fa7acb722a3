"""The locks that writes begin with where several processes write at once.

SQLite lets one transaction write at a time, and all of this is nothing there. On
PostgreSQL a verb first waits for those that write what it reads or writes, and then
sees what they have committed.

Rule 1: every verb that writes begins with its lock, unless it is one statement, or its
first one writes the only row that matters: that locks the row itself. A write of a turn
begins with the row of its thread in `storage.leases.held`.
Rule 2: whoever takes several takes them in this order, which is the only one:

1. `storing` or `erasing` of a workspace: who stores what people say looks whether it
   was deleted, and must not do so while a deletion looks for what is stored.
2. the keys of threads, in order, which they have before they have a row; then their
   rows, by their ids.
3. a triage case.
4. the settings of workspaces, in order of their names.
5. money: of the operator, then of a workspace.
6. contents of files, by their digests (also in the trigger that deletes them).
7. the index of words (`storage.search_index`).
8. the round of a person, at the end (`storage/engine/asking.sql`).

Deadlocks that remain possible, between rows that no lock names, are tried again by
`storage.postgres.pool`.
"""

from collections.abc import Iterable
from hashlib import blake2b

from bot.domain.budget import BudgetLimits
from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from storage import dialect
from storage.connection import Connection, Cursor, Row
from storage.dialect import ROW_LOCK
from storage.scope_columns import inside, parts
from storage.thread_queries import THREAD_ID, named

_THREAD = f"SELECT * FROM threads WHERE id = ({THREAD_ID}) {ROW_LOCK}"

# The threads that have a message, or words of it, or the answer that shows it.
_THREADS_OF = """
    SELECT id FROM threads
    WHERE platform = :platform AND id IN (
        SELECT thread_id FROM messages WHERE message = :message
        UNION
        SELECT thread_id FROM messages JOIN holders ON message_id = messages.id
        WHERE holder = :message
        UNION
        SELECT thread_id FROM turns JOIN replies ON turn_id = turns.id
        WHERE replies.message = :message
        UNION
        SELECT id FROM threads WHERE thread = :message
    )
"""


def storing(db: Connection, scope: Scope) -> None:
    """Let nobody delete what people say in the workspace of `scope` meanwhile."""
    _named(db, "said", _workspace(scope), shared=True)


def erasing(db: Connection, scope: Scope) -> None:
    """Let nobody store what people say in the workspace of `scope` meanwhile."""
    _named(db, "said", _workspace(scope))


def thread(db: Connection, key: ThreadKey) -> Row | None:
    """Hold the thread `key`, whether it has a row or not; return its row."""
    found: Row | None = ask_thread(db, key).fetchone()
    return found


def ask_thread(db: Connection, key: ThreadKey) -> Cursor:
    """Do the same, and ask for its row."""
    values = named(key)
    _named(db, "thread", tuple(values.values()))
    return db.execute(_THREAD, values)


def both(db: Connection, one: ThreadKey, other: ThreadKey) -> None:
    """Hold two threads, whether they have rows or not."""
    if dialect.writes_alone(db):
        return
    keys = [one, other]
    _named(db, "thread", *sorted(tuple(named(key).values()) for key in keys))
    found = [db.execute(THREAD_ID, named(key)).fetchone() for key in keys]
    threads(db, [row["id"] for row in found if row])


def threads(db: Connection, ids: Iterable[int]) -> None:
    """Hold the threads with these `ids`."""
    if dialect.writes_alone(db):
        return
    for number in sorted(set(ids)):
        db.execute(f"SELECT 1 FROM threads WHERE id = ? {ROW_LOCK}", [number])


def threads_of(db: Connection, platform: str, messages: Iterable[str]) -> None:
    """Hold all threads that have one of `messages`, or words of it."""
    if dialect.writes_alone(db):
        return
    found: set[int] = set()
    for message in messages:
        where = {"platform": platform, "message": message}
        found |= {number for (number,) in db.execute(_THREADS_OF, where).fetchall()}
    threads(db, found)


def threads_in(db: Connection, scope: Scope) -> None:
    """Hold all threads in `scope`."""
    if not dialect.writes_alone(db):
        query = f"SELECT id FROM threads WHERE {inside(scope)} ORDER BY id {ROW_LOCK}"
        db.execute(query, parts(scope))


def settings(db: Connection, scopes: Iterable[Scope]) -> None:
    """Hold the settings of the workspaces of `scopes`."""
    _named(db, "settings", *sorted({_workspace(each) for each in scopes}))


def money(db: Connection, scope: Scope, caps: BudgetLimits | None = None) -> None:
    """Hold what the workspace of `scope` spends; if one of `caps` is the operator's,
    what all spend."""
    places = [each.place for each in caps.budgets] if caps else []
    places += [each.place for each in caps.people] if caps else []
    here, all_of_them = _workspace(scope), _workspace(EVERYWHERE)
    elsewhere = any(_workspace(place) != here for place in places)
    _named(db, "money", *([all_of_them] if elsewhere else []), here)


def content(db: Connection, digest: str) -> bool:
    """Keep the content of a file from being deleted; return whether it is there."""
    found = db.execute(
        f"SELECT 1 FROM file_contents WHERE digest = ? {ROW_LOCK}", [digest]
    )
    return found.fetchone() is not None


def _workspace(scope: Scope) -> tuple[str, ...]:
    return (scope.platform, scope.workspace)


def _named(
    db: Connection, kind: str, *names: tuple[str, ...], shared: bool = False
) -> None:
    """Hold the locks of these names, one after the other, to the end of the
    transaction."""
    if not dialect.writes_alone(db):
        numbers = [_number("\0".join([kind, *name])) for name in names]
        dialect.hold(db, numbers, shared=shared)


def _number(name: str) -> int:
    # Of 64 bits: two names that share one only wait for each other.
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
