"""Read what was pinned of the tools of MCP servers, beside a process that has the
database open."""

from bot.domain.mcp import Listing
from bot.errors import ConfigError
from storage import mcp_tables
from storage.dialect import has_table
from storage.reading import Where, reading


async def read_listings(at: Where) -> list[Listing]:
    """Return what was pinned of the tools of MCP servers; nothing if there is no
    database of ours at `at`, or one from before there were any."""
    try:
        with reading(at) as read:
            return await read(
                lambda db: (
                    mcp_tables.listings(db) if has_table(db, "mcp_listings") else []
                )
            )
    except ConfigError:
        return []
