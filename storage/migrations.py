"""The tables of the store and their migrations.

Rule: a migration is appended and never edited, because some database has applied it.
Each is a function called `mNNN_what_it_adds`; a database stores that name.
"""

from sqlite_utils import Database, Migrations

from storage.api_tokens import m022_web_api
from storage.author_names import m013_author_names
from storage.bounds import m008_bounds, m021_fetches
from storage.case_tables import m006_cases
from storage.channel_moves import m044_channel_moves
from storage.deletion_tables import m010_deletions_and_refusals
from storage.file_choices import m020_file_choices
from storage.file_tables import m016_files
from storage.gateways import m033_gateways
from storage.heads import m027_heads
from storage.installations import m032_installations
from storage.leases import m031_owners, m042_origins
from storage.mcp_tables import m026_mcp
from storage.names import m015_names
from storage.notices import m012_origins_and_notices
from storage.outages import m041_outages
from storage.posts import m023_posts
from storage.read_counts import m030_read_counts
from storage.receipts import m018_receipts
from storage.rules_of_messages import m011_rules_of_messages
from storage.search_index import m019_search
from storage.summaries import m017_summaries, m035_blocks
from storage.totals import m009_totals
from storage.tries import m007_tries
from storage.uploads import m025_uploads
from storage.waiting_signs import m014_waiting_signs

migrations = Migrations("threadkeep")


def migrate(db: Database, steps: Migrations = migrations) -> None:
    """Apply all pending `steps` to `db`, or none if any fails; then enforce foreign
    keys."""
    # Rebuilding a referenced table fails or cascades while foreign keys are enforced.
    # Inside a transaction this pragma has no effect.
    db.execute("PRAGMA foreign_keys = OFF")
    # Not a plain BEGIN: if two processes start at once, the second must wait here
    # instead of failing at its first write.
    db.execute("BEGIN IMMEDIATE")
    try:
        steps.apply(db)
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise
    db.execute("PRAGMA foreign_keys = ON")


@migrations()
def m001_conversations(db: Database) -> None:
    """Add threads, their messages, and the turns that answer them.

    Columns with long texts come last: SQLite scans the earlier columns of a row to
    reach a later one, and most reads need only the short ones.
    """
    db.table("threads").create(
        {
            "id": int,
            "platform": str,
            "workspace": str,
            "channel": str,
            "thread": str,
            "follows": bool,
            "unread": bool,
            # Incremented when a process takes the thread over. A process that lost the
            # thread has a lower one.
            "epoch": int,
            "created_at": float,
        },
        pk="id",
        not_null={
            *("platform", "workspace", "channel", "thread"),
            *("follows", "unread", "epoch", "created_at"),
        },
        defaults={"epoch": 0},
        strict=True,
    )
    # In this order, the index also serves queries by channel.
    db.table("threads").create_index(
        ["platform", "channel", "workspace", "thread"], unique=True
    )

    db.table("turns").create(
        {
            "id": int,
            "thread_id": int,
            "key": str,
            "state": str,
            "ended": str,
            "attempts": int,
            "touched": float,
            "model": str,
            "stop_reason": str,
            "request_id": str,
            "input": int,
            "cache_write_5m": int,
            "cache_write_1h": int,
            "cache_read": int,
            "output": int,
            "cost": float,
            # Time of the turn's first message, by the platform's clock. All other times
            # are by our clock.
            "asked_at": float,
            "created_at": float,
            "started_at": float,
            "first_text_at": float,
            "ended_at": float,
            "delivered_at": float,
            "reason": str,
            "note": str,
            # NULL until the first call to the model; unchanged afterwards.
            "preface": str,
            # The answer so far, as posted.
            "text": str,
        },
        pk="id",
        not_null={
            *("thread_id", "key", "state", "attempts", "touched"),
            *("input", "cache_write_5m", "cache_write_1h", "cache_read", "output"),
            *("asked_at", "created_at", "note", "text"),
        },
        defaults={
            **{"attempts": 0, "input": 0, "cache_write_5m": 0, "cache_write_1h": 0},
            **{"cache_read": 0, "output": 0, "note": "", "text": ""},
        },
        foreign_keys=[("thread_id", "threads", "id")],
        strict=True,
    )
    db.table("turns").create_index(["key"], unique=True)
    db.table("turns").create_index(["thread_id", "ended_at"])
    db.table("turns").create_index(["ended_at"])
    # A partial index of the few open turns. Only a query with exactly the condition
    # `state <> 'delivered'` uses it.
    db.execute(
        "CREATE INDEX idx_turns_open ON turns (thread_id) WHERE state <> 'delivered'"
    )

    db.table("messages").create(
        {
            "id": int,
            "thread_id": int,
            # The platform's id; NULL for an answer, whose ids are in `replies`.
            "message": str,
            "role": str,
            "author": str,
            "at": float,
            "addressed": bool,
            "opens": bool,
            "automated": bool,
            # NULL until the message is assigned to a turn.
            "turn_id": int,
            # Position in the turn's content for the model; set with `content`.
            "place": int,
            "edited_at": float,
            "deleted_at": float,
            "files": str,
            # As received; "" for an answer, whose posted text is in `turns`.
            "text": str,
            # The text that the model reads; NULL before that. Unchanged once set.
            "content": str,
        },
        pk="id",
        not_null={
            *("thread_id", "role", "author", "at"),
            *("addressed", "opens", "automated", "files", "text"),
        },
        defaults={"addressed": 0, "opens": 0, "automated": 0, "files": "[]"},
        foreign_keys=[("thread_id", "threads", "id"), ("turn_id", "turns", "id")],
        strict=True,
    )
    db.table("messages").create_index(["thread_id", "message"], unique=True)
    db.table("messages").create_index(["thread_id", "turn_id", "place"])
    db.table("messages").create_index(["thread_id", "at"])

    db.table("replies").create(
        {"turn_id": int, "part": int, "message": str, "text": str},
        pk=("turn_id", "part"),
        not_null={"turn_id", "part", "text"},
        foreign_keys=[("turn_id", "turns", "id")],
        strict=True,
    )


