"""The store's port for the tools that MCP servers list.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.mcp import Listing


class ListingStore(Protocol):
    """Definitions of tools, as MCP servers listed them."""

    async def listings(self) -> list[Listing]:
        """Return all pinned listings, oldest first.

        The last listing of each server is current. Threads that began with an earlier
        one keep using it.
        """
        ...

    async def pin_listing(self, listing: Listing) -> None:
        """Make `listing` the current one of its server."""
