"""Notices that are shown once, inside a transaction; and their migration."""

from sqlite_utils import Database

from bot.domain.scope import Scope
from storage.connection import Connection
from storage.dialect import ROW
from storage.scope_columns import parts


def m012_origins_and_notices(db: Database) -> None:
    """Add the origin of a message, and notices that are not repeated. Never edited."""
    db.table("messages").add_column("origin", str, not_null_default="")
    place = {"platform": str, "workspace": str, "channel": str, "thread": str}
    db.table("notices").create(
        {
            **place,
            "name": str,
            # The key of the turn that shows the notice.
            "turn": str,
            # The time from which the notice may be shown again, in seconds since 1970;
            # NULL for never.
            "until": float,
        },
        pk=(*place, "name"),
        not_null={*place, "name", "turn"},
        strict=True,
    )
    db.table("notices").create_index(["until"])


def claim_notice(
    db: Connection,
    place: Scope,
    name: str,
    turn: str,
    now: float,
    until: float | None = None,
) -> bool:
    given = {**parts(place), "name": name, "turn": turn, "now": now, "until": until}
    (holder,) = db.execute(
        """
        INSERT INTO notices (platform, workspace, channel, thread, name, turn, until)
        VALUES (:platform, :workspace, :channel, :thread, :name, :turn, :until)
        ON CONFLICT (platform, workspace, channel, thread, name) DO UPDATE
        SET turn = CASE
                WHEN notices.until <= :now THEN excluded.turn ELSE notices.turn
            END,
            until = CASE
                WHEN notices.until <= :now THEN excluded.until ELSE notices.until
            END
        RETURNING turn
        """,
        given,
    ).fetchall()[0]
    return bool(holder == turn)


def expire(db: Connection, *, now: float, most: int) -> int:
    """Delete at most `most` notices that may be shown again; return their number."""
    return db.execute(
        f"DELETE FROM notices WHERE {ROW} IN "
        f"(SELECT {ROW} FROM notices WHERE until <= ? LIMIT ?)",
        [now, most],
    ).rowcount
