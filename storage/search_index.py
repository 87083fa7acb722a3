"""The search index of words: its tables, and the code that keeps it up to date.

Each row says that a word occurs in a channel, somewhere in the 256 messages of a block
of consecutive ids. A search reads the blocks that contain all of its words
(`storage.search`).

Rule: a word that no message contains any longer leaves the index in the transaction
that deleted the last message with it. Triggers record added and removed texts for every
statement, and `settle` updates the index before the transaction ends.

Not FTS5: it marks a word as deleted and keeps the word until segments merge, and its
option `secure-delete` needs SQLite 3.42, while Debian 12 has 3.40. Deleted rows of a
plain table are overwritten (PRAGMA secure_delete) in every version. Blocks keep the
index small: most words of a message are already in its block, and a deletion reads only
256 messages again.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlite_utils import Database

from bot.domain.reply import ADDED
from bot.domain.scope import Scope
from bot.text.words import index_words
from storage.connection import Connection, Row
from storage.dialect import FREE_ROWS, execute_many, index_alone, may_index_alone

#: A block contains the messages whose ids differ only in this many low bits.
BLOCK_BITS = 8

#: The most messages to index in the transaction that stored them. More messages are
#: left for `fill` only after the migration.
AT_ONCE = 8

#: The most messages that one transaction of `fill` indexes. That many block other
#: writes for about 10 ms.
FILLED_AT_ONCE = 50

# The text of a message or an answer. The text of an answer is in its turn.
TEXT = "CASE role WHEN 'assistant' THEN turns.text ELSE messages.text END"

# The same texts, as the migration writes them.
_TEXT = "iif(role = 'assistant', turns.text, messages.text)"
# The text of an addition to a message is also in the message itself.
_FOUND = f"coalesce(message, '') NOT GLOB '{ADDED}*'"

_REMOVE = f"""
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, {{id}} >> {BLOCK_BITS}, {{text}}
    FROM threads WHERE id = {{thread}} AND {{text}} <> '';
"""
_ADD = "INSERT OR IGNORE INTO search_added VALUES ({id});"
_OLD_TEXT = """iif(
    old.role = 'assistant',
    (SELECT text FROM turns WHERE turns.id = old.turn_id), old.text
)"""

_TRIGGERS = {
    "search_message_added": (
        f"AFTER INSERT ON messages WHEN {_FOUND.replace('message', 'new.message')}",
        _ADD.format(id="new.id"),
    ),
    "search_message_changed": (
        "AFTER UPDATE OF text ON messages WHEN old.text <> new.text "
        f"AND {_FOUND.replace('message', 'new.message')}",
        _REMOVE.format(id="old.id", text="old.text", thread="old.thread_id")
        + _ADD.format(id="new.id"),
    ),
    # An answer that was written again.
    "search_message_hidden": (
        "AFTER UPDATE OF deleted_at ON messages "
        "WHEN old.deleted_at IS NULL AND new.deleted_at IS NOT NULL",
        _REMOVE.format(id="old.id", text=_OLD_TEXT, thread="old.thread_id"),
    ),
    "search_message_removed": (
        "BEFORE DELETE ON messages",
        _REMOVE.format(id="old.id", text=_OLD_TEXT, thread="old.thread_id")
        + "DELETE FROM search_added WHERE message_id = old.id;",
    ),
    "search_answer_changed": (
        # While an answer is being written, it has no row in `messages`.
        "AFTER UPDATE OF text ON turns "
        "WHEN old.ended_at IS NOT NULL AND old.text <> new.text",
        f"""
        INSERT INTO search_removed (platform, workspace, channel, block, text)
        SELECT platform, workspace, channel, messages.id >> {BLOCK_BITS}, old.text
        FROM messages CROSS JOIN threads ON threads.id = thread_id
        WHERE thread_id = old.thread_id AND turn_id = old.id AND role = 'assistant';
        INSERT OR IGNORE INTO search_added
        SELECT id FROM messages
        WHERE thread_id = old.thread_id AND turn_id = old.id AND role = 'assistant';
        """,
    ),
    "search_thread_moved": (
        "AFTER UPDATE OF platform, workspace, channel ON threads",
        f"""
        INSERT INTO search_removed (platform, workspace, channel, block, text)
        SELECT old.platform, old.workspace, old.channel,
            messages.id >> {BLOCK_BITS}, {_TEXT}
        FROM messages LEFT JOIN turns ON turns.id = turn_id
        WHERE messages.thread_id = old.id AND {_TEXT} <> '';
        INSERT OR IGNORE INTO search_added
        SELECT id FROM messages WHERE thread_id = old.id AND {_FOUND};
        """,
    ),
}

# The messages that a search may find. `_BLOCK` limits them to a range of ids.
_ROWS = f"""
    SELECT messages.*, platform, workspace, channel, thread, {TEXT} AS said
    FROM messages CROSS JOIN threads ON threads.id = messages.thread_id
      LEFT JOIN turns ON turns.id = turn_id
    WHERE deleted_at IS NULL
      AND substr(coalesce(message, ''), 1, {len(ADDED)}) <> '{ADDED}'
"""
_BLOCK = f"{_ROWS} AND messages.id BETWEEN ? AND ?"


_PLACE = """
    SELECT id FROM search_places WHERE platform = ? AND workspace = ? AND channel = ?
