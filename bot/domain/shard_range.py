"""Shards: the connections among which a platform divides the workspaces of a bot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShardRange:
    """The shards from `first` to `last` of a bot that has `count`, counted from 0."""

    first: int
    last: int
    count: int

    @property
    def ids(self) -> list[int]:
        """Return the numbers of the shards."""
        return list(range(self.first, self.last + 1))

    def crosses(self, other: "ShardRange") -> bool:
        """Return whether some shards are in both ranges, and some in one of them: then
        somebody has miscounted. The same range twice is a second gateway for it, and
        another `count` a change of the number of shards."""
        if self == other or self.count != other.count:
            return False
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}/{self.count}"
