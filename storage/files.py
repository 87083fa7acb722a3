"""Contents of files that Claude reads, inside a transaction.

Rule 1: a content is stored once for all messages with the same bytes. The triggers of
`file_tables` delete it with the last of these messages.
Rule 2: nothing is stored for a message that was deleted, or a file that an edit
removed, while the file was being fetched.
"""

from collections.abc import Collection, Mapping

from bot.domain.attachment import Attachment, FileContent, FileKind, StoredFile
from bot.domain.completion import RequestFile
from bot.domain.scope import ThreadKey
from bot.errors import Unread
from bot.ports.files import IsDear, never_dear
from storage import file_choices, locks, thread_queries
from storage.broken import log_broken
from storage.connection import Connection, Cursor
from storage.dialect import ROW_LOCK, read_content

_MESSAGE = f"""
    SELECT id, files FROM messages
    WHERE thread_id = ({thread_queries.THREAD_ID}) AND message = :message
      AND deleted_at IS NULL
"""

# The outcomes for the files of a message.
STORED = """
    SELECT file, name, reason, refused, pages, all_pages, cut
    FROM message_files LEFT JOIN file_contents USING (digest)
    WHERE message_id = ? ORDER BY position
"""


# A platform's file id is unique in its workspace. The file's content may have changed
# since; its size reveals that nearly always.
SAME_FILE = """
    SELECT posted FROM message_files
      CROSS JOIN messages ON messages.id = message_id
      CROSS JOIN threads ON threads.id = thread_id
      CROSS JOIN file_contents ON file_contents.digest = posted
    WHERE file = :file AND platform = :platform AND workspace = :workspace
      AND posted_size = :size
    LIMIT 1
"""

# Without the bytes.
READ = """
    SELECT name, digest, kind, media_type, tokens, pages, all_pages, size, reason,
        refused
    FROM message_files CROSS JOIN file_contents USING (digest)
    WHERE message_id = ? ORDER BY position
"""


def stored_files(
    db: Connection, thread: ThreadKey, messages: Collection[str]
) -> Mapping[str, list[StoredFile]]:
    found = {}
    for message in messages:
        where = {**thread_queries.named(thread), "message": message}
        row = db.execute(_MESSAGE, where).fetchone()
        found[message] = files_of_message(db, row["id"]) if row else []
    return found


def files_of_message(db: Connection, message_id: int) -> list[StoredFile]:
    """Return the outcomes for the files of a message, in posting order."""
    return [
        StoredFile(
            row["file"],
            row["name"],
            _unread(row["reason"], bool(row["refused"])),
            row["pages"] or 0,
            row["all_pages"] or 0,
            bool(row["cut"]),
        )
        for row in db.execute(STORED, [message_id])
    ]


def link_file(
    db: Connection,
    thread: ThreadKey,
    message: str,
    file: Attachment,
    digest: str = "",
    is_dear: IsDear = never_dear,
) -> bool:
    """Link `file` of `message` to the stored content. Returns False if there is
    none."""
    locks.thread(db, thread)
    if not digest and file.id and file.size is not None:
        where = {
            **thread_queries.named(thread),
            **{"file": file.key, "size": file.size},
        }
        row = db.execute(SAME_FILE, where).fetchone()
        digest = row["posted"] if row else ""
    known = db.execute(
        f"SELECT tokens FROM file_contents WHERE digest = ? {ROW_LOCK}", [digest]
    )
    if (row := known.fetchone()) is None:
        return False
    _link_content(db, thread, message, file, digest, is_dear=is_dear(row["tokens"]))
    return True


def store_file(
    db: Connection,
    thread: ThreadKey,
    message: str,
    file: Attachment,
    digest: str,
    posted_size: int,
    content: FileContent,
    is_dear: IsDear = never_dear,
) -> None:
    locks.thread(db, thread)
    file_choices.insert_content(db, digest, posted_size, content)
    dear = is_dear(content.tokens)
    if not _link_content(db, thread, message, file, digest, is_dear=dear):
        file_choices.delete_unlinked(db, digest)


def store_unread(
    db: Connection, thread: ThreadKey, message: str, file: Attachment, reason: Unread
) -> None:
    locks.thread(db, thread)
    _link(db, thread, message, file, reason=reason.value)


def refuse_files(db: Connection, digests: Collection[str]) -> None:
    for digest in sorted(digests):
        db.execute("UPDATE file_contents SET refused = 1 WHERE digest = ?", [digest])


def file_data(db: Connection, digests: Collection[str]) -> Mapping[str, bytes]:
    found = {}
    for digest in digests:
        if (data := read_content(db, digest)) is not None:
            found[digest] = data
    return found


def ask_files(db: Connection, message_id: int) -> Cursor:
    """Send the query whose result `read_files` reads."""
    return db.execute(READ, [message_id])


def read_files(asked: Cursor, message_id: int) -> list[RequestFile]:
    """Return the files of a message that Claude reads, without their bytes.

    `asked` is the result of `ask_files`.
    """
    found = []
    for row in asked:
        if row["kind"] not in file_choices.KINDS:
            log_broken("message_files", message_id)
            continue
        found.append(
            RequestFile(
                name=row["name"],
                digest=row["digest"],
                kind=FileKind(row["kind"]),
                media_type=row["media_type"],
                tokens=row["tokens"],
                pages=row["pages"],
                all_pages=row["all_pages"],
                size=row["size"],
                unread=_unread(row["reason"], bool(row["refused"])),
            )
        )
    return found


def _link_content(
    db: Connection,
    thread: ThreadKey,
    message: str,
    file: Attachment,
    posted: str,
    *,
    is_dear: bool,
) -> bool:
    """Link `file` to the content `posted`, according to the decision in the thread.

    Returns False if `message` does not have the file.
    """
    new = (posted, Unread.WAITING.value if is_dear else "")
    digest, reason = file_choices.choice(db, thread, posted) or new
    return _link(db, thread, message, file, digest=digest, posted=posted, reason=reason)


def _link(
    db: Connection,
    thread: ThreadKey,
    message: str,
    file: Attachment,
    *,
    digest: str | None = None,
    posted: str | None = None,
    reason: str = "",
) -> bool:
    """Store the outcome for `file`. Returns False if `message` does not have the
    file."""
    where = {**thread_queries.named(thread), "message": message}
    row = db.execute(_MESSAGE, where).fetchone()
    keys = [each.key for each in thread_queries.files_of(row)] if row else []
    if row is None or file.key not in keys:
        return False
    db.execute(
        """
        INSERT INTO message_files
            (message_id, file, position, name, digest, posted, reason)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """,
        [
            *(row["id"], file.key, keys.index(file.key), file.name),
            *(digest, posted, reason),
        ],
    )
    return True


def _unread(reason: str, refused: bool) -> Unread | None:
    if refused:
        return Unread.REFUSED
    return Unread(reason) if reason else None