"""


def m019_search(db: Database) -> None:
    """Add the search index. Never edited.

    Messages that are already stored are only recorded here, a million of them in a few
    seconds. `fill` indexes them later.
    """
    place = {"platform": str, "workspace": str, "channel": str}
    db.table("search_places").create(
        {"id": int, **place}, pk="id", not_null=set(place), strict=True
    )
    db.table("search_places").create_index(list(place), unique=True)
    # The words of a channel are adjacent, so that a search reads nothing of other
    # channels.
    db.execute(
        """
        CREATE TABLE search_words (
            place INTEGER NOT NULL, word TEXT NOT NULL, block INTEGER NOT NULL,
            PRIMARY KEY (place, word, block)
        ) STRICT, WITHOUT ROWID
        """
    )
    # Changes that are not in the index yet. Removals exist only within a transaction.
    db.table("search_added").create({"message_id": int}, pk="message_id", strict=True)
    db.table("search_removed").create(
        {"id": int, **place, "block": int, "text": str},
        pk="id",
        not_null={*place, "block", "text"},
        strict=True,
    )
    for name, (event, body) in _TRIGGERS.items():
        db.execute(f"CREATE TRIGGER {name} {event} BEGIN {body} END")
    db.execute("INSERT INTO search_added SELECT id FROM messages")


def settle(db: Connection) -> None:
    """Update the index with the transaction's changes.

    Of the added messages, at most AT_ONCE are indexed, newest first.
    """
    settle_removed(db)
    fill(db, AT_ONCE)


def settle_removed(db: Connection) -> None:
    """Update the index with the texts that the transaction removed."""
    if db.execute("SELECT 1 FROM search_removed LIMIT 1").fetchone():
        # Without the lock, a word could be removed while another transaction adds a
        # message with it.
        index_alone(db)
        _remove(db)


def fill(db: Connection, most: int = FILLED_AT_ONCE) -> int:
    """Index at most `most` added messages, newest first.

    Returns their number, or 0 if another process is filling the index.
    """
    if not may_index_alone(db):
        return 0
    waiting = [
        number
        for (number,) in db.execute(
            # A text that is being edited is indexed once the edit is visible.
            "SELECT message_id FROM search_added ORDER BY message_id DESC LIMIT ?"
            f" {FREE_ROWS}",
            [most],
        )
    ]
    for number in waiting:
        for row in db.execute(_BLOCK, [number, number]).fetchall():
            _add(db, row)
        db.execute("DELETE FROM search_added WHERE message_id = ?", [number])
    return len(waiting)


def waiting_blocks(db: Connection, most: int) -> list[int]:
    """Return the newest blocks with messages that are not indexed yet, newest first.

    Considers at most `most` messages.
    """
    rows = db.execute(
        "SELECT message_id FROM search_added ORDER BY message_id DESC LIMIT ?", [most]
    )
    return list(dict.fromkeys(number >> BLOCK_BITS for (number,) in rows))


def waiting_rows(db: Connection, place: Scope, most: int) -> list[Row]:
    """Return the newest messages in the workspace of `place` that are not indexed yet.

    Considers at most `most` messages of all workspaces.
    """
    waiting = "SELECT message_id FROM search_added ORDER BY message_id DESC LIMIT ?"
    return db.execute(
        f"{_ROWS} AND messages.id IN ({waiting}) AND platform = ? AND workspace = ?",
        [most, place.platform, place.workspace],
    ).fetchall()


def block_rows(
    db: Connection, block: int, place: Scope, channels: Collection[str]
) -> list[Row]:
    """Return the searchable messages of `block` in `channels` of the workspace of
    `place`, newest first."""
    first = block << BLOCK_BITS
    last = first + (1 << BLOCK_BITS) - 1
    wanted = ", ".join("?" * len(channels))
    return db.execute(
        f"""
        {_BLOCK} AND platform = ? AND workspace = ?
          AND channel IN ({wanted})
        ORDER BY messages.id DESC
        """,
        [first, last, place.platform, place.workspace, *channels],
    ).fetchall()


def _add(db: Connection, row: Row) -> None:
    channel = (row["platform"], row["workspace"], row["channel"])
    db.execute(
        "INSERT INTO search_places (platform, workspace, channel) VALUES (?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        channel,
    )
    (place,) = db.execute(_PLACE, channel).fetchone()
    block = row["id"] >> BLOCK_BITS
    execute_many(
        db,
        "INSERT INTO search_words (place, word, block) VALUES (?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [(place, word, block) for word in sorted(index_words(row["said"] or ""))],
    )


def _remove(db: Connection) -> None:
    """Delete the words of removed texts that no other text in the block contains."""
    gone: dict[tuple[str, str, str, int], set[str]] = defaultdict(set)
    for row in db.execute("SELECT * FROM search_removed").fetchall():
        key = (row["platform"], row["workspace"], row["channel"], row["block"])
        gone[key] |= index_words(row["text"])
    for (*channel, block), words in gone.items():
        found = db.execute(_PLACE, channel).fetchone()
        if found is None:
            continue
        for row in block_rows(db, block, Scope(*channel), channel[2:]):
            words -= index_words(row["said"] or "")
        execute_many(
            db,
            "DELETE FROM search_words WHERE place = ? AND word = ? AND block = ?",
            [(found["id"], word, block) for word in sorted(words)],
        )
    db.execute("DELETE FROM search_removed")
