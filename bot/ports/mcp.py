"""The store's port for what is known of the tools of MCP servers.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.mcp import Listing


class ListingStore(Protocol):
    """Definitions of tools, as servers listed them."""

    async def listings(self) -> list[Listing]:
        """Return all that were pinned, the oldest first: of each server the last one
        counts, and threads that began with another one keep it."""
        ...

    async def pin_listing(self, listing: Listing) -> None:
        """Make `listing` the last one of its server."""
