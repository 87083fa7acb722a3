"""Shards: the connections over which a platform distributes a bot's workspaces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShardRange:
    """The shards from `first` to `last`, counted from 0, of a bot with `count`."""

    first: int
    last: int
    count: int

    @property
    def ids(self) -> list[int]:
        """The ids of the shards."""
        return list(range(self.first, self.last + 1))

    def crosses(self, other: "ShardRange") -> bool:
        """Return whether the ranges overlap without being equal, which is a mistake.

        Equal ranges mean a second gateway for the same shards. Ranges with different
        counts occur while the number of shards is being changed.
        """
        if self == other or self.count != other.count:
            return False
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}/{self.count}"
