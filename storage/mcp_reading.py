"""Read what was pinned of the tools of MCP servers, beside a process that has the
database open."""

from contextlib import closing
from pathlib import Path

from bot.domain.mcp import Listing
from bot.errors import ConfigError
from storage import mcp_tables
from storage.database import open_beside
from storage.dialect import has_table
from storage.reader import Reader


async def read_listings(path: Path) -> list[Listing]:
    """Return what was pinned of the tools of MCP servers; nothing if there is no
    database of ours at `path`, or one from before there were any."""
    try:
        opened = open_beside(path)
    except ConfigError:
        return []
    with closing(Reader(opened)) as reader:
        return await reader.read(
            lambda db: mcp_tables.listings(db) if has_table(db, "mcp_listings") else []
        )
