"""The locks with which writes begin, for databases with several concurrent writers.

SQLite allows one writing transaction at a time, so these functions do nothing there. On
PostgreSQL, a write first waits for the transactions that write the rows it needs, and
then sees what they committed.

Rule 1: every write begins with its lock, unless it is one statement, or its first
statement writes the only row that matters and so locks that row. A write of a turn
begins with the row of its thread in `storage.leases.held`.
Rule 2: a transaction with several locks takes them in this order, the only one:

1. `storing` or `erasing` of a workspace: a transaction that stores people's messages
   checks whether they were deleted, and must not do so while a deletion searches for
   stored messages.
2. the keys of threads, in order, because a key exists before its row; then the rows of
   threads, by id.
3. a triage case.
4. the settings of workspaces, in order of their names.
5. money: of the operator, then of a workspace.
6. contents of files, by their digests (also in the trigger that deletes them).
7. the search index (`storage.search_index`).
8. the round of a person, at the end (`storage/engine/asking.sql`).

Deadlocks remain possible between rows without a named lock. `storage.postgres.pool`
retries the transaction then.
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

# The threads that contain a message, a copy of its text, or the answer that it is part
# of.
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
    """Block deletions of people's messages in the workspace of `scope` during the
    transaction."""
    _hold(db, "said", _workspace(scope), shared=True)


def erasing(db: Connection, scope: Scope) -> None:
    """Block storing of people's messages in the workspace of `scope` during the
    transaction."""
    _hold(db, "said", _workspace(scope))


def thread(db: Connection, key: ThreadKey) -> Row | None:
    """Lock the thread `key`, whether it has a row or not; return its row."""
    found: Row | None = ask_thread(db, key).fetchone()
    return found


def ask_thread(db: Connection, key: ThreadKey) -> Cursor:
    """Lock the thread `key` likewise, and send the query for its row."""
    values = named(key)
    _hold(db, "thread", tuple(values.values()))
    return db.execute(_THREAD, values)


def both(db: Connection, one: ThreadKey, other: ThreadKey) -> None:
    """Lock two threads, whether they have rows or not."""
    if dialect.writes_alone(db):
        return
    keys = [one, other]
    _hold(db, "thread", *sorted(tuple(named(key).values()) for key in keys))
    found = [db.execute(THREAD_ID, named(key)).fetchone() for key in keys]
    threads(db, [row["id"] for row in found if row])


def threads(db: Connection, ids: Iterable[int]) -> None:
    """Lock the threads with these `ids`."""
    if dialect.writes_alone(db):
        return
    for number in sorted(set(ids)):
        db.execute(f"SELECT 1 FROM threads WHERE id = ? {ROW_LOCK}", [number])


def threads_of(db: Connection, platform: str, messages: Iterable[str]) -> None:
    """Lock all threads that contain one of `messages` or a copy of its text."""
    if dialect.writes_alone(db):
        return
    found: set[int] = set()
    for message in messages:
        where = {"platform": platform, "message": message}
        found |= {number for (number,) in db.execute(_THREADS_OF, where).fetchall()}
    threads(db, found)


def threads_in(db: Connection, scope: Scope) -> None:
    """Lock all threads in `scope`."""
    if not dialect.writes_alone(db):
        query = f"SELECT id FROM threads WHERE {inside(scope)} ORDER BY id {ROW_LOCK}"
        db.execute(query, parts(scope))


def settings(db: Connection, scopes: Iterable[Scope]) -> None:
    """Lock the settings of the workspaces of `scopes`."""
    _hold(db, "settings", *sorted({_workspace(each) for each in scopes}))


def money(db: Connection, scope: Scope, caps: BudgetLimits | None = None) -> None:
    """Lock the accounts of the workspace of `scope`.

    Also locks the operator's accounts if one of `caps` belongs to another place, such
    as the operator's scope.
    """
    places = [each.place for each in caps.budgets] if caps else []
    places += [each.place for each in caps.people] if caps else []
    here, all_of_them = _workspace(scope), _workspace(EVERYWHERE)
    elsewhere = any(_workspace(place) != here for place in places)
    _hold(db, "money", *([all_of_them] if elsewhere else []), here)


def content(db: Connection, digest: str) -> bool:
    """Lock the content of a file against deletion; return whether it exists."""
    found = db.execute(
        f"SELECT 1 FROM file_contents WHERE digest = ? {ROW_LOCK}", [digest]
    )
    return found.fetchone() is not None


def _workspace(scope: Scope) -> tuple[str, ...]:
    return (scope.platform, scope.workspace)


def _hold(
    db: Connection, kind: str, *names: tuple[str, ...], shared: bool = False
) -> None:
    """Hold the locks with these names, in order, until the end of the transaction."""
    if not dialect.writes_alone(db):
        numbers = [_number("\0".join([kind, *name])) for name in names]
        dialect.hold(db, numbers, shared=shared)


def _number(name: str) -> int:
    # 64 bits: two names with the same number only wait for each other.
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
