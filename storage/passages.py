"""A cache of the model's content for the ended turns of recently used threads.

Rule 1: a cached passage is used only while its source rows are unchanged. Triggers
report changes by the writer's connection. All passages are dropped when another
connection has committed something or a transaction was rolled back.
Rule 2: the total size of the passages is bounded.

Only a process that has a file to itself uses this cache. On a server, other processes
write too.
"""

import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from sqlite_utils import Database

from bot.domain.completion import ChatMessage
from storage.connection import Connection

#: The most bytes of all passages: about seven threads of a thousand turns.
MOST_BYTES = 16 * 1024 * 1024

# Overhead of a message in bytes, besides its text and the JSON of the text.
_FRAME = 200

# SQLite calls the function for each row, which returns quickly for turns that are not
# cached. These triggers exist on one connection only.
_TRIGGERS = """
    CREATE TEMP TRIGGER passage_of_changed_message
    AFTER UPDATE OF role, content, place, turn_id, thread_id, files ON main.messages
    BEGIN
        SELECT passage_changed(OLD.thread_id, coalesce(OLD.turn_id, NEW.turn_id)),
            passage_changed(NEW.thread_id, coalesce(NEW.turn_id, OLD.turn_id));
    END;
    CREATE TEMP TRIGGER passage_of_new_message AFTER INSERT ON main.messages
    WHEN NEW.place IS NOT NULL
    BEGIN
        SELECT passage_changed(NEW.thread_id, NEW.turn_id);
    END;
    CREATE TEMP TRIGGER passage_of_deleted_message AFTER DELETE ON main.messages
    BEGIN
        SELECT passage_changed(OLD.thread_id, OLD.turn_id);
    END;
    CREATE TEMP TRIGGER passage_of_changed_turn
    AFTER UPDATE OF preface, ended, thread_id ON main.turns
    BEGIN
        SELECT passage_changed(OLD.thread_id, OLD.id),
            passage_changed(NEW.thread_id, NEW.id);
    END;
    CREATE TEMP TRIGGER passage_of_deleted_turn AFTER DELETE ON main.turns
    BEGIN
        SELECT passage_changed(OLD.thread_id, OLD.id);
    END;
"""


class Basis(NamedTuple):
    """The state of a thread on which a passage depends, besides its rows."""

    #: The last message before the last reset, and the last turn covered by the summary
    #: in use.
    reads_after: int
    until: int


@dataclass(slots=True)
class Passage:
    """The messages of a thread up to one of its turns."""

    basis: Basis
    #: The id of the last of its turns.
    turn: int = 0
    #: Without their files.
    entries: list[ChatMessage] = field(default_factory=list)
    #: Message ids whose files belong to an entry, with the position of the entry.
    files: list[tuple[int, Sequence[int]]] = field(default_factory=list)
    size: int = _FRAME

    def add(
        self, turn: int, entries: Sequence[ChatMessage], files: Sequence[int]
    ) -> None:
        """Add the turn with the id `turn`, whose messages `files` have files."""
        self.turn = turn
        if files:
            self.files.append((len(self.entries), files))
        for each in entries:
            self.entries.append(replace(each, files=()) if each.files else each)
            self.size += 2 * sys.getsizeof(each.content) + _FRAME


class Passages:
    """The passages of recently used threads. Used only by the writer thread."""

    def __init__(self, db: Database, most: int = MOST_BYTES) -> None:
        self._db = db
        self._most = most
        self._size = 0
        #: SQLite's counter of commits by other connections.
        self._version = 0
        self._kept: OrderedDict[int, Passage] = OrderedDict()

    def begin(self) -> None:
        """Register the triggers for changes by this connection."""
        self._db.conn.create_function("passage_changed", 2, self._on_change)
        self._db.conn.executescript(_TRIGGERS)

    def take(self, thread: int, reads_after: int, until: int) -> Passage:
        """Remove and return the passage of the thread with the id `thread`, or an empty
        one.

        Call `put` with the passage in the same transaction to cache it again.
        """
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.clear()
            self._version = version
        basis = Basis(reads_after, until)
        found = self._drop(thread)
        return found if found and found.basis == basis else Passage(basis)

    def put(self, thread: int, passage: Passage) -> None:
        """Cache `passage`, and drop the oldest others that exceed the size limit."""
        self._drop(thread)
        self._kept[thread] = passage
        self._size += passage.size
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Drop all passages."""
        self._kept.clear()
        self._size = 0

    def _on_change(self, thread: int, turn: int | None) -> None:
        passage = self._kept.get(thread)
        if passage and turn is not None and turn <= passage.turn:
            self._drop(thread)

    def _drop(self, thread: int) -> Passage | None:
        passage = self._kept.pop(thread, None)
        if passage is not None:
            self._size -= passage.size
        return passage


class KeepingDatabase(Database):
    """The connection of a process that has a file to itself."""

    def __init__(self, db: Database) -> None:
        super().__init__(db.conn, recursive_triggers=False, execute_plugins=False)
        self.passages = Passages(self)
        self.passages.begin()

    @contextmanager
    def atomic(self) -> Iterator[Self]:
        """Run the block in a transaction, or in a savepoint inside one. Rolls back if
        the block raises."""
        try:
            with super().atomic():
                yield self
        except BaseException:
            self.passages.clear()
            raise


@contextmanager
def savepoint(db: Database) -> Iterator[None]:
    """Run the block in a savepoint of the open transaction. Rolls back if the block
    raises.

    Not `Database.atomic`: its savepoints have unique names, so that SQLite compiles two
    statements for each and drops other statements from its cache.
    """
    db.execute("SAVEPOINT change")
    try:
        yield
    except BaseException:
        # The error may have ended the whole transaction.
        if db.conn.in_transaction:
            db.execute("ROLLBACK TO change")
            db.execute("RELEASE change")
        rolled_back(db)
        raise
    db.execute("RELEASE change")


def of(db: Connection) -> Passages | None:
    """Return the cache of the connection `db`, or None if it has none."""
    return db.passages if isinstance(db, KeepingDatabase) else None


def rolled_back(db: Connection) -> None:
    """Drop passages that may contain changes which were rolled back."""
    if passages := of(db):
        passages.clear()
