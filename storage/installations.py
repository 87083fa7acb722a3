"""Installations of the app in workspaces, inside a transaction; and their migration.

Tokens come and go sealed (`storage.encryption`).
"""

from sqlite_utils import Database

from bot.domain.installation import Ending, Installation, Place, Tokens
from storage import dialect
from storage.connection import Connection, Row

# The number of expired states that storing a new one deletes: more than one, so that
# their number shrinks.
_FEW = 20

_AT = "platform = :platform AND organisation = :organisation AND workspace = :workspace"


def m032_installations(db: Database) -> None:
    """Add installations of the app, the workspaces of organisations, and OAuth states.
    Never edited."""
    place = {"platform": str, "organisation": str, "workspace": str}
    db.table("installations").create(
        {
            **place,
            "name": str,
            "bot_user": str,
            "bot": str,
            # Separated by commas.
            "scopes": str,
            "installed_by": str,
            "installed_at": float,
            # Sealed; "" after the installation has ended.
            "token": str,
            "refresh_token": str,
            "expires_at": float,
            # Time until which a process holds the refresh token.
            "held_until": float,
            "ended_at": float,
            # "uninstalled", "revoked" or "removed"; "" while the installation is valid.
            "ending": str,
            # Grows with each change of any installation.
            "version": int,
        },
        pk=tuple(place),
        not_null={
            *(*place, "name", "bot_user", "bot", "scopes", "installed_by"),
            *("installed_at", "token", "refresh_token", "held_until"),
            *("ending", "version"),
        },
        defaults={"refresh_token": "", "held_until": 0.0, "ending": ""},
        strict=True,
    )
    db.table("installations").create_index(["version"])
    # The row is locked until a change commits, so that versions become visible in
    # order.
    db.table("installation_changes").create(
        {"platform": str, "last": int},
        pk="platform",
        not_null={"platform", "last"},
        strict=True,
    )
    db.table("installed_workspaces").create(
        {"platform": str, "workspace": str, "organisation": str},
        pk=("platform", "workspace"),
        not_null={"platform", "workspace", "organisation"},
        strict=True,
    )
    db.table("install_states").create(
        {"digest": str, "expires_at": float},
        pk="digest",
        not_null={"digest", "expires_at"},
        strict=True,
    )


def store_state(db: Connection, digest: str, expires: float, now: float) -> None:
    # Otherwise, a flood of states would stay until the daily clean-up.
    expire_states(db, now=now, most=_FEW)
    db.execute(
        "INSERT INTO install_states (digest, expires_at) VALUES (?, ?)",
        [digest, expires],
    )


def spend_state(db: Connection, digest: str, now: float) -> bool:
    row = db.execute(
        "DELETE FROM install_states WHERE digest = ? RETURNING expires_at", [digest]
    ).fetchone()
    return row is not None and bool(row["expires_at"] > now)


def expire_states(db: Connection, *, now: float, most: int) -> int:
    """Delete at most `most` states that expired unused; return their number."""
    found = db.execute(
        "SELECT digest FROM install_states WHERE expires_at <= ? LIMIT ?", [now, most]
    ).fetchall()
    for row in found:
        db.execute("DELETE FROM install_states WHERE digest = ?", [row["digest"]])
    return len(found)


def installations(db: Connection, platform: str, after: int = 0) -> list[Installation]:
    rows = db.execute(
        "SELECT * FROM installations WHERE platform = ? AND version > ? "
        "ORDER BY version",
        [platform, after],
    )
    return [_installation(row) for row in rows]


def known(db: Connection, platform: str) -> list[Installation]:
    """Return all installations. Empty in a database without the table of
    installations."""
    has_table = dialect.has_table(db, "installations")
    return installations(db, platform) if has_table else []


