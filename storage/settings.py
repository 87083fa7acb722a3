"""Settings, their versions, drafts and the audit log, inside a transaction.

Rule: the audit log only grows. Each change of a setting adds its entry in the same
transaction, and the setting refers to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.setting import (
    AuditEntry,
    Change,
    Draft,
    EditConflict,
    Setting,
    StoredSettings,
    Version,
)
from bot.settings.stored_values import usable
from storage import locks
from storage.broken import calendar_time, log_broken
from storage.connection import Connection, Cursor, Row
from storage.dialect import ROW, insert
from storage.scope_columns import AT, both, inside, parts, relocate, scope_of

# Lifetime of drafts, in seconds.
WEEK = 7 * 86400.0

# The settings of a scope and of the scopes around it. Both halves use the primary key.
STORED_SETTINGS = f"""
    SELECT {ROW} AS row, platform, workspace, channel, thread, name, value, who, at,
      revision, NULL AS stale
    FROM settings
    WHERE platform = :platform AND workspace = :workspace
      AND channel IN ('', :channel) AND thread IN ('', :thread)
    UNION ALL
    SELECT {ROW}, platform, workspace, channel, thread, name, value, '', 0.0, 0, stale
    FROM kept
    WHERE platform = :platform AND workspace = :workspace
      AND channel = :channel AND thread = :thread AND thread <> ''
