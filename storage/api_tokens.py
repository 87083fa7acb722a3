"""Tokens of the web API and the options of its messages, inside a transaction; and the
migration for both."""

from sqlite_utils import Database

from bot.domain.api_token import ApiToken, TokenScope
from storage.connection import Connection, Row
from storage.dialect import GREATEST, has_table


def m022_web_api(db: Database) -> None:
    """Add the tokens of the web API, and the answer options of its messages. Never
    edited."""
    db.table("api_tokens").create(
        {
            "id": str,
            "name": str,
            # The values of `TokenScope`, separated by spaces.
            "scopes": str,
            "created": float,
            "expires": float,
            "revoked": float,
            "used": float,
            # Requests a minute.
            "rate": int,
            "digest": str,
        },
        pk="id",
        not_null={"id", "name", "scopes", "created", "rate", "digest"},
        strict=True,
    )
    # JSON; "" for none. Contains text written by people.
    db.table("messages").add_column("options", str, not_null_default="")


def add_token(db: Connection, token: ApiToken, digest: str) -> None:
    db.execute(
        """
        INSERT INTO api_tokens
            (id, name, scopes, created, expires, revoked, used, rate, digest)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            *(token.id, token.name),
            " ".join(sorted(scope.value for scope in token.scopes)),
            *(token.created, token.expires, token.revoked, token.used, token.rate),
            digest,
        ],
    )


def find_token(db: Connection, id: str) -> tuple[ApiToken, str] | None:
    row = db.execute("SELECT * FROM api_tokens WHERE id = ?", [id]).fetchone()
    return (_token(row), row["digest"]) if row else None


def tokens(db: Connection) -> list[ApiToken]:
    rows = db.execute("SELECT * FROM api_tokens ORDER BY created, id")
    return [_token(row) for row in rows]


def known_tokens(db: Connection) -> list[ApiToken]:
    """Return all tokens. Empty in a database without the table of tokens."""
    return tokens(db) if has_table(db, "api_tokens") else []


def revoke_tokens(db: Connection, which: str, now: float) -> list[ApiToken]:
    rows = db.execute(
        """
        UPDATE api_tokens SET revoked = :now
        WHERE (id = :which OR name = :which) AND revoked IS NULL RETURNING *
        """,
        {"which": which, "now": now},
    ).fetchall()
    return [_token(row) for row in rows]


def note_token_use(db: Connection, id: str, now: float) -> None:
    db.execute(
        f"UPDATE api_tokens SET used = {GREATEST}(coalesce(used, 0), ?) WHERE id = ?",
        [now, id],
    )


def _token(row: Row) -> ApiToken:
    known = {scope.value for scope in TokenScope}
    return ApiToken(
        id=row["id"],
        name=row["name"],
        # A scope that a later version introduced gives no rights here.
        scopes=frozenset(map(TokenScope, known.intersection(row["scopes"].split()))),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
        used=row["used"],
        rate=row["rate"],
    )
