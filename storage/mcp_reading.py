"""Reads the pinned tools of MCP servers while another process has the database open."""

from bot.domain.mcp import Listing
from bot.errors import ConfigError
from storage import mcp_tables
from storage.dialect import has_table
from storage.reading import Where, reading


async def read_listings(at: Where) -> list[Listing]:
    """Return the pinned listings of MCP servers.

    Empty if there is no Threadkeep database at `at`, or if it has no table of listings
    yet.
    """
    try:
        with reading(at) as read:
            return await read(
                lambda db: (
                    mcp_tables.listings(db) if has_table(db, "mcp_listings") else []
                )
            )
    except ConfigError:
        return []
