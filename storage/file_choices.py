"""Decisions about expensive files, inside a transaction, and their migration.

Rule: a decision holds for all files of a thread with the same posted bytes. All of
what was posted stays stored while a message has it, so another decision needs nothing
of the platform.
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

#: The kinds that a row can have, unless a later version or a hand wrote it.
KINDS = {each.value for each in FileKind}

# Without the bytes. The + makes SQLite use the index by thread, not that by turn.
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

# A content that nothing refers to.
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
    # The digest of what was posted; NULL where `digest` is.
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
    """Store `content`, of a file of `posted_size` bytes, unless that was done."""
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
        # It was deleted meanwhile, with the last message that had it.
        insert_content(db, digest, posted_size, content)


def delete_unlinked(db: Connection, *digests: str) -> None:
    """Delete those contents that nothing refers to."""
    for digest in sorted(digests):
        # Whoever links it meanwhile is seen only after this.
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
        # Without what was posted, nothing changes.
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
    """Return what became of the posted bytes with this `digest` in `thread`: the digest
    of what is shown, and why it is not; None for bytes that are new there."""
    row = db.execute(CHOSEN, {**named(thread), "posted": digest}).fetchone()
    return (row["digest"], row["reason"]) if row else None
