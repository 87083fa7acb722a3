"""Migration: tables for the contents of files. Like all migrations, never edited.

Rule: no content outlives the last message that has it, however the message is deleted.
Triggers delete the content, because they apply to every statement on `messages`. A
migration that rebuilds `messages` must create the triggers again.
"""

from sqlite_utils import Database


def m016_files(db: Database) -> None:
    """Add the contents of files that Claude reads, apart from the messages with the
    files."""
    # One row for all messages with the same bytes, keyed by the SHA-256 of the posted
    # bytes. The bytes are the last column, so that reading the other columns touches
    # none of their pages.
    db.table("file_contents").create(
        {
            "digest": str,
            "kind": str,
            "media_type": str,
            "tokens": int,
            "pages": int,
            "all_pages": int,
            "cut": bool,
            # True if Claude once refused the content.
            "refused": bool,
            # Size of the posted file and of `data`, in bytes.
            "posted_size": int,
            "size": int,
            "data": bytes,
        },
        pk="digest",
        not_null={
            *("digest", "kind", "media_type", "tokens", "pages", "all_pages"),
            *("cut", "refused", "posted_size", "size", "data"),
        },
        defaults={"refused": 0},
        strict=True,
    )
    # The outcome for each file of a message. `file` is `Attachment.key`. `digest` is
    # NULL for a file that was not read, for the reason `reason`.
    db.table("message_files").create(
        {
            "message_id": int,
            "file": str,
            "position": int,
            "name": str,
            "digest": str,
            "reason": str,
        },
        pk=("message_id", "file"),
        not_null={"message_id", "file", "position", "name", "reason"},
        foreign_keys=[
            ("message_id", "messages", "id"),
            ("digest", "file_contents", "digest"),
        ],
        strict=True,
    )
    db.execute(
        "CREATE INDEX idx_message_files_digest ON message_files (digest) "
        "WHERE digest IS NOT NULL"
    )
    # Finds the content of a file that is posted again.
    db.table("message_files").create_index(["file"])
    for name, when, rows in (
        ("deleted_row", "AFTER DELETE ON messages", "message_id = OLD.id"),
        (
            "deleted_message",
            "AFTER UPDATE OF deleted_at ON messages WHEN NEW.deleted_at IS NOT NULL",
            "message_id = OLD.id",
        ),
        (
            # An edit that removes a file.
            "edited_message",
            "AFTER UPDATE OF files ON messages WHEN NEW.files <> OLD.files",
            """message_id = OLD.id AND file NOT IN (
                SELECT coalesce(
                    nullif(json_extract(value, '$.id'), ''),
                    json_extract(value, '$.name')
                )
                FROM json_each(NEW.files) WHERE type = 'object'
            )""",
        ),
    ):
        db.execute(
            f"CREATE TRIGGER files_of_{name} {when} BEGIN "
            f"DELETE FROM message_files WHERE {rows}; END"
        )
    db.execute(
        """
        CREATE TRIGGER delete_unlinked_content AFTER DELETE ON message_files
        WHEN OLD.digest IS NOT NULL BEGIN
            DELETE FROM file_contents WHERE digest = OLD.digest AND NOT EXISTS (
                SELECT 1 FROM message_files WHERE message_files.digest = OLD.digest
            );
        END
        """
    )
