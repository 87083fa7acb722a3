"""Last known names by id, inside a transaction; and their migration.

Rule: names are kept only of people and channels in the operator's reports.
"""

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.domain.names import LOOK_BACK, LastName, NameKind, Sighting
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from storage.connection import Connection
from storage.dialect import has_table

# Time in which a name counts as current, and in which a name counts as unknown after a
# failed lookup, in seconds. People rarely rename themselves.
FRESH, UNKNOWN = DAY, 3_600.0

# The most people and channels that one search returns.
MOST = 5_000

_IS_FRESH = """
    EXISTS (
        SELECT 1 FROM names
        WHERE names.platform = seen.platform AND names.workspace = seen.workspace
          AND kind = '{kind}' AND id = seen.{column}
          AND names.at > CASE name WHEN '' THEN :unknown ELSE :fresh END
    )
"""
_UNNAMED = f"""
    SELECT platform, workspace, channel, who FROM (
        SELECT platform, workspace, channel, person AS who FROM charges
        WHERE ended_at >= :since
        UNION
        SELECT platform, workspace, channel, who FROM audit WHERE at >= :since
        UNION
        SELECT platform, workspace, channel, who FROM refusals WHERE at >= :since
    ) AS seen
    WHERE (who NOT IN ('', 'operator')
           AND NOT {_IS_FRESH.format(kind="person", column="who")})
       OR (channel <> ''
           AND NOT {_IS_FRESH.format(kind="channel", column="channel")})
    LIMIT :most
"""


def m015_names(db: Database) -> None:
    """Add the last known names of people, channels and workspaces. Never edited."""
    of = {"platform": str, "workspace": str, "kind": str, "id": str}
    db.table("names").create(
        {
            **of,
            # "" if the platform was asked and knows no name.
            "name": str,
            # Time of the last lookup on the platform, in seconds since 1970.
            "at": float,
        },
        pk=tuple(of),
        not_null={*of, "name", "at"},
        strict=True,
    )
    db.table("names").create_index(["at"])
    # The search for recently active people runs every minute.
    db.table("audit").create_index(["at"])
    db.table("refusals").create_index(["at"])


def unnamed(db: Connection, since: float, now: float) -> list[Sighting]:
    values = {
        "since": since,
        "fresh": now - FRESH,
        "unknown": now - UNKNOWN,
        "most": MOST,
    }
    return [
        Sighting(
            Scope(row["platform"], row["workspace"], row["channel"]),
            "" if row["who"] == "operator" else row["who"],
        )
        for row in db.execute(_UNNAMED, values).fetchall()
    ]


def store_names(db: Connection, names: Sequence[LastName], now: float) -> None:
    for each in sorted(names, key=_order):
        db.execute(
            """
            INSERT INTO names (platform, workspace, kind, id, name, at)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (platform, workspace, kind, id) DO UPDATE
            SET name = coalesce(nullif(excluded.name, ''), names.name),
                at = excluded.at
            WHERE names.at <= excluded.at
            """,
            [
                *(each.platform, each.workspace, each.kind.value, each.id),
                *(each.name, now),
            ],
        )


def _order(name: LastName) -> tuple[str, ...]:
    # Sorted, so that two concurrent writers of the same names lock rows in one order.
    return (name.platform, name.workspace, name.kind.value, name.id)


def drop_names(db: Connection, serves: Callable[[str, str], bool]) -> int:
    rows = db.execute("SELECT DISTINCT platform, workspace FROM names").fetchall()
    return sum(
        db.execute(
            "DELETE FROM names WHERE platform = ? AND workspace = ?", tuple(row)
        ).rowcount
        for row in rows
        if not serves(*row)
    )


def names(db: Connection) -> list[LastName]:
    """Return all known names, the most recently looked up last.

    Empty in a database without the table of names.
    """
    if not has_table(db, "names"):
        return []
    return [
        LastName(
            *(row["platform"], row["workspace"], NameKind(row["kind"])),
            *(row["id"], row["name"]),
        )
        for row in db.execute("SELECT * FROM names WHERE name <> '' ORDER BY at")
    ]


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` names last looked up before `before`; return their
    number."""
    return db.execute(
        "DELETE FROM names WHERE (platform, workspace, kind, id) IN "
        "(SELECT platform, workspace, kind, id FROM names WHERE at < ? LIMIT ?)",
        [before, most],
    ).rowcount


def delete_person(db: Connection, place: Scope, person: str, now: float) -> None:
    """Delete the name of `person` in the workspace of `place`.

    Nothing that they did until `now` lets it be looked up again.
    """
    row = [place.platform, place.workspace, NameKind.PERSON.value, person]
    db.execute(
        """
        INSERT INTO names (platform, workspace, kind, id, name, at)
        VALUES (?, ?, ?, ?, '', ?)
        ON CONFLICT (platform, workspace, kind, id)
        DO UPDATE SET name = '', at = excluded.at
        """,
        [*row, now + LOOK_BACK],
    )
