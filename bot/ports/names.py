"""The store's port for the names that the operator's reports show.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.domain.names import LastName, Sighting


class NameStore(Protocol):
    """Last known names, by id."""

    async def unnamed(self, since: float, now: float) -> list[Sighting]:
        """Return the people who asked, changed a setting or were refused since `since`,
        and the places.

        A sighting is returned only if the name of the person or the place is unknown,
        or is a day old at `now`. A name that the platform did not know is looked up
        again after an hour. At most a few thousand are returned.
        """
        ...

    async def store_names(self, names: Sequence[LastName], now: float) -> None:
        """Store `names` as known at `now`. An empty name keeps the name that was stored
        before."""

    async def drop_names(self, serves: Callable[[str, str], bool]) -> int:
        """Delete the names of each platform and workspace that `serves` rejects; return
        their number."""
        ...
