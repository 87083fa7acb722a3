"""Posts of a platform without a server of its own, and their files, inside a
transaction; and their migration."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlite_utils import Database

from bot.domain.attachment import Attachment
from bot.domain.post import Post, Topic
from bot.domain.scope import Scope, ThreadKey
from storage.connection import Connection, Row
from storage.scope_columns import inside, parts, scope_of

#: The most posts of a thread that one query reads.
MOST_POSTS = 2_000

# The values stored as JSON. Queries use only the other columns.
_DETAILS = ("turn", "index", "final", "controls", "body", "signs", "files", "edited")


def m023_posts(db: Database) -> None:
    """Add the messages of the local workspace, which no platform stores. Never
    edited."""
    place = {"platform": str, "workspace": str, "channel": str, "thread": str}
    db.table("posts").create(
        {
            "id": int,
            **place,
            "message": str,
            # In seconds since 1970.
            "at": float,
            # "" for the bot.
            "author": str,
            # The only person who sees the post, or "" for everybody.
            "reader": str,
            "text": str,
            # A JSON object.
            "details": str,
        },
        pk="id",
        not_null={*place, "message", "at", "author", "reader", "text", "details"},
        strict=True,
    )
    db.table("posts").create_index(["platform", "workspace", "message"], unique=True)
    db.table("posts").create_index([*place, "at"])
    db.table("posts").create_index(["at"])
    db.table("posted_files").create(
        {"post_id": int, "file": str, "data": bytes},
        pk=("file", "post_id"),
        not_null={"post_id", "file", "data"},
        foreign_keys=[("post_id", "posts", "id")],
        strict=True,
    )
    db.table("posted_files").create_index(["post_id"])
    # However a post is deleted, its files are deleted too.
    db.execute(
        """
        CREATE TRIGGER posts_deleted BEFORE DELETE ON posts BEGIN
            DELETE FROM posted_files WHERE post_id = OLD.id;
        END
        """
    )


def put_post(db: Connection, post: Post, files: Mapping[str, bytes]) -> None:
    whole = asdict(post)
    row = {
        **parts(Scope.of(post.thread)),
        **{name: whole[name] for name in ("message", "at", "author", "reader", "text")},
        "details": json.dumps({name: whole[name] for name in _DETAILS}),
    }
    [(number,)] = db.execute(
        """
        INSERT INTO posts (platform, workspace, channel, thread, message, at, author,
            reader, text, details)
        VALUES (:platform, :workspace, :channel, :thread, :message, :at, :author,
            :reader, :text, :details)
        ON CONFLICT (platform, workspace, message)
        DO UPDATE SET text = excluded.text, details = excluded.details
        RETURNING id
        """,
        row,
    ).fetchall()
    for file, data in files.items():
        db.execute(
            "INSERT INTO posted_files (post_id, file, data) VALUES (?, ?, ?) "
            "ON CONFLICT (file, post_id) DO UPDATE SET data = excluded.data",
            [number, file, data],
        )


def post(db: Connection, place: Scope, message: str) -> Post | None:
    row = db.execute(
        "SELECT * FROM posts WHERE platform = :platform AND workspace = :workspace "
        "AND message = :message",
        {**parts(place), "message": message},
    ).fetchone()
    return _post(row) if row else None


def posts(db: Connection, thread: ThreadKey) -> list[Post]:
    scope = Scope.of(thread)
    rows = db.execute(
        f"SELECT * FROM posts WHERE {inside(scope)} "
        "ORDER BY at DESC, id DESC LIMIT :most",
        {**parts(scope), "most": MOST_POSTS},
    )
    return [_post(row) for row in rows.fetchall()[::-1]]


def posts_since(db: Connection, place: Scope, since: float) -> list[Post]:
    rows = db.execute(
        "SELECT * FROM posts WHERE platform = :platform AND workspace = :workspace "
        "AND at >= :since AND author <> '' ORDER BY at DESC, id DESC LIMIT :most",
        {**parts(place), "since": since, "most": MOST_POSTS},
    )
    return [_post(row) for row in rows.fetchall()[::-1]]


def topics(db: Connection, place: Scope, most: int) -> list[Topic]:
    rows = db.execute(
        f"""
        SELECT posts.*, (
            SELECT count(*) - 1 FROM posts AS others
            WHERE others.platform = posts.platform
              AND others.workspace = posts.workspace
              AND others.channel = posts.channel AND others.thread = posts.thread
              AND others.reader = ''
        ) AS replies, (
            SELECT max(at) FROM posts AS others
            WHERE others.platform = posts.platform
              AND others.workspace = posts.workspace
              AND others.channel = posts.channel AND others.thread = posts.thread
              AND others.reader = ''
        ) AS last
        FROM posts WHERE {inside(place)} AND message = thread
        ORDER BY at DESC, id DESC LIMIT :most
        """,
        {**parts(place), "most": most},
    )
    return [
        Topic(_post(row), max(0, row["replies"]), row["last"] or row["at"])
        for row in rows.fetchall()[::-1]
    ]


def delete_posts(db: Connection, place: Scope, messages: Sequence[str]) -> None:
    for message in messages:
        db.execute(
            "DELETE FROM posts WHERE platform = :platform AND workspace = :workspace "
            "AND message = :message",
            {**parts(place), "message": message},
        )


def delete_person(db: Connection, place: Scope, person: str) -> None:
    """Delete everything that `person` wrote, or that only they see, in the workspace of
    `place`."""
    db.execute(
        f"DELETE FROM posts WHERE {inside(place)} "
        "AND (author = :person OR reader = :person)",
        {**parts(place), "person": person},
    )


def delete_in(db: Connection, scope: Scope) -> None:
    """Delete all posts in `scope`."""
    db.execute(f"DELETE FROM posts WHERE {inside(scope)}", parts(scope))


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` old posts of threads in which the bot never took part.

    A post is old if the last post of its thread is older than `before`. Returns the
    number of deleted posts.
    """
    return db.execute(
        """
        DELETE FROM posts WHERE id IN (
            SELECT id FROM posts AS old WHERE at < :before
              AND NOT EXISTS (
                SELECT 1 FROM threads
                WHERE threads.platform = old.platform
                  AND threads.workspace = old.workspace
                  AND threads.channel = old.channel AND threads.thread = old.thread)
              AND NOT EXISTS (
                SELECT 1 FROM posts AS newer
                WHERE newer.platform = old.platform
                  AND newer.workspace = old.workspace
                  AND newer.channel = old.channel AND newer.thread = old.thread
                  AND newer.at >= :before)
            LIMIT :most)
        """,
        {"before": before, "most": most},
    ).rowcount


def posted_file(db: Connection, place: Scope, file: str) -> tuple[Post, bytes] | None:
    row = db.execute(
        "SELECT posts.*, data FROM posted_files JOIN posts ON posts.id = post_id "
        "WHERE file = :file AND platform = :platform AND workspace = :workspace",
        {**parts(place), "file": file},
    ).fetchone()
    return (_post(row), row["data"]) if row else None


def _post(row: Row) -> Post:
    found = json.loads(row["details"])
    return Post(
        thread=scope_of(row).key,
        message=row["message"],
        at=row["at"],
        author=row["author"],
        text=row["text"],
        reader=row["reader"],
        turn=found["turn"],
        index=found["index"],
        final=found["final"],
        controls=tuple(found["controls"]),
        body=found["body"],
        signs=tuple(found["signs"]),
        files=tuple(Attachment(**each) for each in found["files"]),
        edited=found["edited"],
    )
