"""A mapping with a maximum number of entries.

Rule: caches and records of sent notices use this mapping, so that memory stays bounded
for any number of people, channels and messages. Data that must not be lost belongs in
the store.

Not cachetools: its `LRUCache` does the same, but would be one more dependency, without
type annotations, for thirty lines.
"""

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruDict(MutableMapping[K, V]):
    """A dict of at most `most` entries. Adding another drops the least recently used.

    Reading and writing count as use; a membership test does not. Raises ValueError if
    `most` is less than 1.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("an LruDict holds at least one entry")
        self.most = most
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __getitem__(self, key: K) -> V:
        self._entries.move_to_end(key)
        return self._entries[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self.most:
            self._entries.popitem(last=False)

    def __delitem__(self, key: K) -> None:
        del self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        """Iterate over a copy of the keys, the least recently used first."""
        # A copy: reading an entry while iterating would move it.
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