"""


def stored_settings(db: Connection, scope: Scope) -> StoredSettings:
    return read_stored(ask_stored(db, scope))


def ask_stored(db: Connection, scope: Scope) -> Cursor:
    """Send the query whose result `read_stored` reads."""
    return db.execute(STORED_SETTINGS, parts(scope))


def read_stored(asked: Cursor) -> StoredSettings:
    """Return the settings from the result of `ask_stored`."""
    settings, kept, stale = [], {}, set()
    for row in asked:
        value = usable(row["name"], row["value"])
        if value is None:
            log_broken("settings" if row["stale"] is None else "kept", row["row"])
        elif row["stale"] is None:
            settings.append(_setting(row, value))
        else:
            kept[row["name"]] = value
            stale |= {row["name"]} if row["stale"] else set()
    return StoredSettings(tuple(settings), kept, frozenset(stale))


def list_settings(db: Connection, within: Scope) -> list[Setting]:
    rows = db.execute(
        f"SELECT {ROW} AS row, * FROM settings WHERE {inside(within)} "
        "ORDER BY platform, workspace, channel, thread, name",
        parts(within),
    )
    found = []
    for row in rows:
        if (value := usable(row["name"], row["value"])) is None:
            log_broken("settings", row["row"])
        else:
            found.append(_setting(row, value))
    return found


def change_settings(
    db: Connection,
    changes: Sequence[Change],
    *,
    who: str,
    now: float,
    action: str = "set",
    base: int | None = None,
    running: bool = False,
) -> list[AuditEntry] | EditConflict:
    locks.settings(db, [each.place for each in changes])
    wanted = [each for each in changes if not _is_set(db, each)]
    if base is not None:
        others = [entry for each in wanted for entry in _since(db, each, base)]
        if others:
            return EditConflict(tuple(sorted(others, key=lambda entry: entry.id)))
    return [
        _make(db, each, who=who, now=now, action=action, running=running)
        for each in wanted
    ]


def _is_set(db: Connection, change: Change) -> bool:
    """Return whether `change` would have no effect."""
    value = _value(db, change.place, change.name)
    if value is None or change.value is None or not change.versioned:
        return value == change.value
    found = _version_of(db, value)
    return found is not None and found.text == change.value


def _since(db: Connection, change: Change, base: int) -> list[AuditEntry]:
    """Return the later changes of the same setting, after the entry `base`."""
    rows = db.execute(
        f"SELECT * FROM audit WHERE {AT} AND name = :name AND id > :base "
        "AND action <> 'denied' ORDER BY id",
        {**parts(change.place), "name": change.name, "base": base},
    )
    return [_entry(row) for row in rows]


def _make(
    db: Connection, change: Change, *, who: str, now: float, action: str, running: bool
) -> AuditEntry:
    at = {**parts(change.place), "name": change.name}
    before = _value(db, change.place, change.name)
    after, shown = change.value, (before, change.value)
    if change.versioned:
        new = _add_version(db, change, who=who, now=now)
        after = None if change.value is None else str(new.id)
        shown = (_number(db, before), after and f"version {new.number}")
    plain = "cleared" if action == "set" and change.value is None else action
    entry = add_entry(
        db, AuditEntry(0, now, change.place, who, plain, change.name, *shown)
    )
    if after is None:
        db.execute(f"DELETE FROM settings WHERE {AT} AND name = :name", at)
    else:
        db.execute(
            """
            INSERT INTO settings
                (platform, workspace, channel, thread, name, value, who, at, revision)
            VALUES (:platform, :workspace, :channel, :thread, :name, :value, :who,
                :now, :revision)
            ON CONFLICT (platform, workspace, channel, thread, name) DO UPDATE
            SET value = excluded.value, who = excluded.who, at = excluded.at,
                revision = excluded.revision
            """,
            {**at, "value": after, "who": who, "now": now, "revision": entry.id},
        )
    if running or change.place.level is ScopeLevel.THREAD:
        db.execute(
            f"UPDATE kept SET stale = 1 WHERE {inside(change.place)} AND name = :name",
            at,
        )
    return entry


def _value(db: Connection, scope: Scope, name: str) -> str | None:
    row = db.execute(
        f"SELECT value FROM settings WHERE {AT} AND name = :name",
        {**parts(scope), "name": name},
    ).fetchone()
    return row["value"] if row else None


def _number(db: Connection, value: str | None) -> str | None:
    found = _version_of(db, value) if value is not None else None
    return f"version {found.number}" if found else None


def _version_of(db: Connection, value: str) -> Version | None:
    """Return the version to which a setting with this value refers."""
    return version(db, int(value)) if usable("prompt", value) else None


def _add_version(db: Connection, change: Change, *, who: str, now: float) -> Version:
    at = {**parts(change.place), "name": change.name}
    last = db.execute(
        f"SELECT coalesce(max(number), 0) FROM versions WHERE {AT} AND name = :name "
        # Above any real number of versions.
        "AND number < 1000000000000",
        at,
    ).fetchone()[0]
    added = db.execute(
        """
        INSERT INTO versions
            (platform, workspace, channel, thread, name, number, who, at, text)
        VALUES (:platform, :workspace, :channel, :thread, :name, :number, :who, :now,
            :text)
        RETURNING *
        """,
        {**at, "number": last + 1, "who": who, "now": now, "text": change.value},
    )
    return _version(added.fetchone())


def pin_settings(db: Connection, thread: ThreadKey, values: Mapping[str, str]) -> None:
    locks.thread(db, thread)
    at = parts(Scope.of(thread))
    db.execute(f"DELETE FROM kept WHERE {AT}", at)
    if not values:
        return
    rows = (
        f"(:platform, :workspace, :channel, :thread, :name{n}, :value{n}, 0)"
        for n in range(len(values))
    )
    named = {f"name{n}": name for n, name in enumerate(values)}
    db.execute(
        "INSERT INTO kept (platform, workspace, channel, thread, name, value, stale) "
        f"VALUES {', '.join(rows)}",
        {**at, **named, **{f"value{n}": v for n, v in enumerate(values.values())}},
    )


def ensure_operator_version(db: Connection, name: str, text: str, now: float) -> int:
    locks.settings(db, [EVERYWHERE])
    known = versions(db, EVERYWHERE, name)
    if known and known[0].text == text:
        return known[0].id
    change = Change(EVERYWHERE, name, text, versioned=True)
    return _add_version(db, change, who="operator", now=now).id


def version(db: Connection, version: int) -> Version | None:
    return version_of(ask_version(db, version))


def ask_version(db: Connection, version: int) -> Cursor:
    """Send the query whose result `version_of` reads."""
    return db.execute("SELECT * FROM versions WHERE id = ?", [version])


def version_of(asked: Cursor) -> Version | None:
    """Return the version from the result of `ask_version`, or None."""
    row = asked.fetchone()
    return _version(row) if row else None


def versions(db: Connection, scope: Scope, name: str) -> list[Version]:
    rows = db.execute(
        f"SELECT * FROM versions WHERE {AT} AND name = :name ORDER BY number DESC",
        {**parts(scope), "name": name},
    )
    return [_version(row) for row in rows]


def add_entry(db: Connection, entry: AuditEntry) -> AuditEntry:
    """Insert `entry`, whose id is ignored; return it with its id."""
    fields = asdict(entry)
    del fields["id"], fields["place"]
    added = db.execute(
        """
        INSERT INTO audit
            (at, platform, workspace, channel, thread, who, action, name, before, after)
        VALUES (:at, :platform, :workspace, :channel, :thread, :who, :action, :name,
            :before, :after)
        RETURNING *
        """,
        {**fields, **parts(entry.place)},
    )
    return _entry(added.fetchone())


def audit(db: Connection, within: Scope, since: float, most: int) -> list[AuditEntry]:
    rows = db.execute(
        f"SELECT * FROM audit WHERE {inside(within)} AND at >= :since "
        "AND action <> 'denied' ORDER BY id DESC LIMIT :most",
        {**parts(within), "since": since, "most": most},
    )
    return [_entry(row) for row in rows]


def entries(db: Connection, first: int, last: int) -> list[AuditEntry]:
    rows = db.execute(
        "SELECT * FROM audit WHERE id BETWEEN ? AND ? AND action <> 'denied' "
        "ORDER BY id",
        [first, last],
    )
    return [_entry(row) for row in rows]


def save_draft(db: Connection, draft: Draft) -> int:
    locks.settings(db, [draft.place])
    db.execute("DELETE FROM drafts WHERE at < ?", [draft.at - WEEK])
    return insert(
        db,
        """
        INSERT INTO drafts (platform, workspace, channel, thread, name, who, at, value)
        VALUES (:platform, :workspace, :channel, :thread, :name, :who, :at, :value)
        """,
        {
            **parts(draft.place),
            "name": draft.name,
            "who": draft.who,
            "at": draft.at,
            "value": draft.value,
        },
    )


def draft(db: Connection, draft: int) -> Draft | None:
    row = db.execute("SELECT * FROM drafts WHERE id = ?", [draft]).fetchone()
    if row is None:
        return None
    at = calendar_time(row["at"])
    return Draft(row["id"], scope_of(row), row["name"], row["value"], row["who"], at)


def expire_drafts(db: Connection, *, now: float, most: int) -> int:
    """Delete at most `most` drafts older than a week; return their number."""
    old = "SELECT id FROM drafts WHERE at < ? ORDER BY at LIMIT ?"
    deleted = db.execute(f"DELETE FROM drafts WHERE id IN ({old})", [now - WEEK, most])
    return int(deleted.rowcount)


def delete_drafts(db: Connection, scope: Scope) -> None:
    """Delete the drafts of a thread or channel."""
    db.execute(f"DELETE FROM drafts WHERE {inside(scope)}", parts(scope))


def move(db: Connection, thread: Scope, *, to: Scope) -> None:
    """Move the settings and pinned settings of `thread` to `to`.

    Settings that already exist at `to` stay, and existing versions there keep their
    numbers.
    """
    locks.settings(db, [thread, to])
    db.execute(
        f"""
        UPDATE versions
        SET platform = :to_platform, workspace = :to_workspace,
            channel = :to_channel, thread = :to_thread,
            number = number + (
                SELECT coalesce(max(number), 0) FROM versions AS there
                WHERE there.platform = :to_platform AND there.workspace = :to_workspace
                  AND there.channel = :to_channel AND there.thread = :to_thread
                  AND there.name = versions.name
            )
        WHERE {AT}
        """,
        both(thread, to),
    )
    relocate(db, "audit", thread, to=to)
    for table in ("settings", "kept"):
        relocate(db, table, thread, to=to, by_name=True)
        db.execute(f"DELETE FROM {table} WHERE {AT}", parts(thread))


def unpin(db: Connection, thread: Scope) -> None:
    """Delete the pinned settings of `thread`."""
    db.execute(f"DELETE FROM kept WHERE {AT}", parts(thread))


def _setting(row: Row, value: str) -> Setting:
    at = calendar_time(row["at"])
    return Setting(scope_of(row), row["name"], value, row["who"], at, row["revision"])


def _entry(row: Row) -> AuditEntry:
    named: dict[str, Any] = {
        name: row[name] for name in ("id", "who", "action", "name", "before", "after")
    }
    return AuditEntry(place=scope_of(row), at=calendar_time(row["at"]), **named)


def _version(row: Row) -> Version:
    at = calendar_time(row["at"])
    return Version(row["id"], scope_of(row), row["number"], row["text"], row["who"], at)