@migrations()
def m002_corrections(db: Database) -> None:
    """Add columns for the reset of a context, and for edits and deletions."""
    # The model reads only messages with a greater id.
    db.table("threads").add_column("reads_after", int, not_null_default=0)
    # True if the message needs an answer and is not just context. A turn without such a
    # message has nothing to answer.
    db.table("messages").add_column("asks", bool, not_null_default=0)
    # Older rows contain no such value, and no turn may lose its question.
    db.execute(
        "UPDATE messages SET asks = 1 WHERE turn_id IS NOT NULL AND role = 'user'"
    )
    # By the platform's id alone, because a deletion may not know the thread. Without
    # answers, which have no id and would be half of the index.
    db.execute(
        "CREATE INDEX idx_messages_message ON messages (message) "
        "WHERE message IS NOT NULL"
    )


@migrations()
def m003_settings(db: Database) -> None:
    """Add settings, their versions, and the audit log.

    A scope is four columns in every table. An empty column stands for all values.
    """
    place = {"platform": str, "workspace": str, "channel": str, "thread": str}
    db.table("audit").create(
        {
            "id": int,
            "at": float,
            **place,
            "who": str,
            "action": str,
            "name": str,
            "before": str,
            "after": str,
        },
        pk="id",
        not_null={"at", *place, "who", "action", "name"},
        strict=True,
    )
    db.table("audit").create_index([*place, "name", "id"])
    db.table("settings").create(
        {
            **place,
            "name": str,
            "value": str,
            "who": str,
            "at": float,
            # The audit entry of the change that set the value.
            "revision": int,
        },
        pk=(*place, "name"),
        not_null={*place, "name", "value", "who", "at", "revision"},
        strict=True,
    )
    db.table("versions").create(
        {
            "id": int,
            **place,
            "name": str,
            "number": int,
            "who": str,
            "at": float,
            # NULL if the text was cleared.
            "text": str,
        },
        pk="id",
        not_null={*place, "name", "number", "who", "at"},
        strict=True,
    )
    db.table("versions").create_index([*place, "name", "number"], unique=True)
    db.table("drafts").create(
        {"id": int, **place, "name": str, "who": str, "at": float, "value": str},
        pk="id",
        not_null={*place, "name", "who", "at", "value"},
        strict=True,
    )
    db.table("drafts").create_index(["at"])
    # The settings that a thread keeps from its start.
    db.table("kept").create(
        {**place, "name": str, "value": str, "stale": bool},
        pk=(*place, "name"),
        not_null={*place, "name", "value", "stale"},
        strict=True,
    )
    for name, kind in (("prompt", int), ("effort", str), ("feedback", bool)):
        db.table("turns").add_column(name, kind)


