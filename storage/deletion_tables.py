"""Migration: tables for deletions and refusals. Like all migrations, never edited."""

from sqlite_utils import Database


def m010_deletions_and_refusals(db: Database) -> None:
    """Add tables for deletions across threads, and for refusals, apart from changes."""
    # Deleted messages, threads and channels, so that a message that arrives late is not
    # stored. `message` is "" for a whole thread or channel, `thread` is "" for a whole
    # channel, and `channel` is "" where ids are unique in the workspace.
    where = {"platform": str, "workspace": str, "message": str, "channel": str}
    db.table("erased").create(
        {**where, "thread": str, "at": float},
        pk=(*where, "thread"),
        not_null={*where, "thread", "at"},
        strict=True,
    )
    db.table("erased").create_index(["at"])
    # The message `holder` shows the text of a stored message too: it is a forward of
    # the message, or the post that shows a question asked by a command.
    db.table("holders").create(
        {"message_id": int, "holder": str},
        pk=("holder", "message_id"),
        not_null={"message_id", "holder"},
        foreign_keys=[("message_id", "messages", "id")],
        strict=True,
    )
    db.table("holders").create_index(["message_id"])
    # Finds the thread whose root is a deleted message.
    db.table("threads").create_index(["thread"])
    # Finds the part of an answer by its message.
    db.execute(
        "CREATE INDEX idx_replies_message ON replies (message) "
        "WHERE message IS NOT NULL"
    )
    # The messages from which a case was made.
    db.table("case_messages").create(
        {"case_id": int, "message": str},
        pk=("message", "case_id"),
        not_null={"case_id", "message"},
        foreign_keys=[("case_id", "cases", "id")],
        strict=True,
    )
    db.table("case_messages").create_index(["case_id"])
    db.table("cases").create_index(["at"])
    # Older cases know only their thread. They count as made from all of its stored
    # messages, including the first.
    db.execute(
        """
        INSERT OR IGNORE INTO case_messages (case_id, message)
        SELECT cases.id, messages.message
        FROM cases
          JOIN threads USING (platform, workspace, channel, thread)
          JOIN messages ON messages.thread_id = threads.id
        WHERE cases.message = 'thread:' || cases.thread
          AND messages.message IS NOT NULL
        UNION SELECT id, thread FROM cases WHERE message = 'thread:' || thread
        """
    )
    # Delete the cases that contain messages deleted before this migration.
    db.execute(
        """
        DELETE FROM cases WHERE id IN (
            SELECT case_id
            FROM case_messages
              JOIN messages USING (message)
              JOIN threads ON threads.id = messages.thread_id
              JOIN cases AS made ON made.id = case_id
                AND made.platform = threads.platform
                AND made.workspace = threads.workspace
                AND made.channel = threads.channel
            WHERE deleted_at IS NOT NULL
        )
        """
    )
    db.execute("DELETE FROM case_messages WHERE case_id NOT IN (SELECT id FROM cases)")
    refused = {
        **{"hour": int, "platform": str, "workspace": str, "channel": str},
        **{"who": str, "name": str},
    }
    db.table("refusals").create(
        {**refused, "count": int, "at": float},
        pk=tuple(refused),
        not_null={*refused, "count", "at"},
        strict=True,
    )
    db.execute(
        """
        INSERT INTO refusals
            (hour, platform, workspace, channel, who, name, count, at)
        SELECT CAST(at / 3600 AS INTEGER), platform, workspace, channel, who, name,
            count(*), max(at)
        FROM audit WHERE action = 'denied' GROUP BY 1, 2, 3, 4, 5, 6
        """
    )
    # The newest entry stays. The id of the next change is then greater than the id from
    # which an open form was built.
    db.execute(
        "DELETE FROM audit WHERE action = 'denied' AND id < (SELECT max(id) FROM audit)"
    )
