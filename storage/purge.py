"""Deletes the data of workspaces that removed the app, in many small transactions.

Rule: the records of spending stay, as everywhere. All other data of such a workspace is
deleted.
"""

from collections.abc import Callable
from functools import partial

from bot.domain.retention import Retention
from bot.domain.scope import Scope
from storage import expiry, installations, locks, posts, triage_cases
from storage.connection import Connection, Row
from storage.expiry import AT_ONCE
from storage.scope_columns import inside, parts

# The tables with rows of a workspace, apart from threads and spending.
_TABLES = (
    *("settings", "kept", "drafts", "versions", "audit", "refusals", "notices"),
    *("names", "erased"),
)


def steps(retention: Retention, now: float) -> dict[str, Callable[[Connection], int]]:
    """Return the deletions, by kind. Repeat each until it returns 0."""
    return {
        "states": partial(installations.expire_states, now=now, most=AT_ONCE),
        "uninstalled": partial(
            uninstalled, before=now - retention.uninstalled, most=AT_ONCE
        ),
    }


def uninstalled(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` threads of a workspace whose installation ended before
    `before`.

    Once the workspace has no threads left, delete its other data. Returns the number of
    deleted rows.
    """
    gone = db.execute(
        "SELECT * FROM installations WHERE ended_at < ? ORDER BY ended_at LIMIT 1",
        [before],
    ).fetchone()
    if gone is None:
        return 0
    for workspace in _workspaces(db, gone):
        if count := _purge(db, Scope(gone["platform"], workspace), most):
            return count
    at = [gone["platform"], gone["organisation"], gone["workspace"]]
    if not gone["workspace"]:
        db.execute(
            "DELETE FROM installed_workspaces WHERE platform = ? AND organisation = ?",
            at[:2],
        )
    db.execute(
        "DELETE FROM installations "
        "WHERE platform = ? AND organisation = ? AND workspace = ?",
        at,
    )
    return 1


def _workspaces(db: Connection, gone: Row) -> list[str]:
    """Return the workspaces of an ended installation that no other installation
    serves."""
    platform = gone["platform"]
    named = [gone["workspace"]]
    if not gone["workspace"]:
        rows = db.execute(
            "SELECT workspace FROM installed_workspaces "
            "WHERE platform = ? AND organisation = ? ORDER BY workspace",
            [platform, gone["organisation"]],
        ).fetchall()
        named = [row["workspace"] for row in rows]
    found = [
        (name, installations.installation_of(db, platform, name)) for name in named
    ]
    return [name for name, live in found if live is None or live.ended_at is not None]


def _purge(db: Connection, scope: Scope, most: int) -> int:
    at = parts(scope)
    found = db.execute(
        f"SELECT id FROM threads WHERE {inside(scope)} ORDER BY id LIMIT :most",
        {**at, "most": most},
    ).fetchall()
    locks.threads(db, [row["id"] for row in found])
    for row in found:
        expiry.delete_thread(db, row["id"])
    if found:
        return len(found)
    triage_cases.delete_cases_in(db, scope)
    posts.delete_in(db, scope)
    for table in _TABLES:
        db.execute(
            f"DELETE FROM {table} "
            "WHERE platform = :platform AND workspace = :workspace",
            at,
        )
    return 0
