"""Gives everything that is stored of a channel the channel's new id, inside a
transaction.

Rule 1: a channel id is unique on its platform, so every workspace that knows the
channel follows at once.
Rule 2: what was already stored under the new id stays: its settings win, and its
threads continue the threads of the same name.
Rule 3: an answer in progress is lost by its process, as if another one had taken the
thread. It waits again, and is written under the new id.
Rule 4: the old ids are kept for `REMEMBERED` seconds, since an event with the old id
may arrive late, and at another process than the one that heard of the move.
"""

from sqlite_utils import Database

from bot.domain.scope import Scope
from storage import locks
from storage.connection import Connection, Cursor
from storage.dialect import GREATEST, ROW
from storage.leases import MOST_EPOCH
from storage.triage_cases import delete_case

#: Retention of the old ids, in seconds. Slack repeats an event for about six minutes
#: (platform facts A2); the rest covers processes that catch up.
REMEMBERED = 7 * 86_400.0

# Tables with the columns of a scope, and the columns that name a row within a channel.
_NAMED = {
    "settings": ("thread", "name"),
    "kept": ("thread", "name"),
    "notices": ("thread", "name"),
    "erased": ("message", "thread"),
    "refusals": ("hour", "who", "name"),
    "cases": ("message",),
}
# Tables whose rows may be several for one name. `posts` are of the web page, where no
# channel gets another id.
_PLAIN = ("audit", "drafts", "charges")

_HERE = "platform = :platform AND channel = :channel"
_THERE = "platform = :platform AND channel = :to"

_WORKSPACES = " UNION ".join(
    f"SELECT workspace FROM {table} WHERE {_HERE}"
    for table in ("threads", "accounts", "versions", *_NAMED, *_PLAIN)
)

# Each thread with the one of the same name under the new id.
_TWINS = """
    SELECT here.id AS id, there.id AS twin FROM threads AS here
    JOIN threads AS there ON there.platform = here.platform AND there.channel = :to
      AND there.workspace = here.workspace AND there.thread = here.thread
    WHERE here.platform = :platform AND here.channel = :channel
    ORDER BY here.id
"""

_VERSIONS = """
    UPDATE versions
    SET channel = :to, number = number + (
        SELECT coalesce(max(number), 0) FROM versions AS there
        WHERE there.platform = versions.platform AND there.channel = :to
          AND there.workspace = versions.workspace
          AND there.thread = versions.thread AND there.name = versions.name
    )
    WHERE platform = :platform AND channel = :channel
"""

_ACCOUNTS = """
    INSERT INTO accounts (platform, workspace, channel, period, spent, reserved,
        warned, warned_of)
    SELECT platform, workspace, :to, period, spent, reserved, warned, warned_of
    FROM accounts WHERE platform = :platform AND channel = :channel
    ON CONFLICT (platform, workspace, channel, period) DO UPDATE
    SET spent = accounts.spent + excluded.spent,
        reserved = accounts.reserved + excluded.reserved
"""

# The process that answers in the thread loses it (`storage.leases`).
_THREADS = f"""
    UPDATE threads SET channel = :to, owner = '',
      epoch = CASE WHEN epoch < {MOST_EPOCH} THEN epoch + 1 ELSE 0 END
    WHERE {_HERE}
"""

# The search index of a channel follows as a whole. The trigger on threads would have
# the words of each message removed and added one by one.
_PLACES = f"""
    UPDATE search_places SET channel = :to WHERE {_HERE} AND NOT EXISTS (
        SELECT 1 FROM search_places AS there
        WHERE there.platform = :platform AND there.channel = :to
          AND there.workspace = search_places.workspace
    )
"""
_REMOVED = f"""
    DELETE FROM search_removed WHERE {_HERE} AND NOT EXISTS (
        SELECT 1 FROM search_places AS here
        WHERE here.platform = :platform AND here.channel = :channel
          AND here.workspace = search_removed.workspace
    )
"""

# Only of the threads that move: the answers under the new id go on.
_WAITING = f"""
    UPDATE turns SET state = 'waiting'
    WHERE state <> 'delivered' AND state = 'answering'
      AND thread_id IN (SELECT id FROM threads WHERE {_HERE})
"""


def m044_channel_moves(db: Database) -> None:
    """Add the old ids of channels that got another one. Never edited."""
    where = {"platform": str, "channel": str}
    db.table("channel_moves").create(
        # The id that the channel has now, and the time of the move.
        {**where, "current": str, "at": float},
        pk=tuple(where),
        not_null={*where, "current", "at"},
        strict=True,
    )
    db.table("channel_moves").create_index(["at"])


def ask_current(db: Connection, channel: Scope) -> Cursor:
    """Send the query for the id that `channel` has now; no row if it has its own."""
    return db.execute(
        "SELECT current FROM channel_moves WHERE platform = ? AND channel = ?",
        [channel.platform, channel.channel],
    )