def store_installation(db: Connection, installation: Installation) -> Installation:
    tokens = installation.tokens
    row = db.execute(
        """
        INSERT INTO installations (
            platform, organisation, workspace, name, bot_user, bot, scopes,
            installed_by, installed_at, token, refresh_token, expires_at, version
        )
        VALUES (
            :platform, :organisation, :workspace, :name, :bot_user, :bot, :scopes,
            :installed_by, :installed_at, :token, :refresh_token, :expires_at, :version
        )
        ON CONFLICT (platform, organisation, workspace) DO UPDATE SET
            name = excluded.name, bot_user = excluded.bot_user, bot = excluded.bot,
            scopes = excluded.scopes, installed_by = excluded.installed_by,
            installed_at = excluded.installed_at, token = excluded.token,
            refresh_token = excluded.refresh_token, expires_at = excluded.expires_at,
            held_until = 0, ended_at = NULL, ending = '', version = excluded.version
        RETURNING *
        """,
        {
            **_at(installation.place),
            **{"name": installation.name, "bot_user": installation.user},
            **{"bot": installation.bot, "installed_by": installation.installed_by},
            "scopes": ",".join(sorted(installation.scopes)),
            "installed_at": installation.installed_at,
            **{"token": tokens.access, "refresh_token": tokens.refresh},
            **{
                "expires_at": tokens.expires_at,
                "version": _next_version(db, installation.place.platform),
            },
        },
    ).fetchone()
    return _installation(row)


def installation_of(
    db: Connection, platform: str, workspace: str
) -> Installation | None:
    row = db.execute(
        """
        SELECT * FROM installations
        WHERE platform = :platform AND (
            (workspace = :workspace AND workspace <> '')
            OR (workspace = '' AND organisation = (
                SELECT organisation FROM installed_workspaces
                WHERE platform = :platform AND workspace = :workspace
            ))
        )
        ORDER BY CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END,
            CASE WHEN workspace = '' THEN 1 ELSE 0 END, version DESC
        LIMIT 1
        """,
        {"platform": platform, "workspace": workspace},
    ).fetchone()
    return _installation(row) if row else None


def store_workspace(
    db: Connection, platform: str, workspace: str, organisation: str
) -> None:
    db.execute(
        """
        INSERT INTO installed_workspaces (platform, workspace, organisation)
        VALUES (?, ?, ?)
        ON CONFLICT (platform, workspace) DO UPDATE
        SET organisation = excluded.organisation
        """,
        [platform, workspace, organisation],
    )


def claim_refresh(
    db: Connection, place: Place, version: int, now: float, until: float
) -> bool:
    row = db.execute(
        f"""
        UPDATE installations SET held_until = :until
        WHERE {_AT} AND version = :version AND ended_at IS NULL AND held_until <= :now
        RETURNING version
        """,
        {**_at(place), "version": version, "now": now, "until": until},
    ).fetchone()
    return row is not None


def replace_tokens(
    db: Connection, place: Place, version: int, tokens: Tokens
) -> Installation | None:
    row = db.execute(
        f"""
        UPDATE installations SET token = :token, refresh_token = :refresh,
            expires_at = :expires_at, held_until = 0, version = :next
        WHERE {_AT} AND version = :version AND ended_at IS NULL
        RETURNING *
        """,
        {
            **_at(place),
            **{"token": tokens.access, "refresh": tokens.refresh},
            **{"expires_at": tokens.expires_at, "version": version},
            "next": _next_version(db, place.platform),
        },
    ).fetchone()
    return _installation(row) if row else None


def end_installation(
    db: Connection, place: Place, ending: Ending, now: float
) -> Installation | None:
    row = db.execute(
        f"""
        UPDATE installations SET token = '', refresh_token = '', held_until = 0,
            ended_at = :now, ending = :ending, version = :next
        WHERE {_AT} AND ended_at IS NULL
        RETURNING *
        """,
        {
            **_at(place),
            **{
                "now": now,
                "ending": ending.value,
                "next": _next_version(db, place.platform),
            },
        },
    ).fetchone()
    return _installation(row) if row else None


def _next_version(db: Connection, platform: str) -> int:
    row = db.execute(
        """
        INSERT INTO installation_changes (platform, last) VALUES (?, 1)
        ON CONFLICT (platform) DO UPDATE SET last = installation_changes.last + 1
        RETURNING last
        """,
        [platform],
    ).fetchone()
    return int(row["last"])


def _at(place: Place) -> dict[str, str]:
    return {
        "platform": place.platform,
        "organisation": place.organisation,
        "workspace": place.workspace,
    }


def _installation(row: Row) -> Installation:
    return Installation(
        place=Place(row["platform"], row["organisation"], row["workspace"]),
        name=row["name"],
        user=row["bot_user"],
        bot=row["bot"],
        scopes=frozenset(filter(None, row["scopes"].split(","))),
        installed_by=row["installed_by"],
        installed_at=row["installed_at"],
        tokens=Tokens(row["token"], row["refresh_token"], row["expires_at"]),
        ended_at=row["ended_at"],
        ending=Ending(row["ending"]) if row["ending"] else None,
        version=row["version"],
    )
