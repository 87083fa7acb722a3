"""The four columns of a scope, for every table that has a scope."""

from bot.domain.scope import Scope
from storage.connection import Connection, Row

#: Matches the rows of exactly one scope.
AT = (
    "platform = :platform AND workspace = :workspace "
    "AND channel = :channel AND thread = :thread"
)


def parts(scope: Scope) -> dict[str, str]:
    """Return the parts of `scope` by column."""
    # Not `asdict`, which copies each value: one question calls this a dozen times.
    return {
        "platform": scope.platform,
        "workspace": scope.workspace,
        "channel": scope.channel,
        "thread": scope.thread,
    }


def inside(scope: Scope) -> str:
    """Return the condition that matches the rows of `scope` and of scopes in it."""
    named = [name for name, value in parts(scope).items() if value]
    return " AND ".join(f"{name} = :{name}" for name in named) or "1 = 1"


def scope_of(row: Row) -> Scope:
    """Return the scope of `row`."""
    return Scope(row["platform"], row["workspace"], row["channel"], row["thread"])


def both(scope: Scope, to: Scope) -> dict[str, str]:
    """Return the parts of two scopes. The names of the parts of `to` begin with
    "to_"."""
    return {**parts(scope), **{f"to_{k}": v for k, v in parts(to).items()}}


def relocate(
    db: Connection, table: str, scope: Scope, *, to: Scope, by_name: bool = False
) -> None:
    """Move the rows of `table` from `scope` to `to`.

    With `by_name`, rows whose name already exists at `to` stay.
    """
    others = f"""
        AND NOT EXISTS (
            SELECT 1 FROM {table} AS there
            WHERE there.platform = :to_platform AND there.workspace = :to_workspace
              AND there.channel = :to_channel AND there.thread = :to_thread
              AND there.name = {table}.name
        )
    """
    db.execute(
        f"""
        UPDATE {table}
        SET platform = :to_platform, workspace = :to_workspace,
            channel = :to_channel, thread = :to_thread
        WHERE {AT} {others if by_name else ""}
        """,
        both(scope, to),
    )