def current_channel(db: Connection, channel: Scope) -> str:
    for (current,) in ask_current(db, channel).fetchall():
        return str(current)
    return channel.channel


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` old ids of channels that moved before `before`; return
    their number."""
    return int(
        db.execute(
            f"DELETE FROM channel_moves WHERE {ROW} IN "
            f"(SELECT {ROW} FROM channel_moves WHERE at < ? ORDER BY at LIMIT ?)",
            [before, most],
        ).rowcount
    )


def move_channel(db: Connection, channel: Scope, to: str, now: float) -> bool:
    """Give the platform's `channel` the id `to`; return whether anything was stored of
    it. Of the workspace of `channel`, nothing needs to be stored yet."""
    at = {"platform": channel.platform, "channel": channel.channel, "to": to}
    if channel.channel in ("", to) or not to:
        return False
    found = {name for (name,) in db.execute(_WORKSPACES, at).fetchall()}
    names = sorted(found | {channel.workspace})
    scopes = [Scope(channel.platform, workspace) for workspace in names]
    for scope in scopes:
        locks.erasing(db, scope)
    _note(db, {**at, "now": now})
    both = f"SELECT id FROM threads WHERE ({_HERE}) OR ({_THERE})"
    locks.threads(db, [number for (number,) in db.execute(both, at).fetchall()])
    locks.settings(db, scopes)
    for scope in scopes:
        locks.money(db, scope)
    for number, twin in db.execute(_TWINS, at).fetchall():
        _merge(db, number, twin)
    db.execute(_PLACES, at)
    db.execute(_WAITING, at)
    db.execute(_THREADS, at)
    db.execute(_REMOVED, at)
    _move_rows(db, at)
    db.execute(_ACCOUNTS, at)
    db.execute(f"DELETE FROM accounts WHERE {_HERE}", at)
    _move_references(db, at)
    return bool(found)


def _note(db: Connection, at: dict[str, str | float]) -> None:
    """Record the move for events that still have the old id."""
    here = "platform = :platform AND channel"
    # The channel may have had the new id before.
    db.execute(f"DELETE FROM channel_moves WHERE {here} = :to", at)
    db.execute(
        "UPDATE channel_moves SET current = :to "
        "WHERE platform = :platform AND current = :channel",
        at,
    )
    db.execute(
        """
        INSERT INTO channel_moves (platform, channel, current, at)
        VALUES (:platform, :channel, :to, :now)
        ON CONFLICT (platform, channel)
        DO UPDATE SET current = excluded.current, at = excluded.at
        """,
        at,
    )


def _merge(db: Connection, thread: int, twin: int) -> None:
    """Append the messages and turns of the thread with the id `twin` to the thread with
    the id `thread`, and delete the former."""
    values = {"thread": thread, "twin": twin}
    for number in (thread, twin):
        # The counts are of a thread that the model no longer reads in this form.
        db.execute("DELETE FROM read_counts WHERE thread_id = ?", [number])
    db.execute("DELETE FROM summaries WHERE thread_id = ?", [twin])
    known = """
        thread_id = :twin AND message IN (
            SELECT message FROM messages
            WHERE thread_id = :thread AND message IS NOT NULL
        )
    """
    db.execute(
        "DELETE FROM holders WHERE message_id IN "
        f"(SELECT id FROM messages WHERE {known})",
        values,
    )
    db.execute(f"DELETE FROM messages WHERE {known}", values)
    for table in ("messages", "turns"):
        db.execute(
            f"UPDATE {table} SET thread_id = :thread WHERE thread_id = :twin", values
        )
    db.execute(
        f"""
        UPDATE threads SET
            follows = {GREATEST}(follows, (
                SELECT follows FROM threads AS other WHERE other.id = :twin
            )),
            reads_after = {GREATEST}(reads_after, (
                SELECT reads_after FROM threads AS other WHERE other.id = :twin
            ))
        WHERE id = :thread
        """,
        values,
    )
    db.execute("DELETE FROM threads WHERE id = :twin", values)


def _move_rows(db: Connection, at: dict[str, str]) -> None:
    for table, names in _NAMED.items():
        is_same = " AND ".join(
            f"there.{name} = {table}.{name}" for name in ("workspace", *names)
        )
        db.execute(
            f"""
            UPDATE {table} SET channel = :to WHERE {_HERE} AND NOT EXISTS (
                SELECT 1 FROM {table} AS there
                WHERE there.platform = :platform AND there.channel = :to AND {is_same}
            )
            """,
            at,
        )
        if table == "cases":
            left = db.execute(f"SELECT id FROM cases WHERE {_HERE}", at).fetchall()
            for (number,) in left:
                delete_case(db, number)
        else:
            db.execute(f"DELETE FROM {table} WHERE {_HERE}", at)
    for table in _PLAIN:
        db.execute(f"UPDATE {table} SET channel = :to WHERE {_HERE}", at)
    db.execute(_VERSIONS, at)


def _move_references(db: Connection, at: dict[str, str]) -> None:
    """Change the rows that name the channel by its id, in any scope."""
    for table in ("settings", "kept"):
        db.execute(
            f"UPDATE {table} SET value = :to WHERE platform = :platform "
            "AND value = :channel",
            {
                **at,
                "channel": f"channel:{at['channel']}",
                "to": f"channel:{at['to']}",
            },
        )
    known = "platform = :platform AND kind = 'channel' AND id = :channel"
    db.execute(
        f"""
        UPDATE names SET id = :to WHERE {known} AND NOT EXISTS (
            SELECT 1 FROM names AS there
            WHERE there.platform = :platform AND there.kind = 'channel'
              AND there.workspace = names.workspace AND there.id = :to
        )
        """,
        at,
    )
    db.execute(f"DELETE FROM names WHERE {known}", at)
