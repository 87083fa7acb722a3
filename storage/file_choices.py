"""Decisions about expensive files, inside a transaction, and their migration.

Rule: a decision applies to all files of a thread with the same posted bytes. The full
posted content stays stored while a message has it, so that a later decision needs
nothing from the platform.
"""

from sqlite_utils import Database

from bot.domain.attachment import FileContent, FileKind, ThreadFile
from bot.domain.scope import ThreadKey
from bot.errors import Unread
from storage import locks
from storage.broken import log_broken
from storage.connection import Connection
from storage.dialect import ROOM, ROW, write_content
from storage.thread_queries import THREAD_ID, named

#: The kinds that a row can contain, unless a later version or a manual edit wrote it.
KINDS = {each.value for each in FileKind}

# Without the bytes. The + makes SQLite use the index by thread, not the index by turn.
THREAD_FILES = f"""
    SELECT message, message_files.name, posted, reason,
        message_files.digest <> posted AS is_cut,
        kind, media_type, tokens, pages, all_pages
    FROM messages CROSS JOIN message_files ON message_id = messages.id
      CROSS JOIN file_contents ON file_contents.digest = posted
    WHERE thread_id = ({THREAD_ID}) AND files <> '[]' AND refused = 0
      AND messages.id > (SELECT reads_after FROM threads WHERE id = ({THREAD_ID}))
      AND (
        :turn = '' OR +turn_id = (
            SELECT id FROM turns WHERE key = :turn AND thread_id = ({THREAD_ID})
        )
      )
    ORDER BY at, messages.id, position
"""

# The decision about the same bytes in this thread.
CHOSEN = f"""
    SELECT digest, reason
    FROM message_files CROSS JOIN messages ON messages.id = message_id
    WHERE posted = :posted AND thread_id = ({THREAD_ID}) AND digest IS NOT NULL
    ORDER BY messages.id DESC LIMIT 1
"""

POSTED_SIZE = "SELECT posted_size FROM file_contents WHERE digest = ?"

INSERT_CONTENT = f"""
    INSERT INTO file_contents
        (digest, kind, media_type, tokens, pages, all_pages, cut, posted_size, size,
         data)
    VALUES (:digest, :kind, :media_type, :tokens, :pages, :all_pages, :cut,
        :posted_size, :size, {ROOM})
    ON CONFLICT DO NOTHING
    RETURNING {ROW} AS row
"""

# A content that no row references.
_UNLINKED = """
    DELETE FROM file_contents WHERE digest = :digest AND NOT EXISTS (
        SELECT 1 FROM message_files
        WHERE message_files.digest = file_contents.digest
    ) AND NOT EXISTS (
        SELECT 1 FROM message_files WHERE posted = file_contents.digest
    )
"""


def m020_file_choices(db: Database) -> None:
    """Add the posted content of files of which people chose a part. Never edited."""
    # The digest of the posted bytes; NULL where `digest` is NULL.
    db.table("message_files").add_column("posted", str)
    db.execute("UPDATE message_files SET posted = digest")
    db.execute(
        "CREATE INDEX idx_message_files_posted ON message_files (posted) "
        "WHERE posted IS NOT NULL"
    )
    db.execute("DROP TRIGGER delete_unlinked_content")
    db.execute(
        """
        CREATE TRIGGER delete_unlinked_content AFTER DELETE ON message_files
        WHEN OLD.digest IS NOT NULL BEGIN
            DELETE FROM file_contents WHERE digest IN (OLD.digest, OLD.posted)
              AND NOT EXISTS (
                SELECT 1 FROM message_files
                WHERE message_files.digest = file_contents.digest
              ) AND NOT EXISTS (
                SELECT 1 FROM message_files WHERE posted = file_contents.digest
              );
        END
        """
    )


def thread_files(db: Connection, thread: ThreadKey, turn: str = "") -> list[ThreadFile]:
    found = []
    for row in db.execute(THREAD_FILES, {**named(thread), "turn": turn}):
        if row["kind"] not in KINDS:
            log_broken("file_contents", row["posted"])
            continue
        found.append(
            ThreadFile(
                message=row["message"],
                name=row["name"],
                digest=row["posted"],
                kind=FileKind(row["kind"]),
                media_type=row["media_type"],
                tokens=row["tokens"],
                pages=row["pages"],
                all_pages=row["all_pages"],
                unread=Unread(row["reason"]) if row["reason"] else None,
                is_cut=bool(row["is_cut"]),
            )
        )
    return found


def insert_content(
    db: Connection, digest: str, posted_size: int, content: FileContent
) -> None:
    """Store `content`, of a file of `posted_size` bytes, unless it is already
    stored."""
    row = {
        "digest": digest,
        "kind": content.kind.value,
        "media_type": content.media_type,
        "tokens": content.tokens,
        "pages": content.pages,
        "all_pages": content.all_pages,
        "cut": content.cut,
        "posted_size": posted_size,
        "size": len(content.data),
    }
    if stored := db.execute(INSERT_CONTENT, row).fetchone():
        write_content(db, stored["row"], content.data)
    elif not locks.content(db, digest):
        # The content was deleted in the meantime, with the last message that had it.
        insert_content(db, digest, posted_size, content)


def delete_unlinked(db: Connection, *digests: str) -> None:
    """Delete those of the contents that no row references."""
    for digest in sorted(digests):
        # Another transaction that links the content becomes visible only after this
        # lock.
        locks.content(db, digest)
        db.execute(_UNLINKED, {"digest": digest})


def decide_file(
    db: Connection,
    thread: ThreadKey,
    digest: str,
    unread: Unread | None,
    cut: FileContent | None = None,
) -> bool:
    locks.thread(db, thread)
    shown = digest
    if cut is not None:
        shown = f"{digest}/{cut.pages}"
        row = db.execute(POSTED_SIZE, [digest]).fetchone()
        # If the posted content is missing, nothing changes.
        if row is not None:
            insert_content(db, shown, row["posted_size"], cut)
    where = {**named(thread), "posted": digest, "digest": shown}
    before = db.execute(CHOSEN, where).fetchone()
    changed = db.execute(
        f"""
        UPDATE message_files SET digest = :digest, reason = :reason
        WHERE posted = :posted AND (digest <> :digest OR reason <> :reason)
          AND EXISTS (SELECT 1 FROM file_contents WHERE digest = :digest)
          AND message_id IN (
            SELECT id FROM messages WHERE thread_id = ({THREAD_ID})
          )
        """,
        {**where, "reason": unread.value if unread else ""},
    )
    delete_unlinked(db, *{digest, shown, before["digest"] if before else digest})
    return changed.rowcount > 0


def choice(db: Connection, thread: ThreadKey, digest: str) -> tuple[str, str] | None:
    """Return the decision about the posted bytes with this `digest` in `thread`.

    It consists of the digest of the shown content, and the reason why it is not shown,
    if any. None for bytes that are new in the thread.
    """
    row = db.execute(CHOSEN, {**named(thread), "posted": digest}).fetchone()
    return (row["digest"], row["reason"]) if row else None