@migrations()
def m004_ledger(db: Database) -> None:
    """Add the cost of every call, and accounts of spent and reserved amounts."""
    place = {"platform": str, "workspace": str, "channel": str, "thread": str}
    used = dict.fromkeys(
        ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output"), int
    )
    db.table("charges").create(
        {
            "id": int,
            # The key of the answered turn; NULL if the call is not an answer.
            "turn": str,
            "kind": str,
            **place,
            "person": str,
            "model": str,
            # Time of the reserve, which decides the period of the booking.
            "at": float,
            "reserved": float,
            **used,
            "searches": int,
            "cost": float,
            # NULL during the call.
            "ended_at": float,
        },
        pk="id",
        not_null={"kind", *place, "person", "model", "at", "reserved", *used},
        defaults={"reserved": 0.0, **dict.fromkeys(used, 0), "searches": 0},
        strict=True,
    )
    db.execute(
        "CREATE UNIQUE INDEX idx_charges_turn ON charges (turn) WHERE turn IS NOT NULL"
    )
    db.table("charges").create_index(["person", "at"])
    db.table("charges").create_index([*place, "ended_at"])
    db.table("charges").create_index(["ended_at"])
    # Sums by workspace and channel, day and month, so that checking a budget reads one
    # row.
    db.table("accounts").create(
        {
            "platform": str,
            "workspace": str,
            # "" for the whole workspace.
            "channel": str,
            "period": str,
            "spent": float,
            "reserved": float,
            # The share of a budget at the last alert, and that budget.
            "warned": float,
            "warned_of": float,
        },
        pk=("platform", "workspace", "channel", "period"),
        not_null={"platform", "workspace", "channel", "period", "spent", "reserved"},
        defaults={"spent": 0.0, "reserved": 0.0},
        strict=True,
    )
    # A new budget counts amounts that were spent before budgets existed.
    db.execute(
        f"""
        INSERT INTO charges
            (turn, kind, platform, workspace, channel, thread, person, model, at,
             {", ".join(used)}, cost, ended_at)
        SELECT key, 'answer', platform, workspace, channel, thread, '', model, ended_at,
             {", ".join(used)}, cost, ended_at
        FROM turns JOIN threads ON threads.id = thread_id
        WHERE ended_at IS NOT NULL AND model <> ''
        """
    )
    for channel in ("channel", "''"):
        for length in (len("2026-11-26"), len("2026-11")):
            db.execute(
                f"""
                INSERT INTO accounts (platform, workspace, channel, period, spent)
                SELECT platform, workspace, {channel},
                    substr(date(ended_at, 'unixepoch'), 1, {length}), total(cost)
                FROM charges GROUP BY 1, 2, 3, 4
                """
            )


@migrations()
def m005_calls(db: Database) -> None:
    """Add the person to mention when a long answer is complete."""
    db.table("turns").add_column("calls", str, not_null_default="")


for step in (
    m006_cases,
    m007_tries,
    m008_bounds,
    m009_totals,
    m010_deletions_and_refusals,
    m011_rules_of_messages,
    m012_origins_and_notices,
    m013_author_names,
    m014_waiting_signs,
    m015_names,
    m016_files,
    m017_summaries,
    m018_receipts,
    m019_search,
    m020_file_choices,
    m021_fetches,
    m022_web_api,
    m023_posts,
    m025_uploads,
    m026_mcp,
    m027_heads,
    m030_read_counts,
    m031_owners,
    m032_installations,
    m033_gateways,
    m035_blocks,
    m041_outages,
    m042_origins,
    m044_channel_moves,
):
    migrations()(step)
