"""Pinned tools of MCP servers, and the tool calls of answers, inside a transaction; and
the migration for both.

Rule: no table contains a token, or a result of a server.
"""

import json
from collections.abc import Sequence

from sqlite_utils import Database

from bot.domain.mcp import Listing, ToolCall
from bot.domain.turn import Outcome
from storage.broken import calendar_time, log_broken, parse
from storage.connection import Connection, Row


def m026_mcp(db: Database) -> None:
    """Add listings of tools, and the tools and tool calls of a turn's request. Never
    edited."""
    db.table("mcp_listings").create(
        {
            "digest": str,
            "server": str,
            "url": str,
            # JSON, as sent to the API.
            "tools": str,
            # Time at which the listing became the current one of its server.
            "at": float,
        },
        pk="digest",
        not_null={"digest", "server", "url", "tools", "at"},
        strict=True,
    )
    # The tools of the request: servers with the digests of their listings.
    db.table("receipts").add_column("tools", str, not_null_default="")
    # JSON: calls as [label, tool, failed], and labels of servers that failed.
    db.table("receipts").add_column("asked", str, not_null_default="[]")
    db.table("receipts").add_column("left_out", str, not_null_default="[]")


def listings(db: Connection) -> list[Listing]:
    rows = db.execute("SELECT * FROM mcp_listings ORDER BY at, digest")
    found = []
    for row in rows:
        listing = Listing(
            *(row["server"], row["url"], row["tools"], calendar_time(row["at"]))
        )
        if listing.digest == row["digest"] and parse(row["tools"], list) is not None:
            found.append(listing)
        else:
            # Claude would be told of tools that nobody pinned.
            log_broken("mcp_listings", row["digest"])
    return found


def pin_listing(db: Connection, listing: Listing) -> None:
    db.execute(
        """
        INSERT INTO mcp_listings (digest, server, url, tools, at)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (digest) DO UPDATE
        SET server = excluded.server, url = excluded.url, tools = excluded.tools,
            at = excluded.at
        """,
        [listing.digest, listing.server, listing.url, listing.tools, listing.at],
    )


def columns(outcome: Outcome) -> dict[str, str]:
    """Return the columns of a receipt about MCP servers and tool calls."""
    asked = [[each.server, each.tool, each.failed] for each in outcome.asked]
    return {
        "tools": outcome.tools,
        "asked": json.dumps(asked, ensure_ascii=False),
        "left_out": json.dumps(outcome.left_out, ensure_ascii=False),
    }


def asked(row: Row) -> tuple[ToolCall, ...]:
    """Return the tool calls in the receipt `row`."""
    found = []
    for each in _list(row, "asked"):
        if not isinstance(each, list) or len(each) != 3:
            log_broken("receipts", row["turn_id"])
            continue
        found.append(ToolCall(str(each[0]), str(each[1]), bool(each[2])))
    return tuple(found)


def failed_servers(row: Row) -> tuple[str, ...]:
    """Return the servers that failed, from the receipt `row`."""
    return tuple(map(str, _list(row, "left_out")))


def _list(row: Row, column: str) -> Sequence[object]:
    found: Sequence[object] | None = parse(row[column] or "[]", list)
    if found is None:
        log_broken("receipts", row["turn_id"])
    return found or ()
