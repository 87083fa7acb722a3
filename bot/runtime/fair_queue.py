"""A queue that serves its owners in turn. Pure.

Rule 1: owners take turns, and the items of an owner are served oldest first. An owner
who adds a first item is served before every owner who was served later, however many
items the latter have waiting.
Rule 2: this module does no I/O, never waits and reads no clock, so that a test can
replay an hour of load in a millisecond.
Rule 3: the queue holds at most `most` items. When it is full, the newest item of the
owner with the most items is returned, and the caller keeps the item elsewhere.
"""

import bisect
import heapq
import itertools
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.runtime.lru import LruDict

T = TypeVar("T", bound=Hashable)
Owner = TypeVar("Owner", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T, Owner]):
    """One waiting item."""

    item: T
    owner: Owner
    #: The position among the items of its owner; the smallest is served first.
    at: float


@dataclass(slots=True)
class _OwnerQueue(Generic[T, Owner]):
    """The waiting items of one owner, oldest first."""

    #: The owner with the smallest turn is served next.
    turn: tuple[float, int]
    entries: list[tuple[float, int, Entry[T, Owner]]] = field(default_factory=list)


class FairQueue(Generic[T, Owner]):
    """Waiting items, each at most once, served by owner in turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[Owner, _OwnerQueue[T, Owner]] = {}
        #: A heap by turn. Entries of removed lines and of changed turns are skipped.
        self._order: list[tuple[float, int, Owner]] = []
        self._entries: dict[T, tuple[float, int, Entry[T, Owner]]] = {}
        self._count = itertools.count()
        #: The number of items served.
        self._served = 0
        #: The number of an owner's last served item, kept while they have none waiting.
        self._last: LruDict[Owner, float] = LruDict(most)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: object) -> bool:
        return item in self._entries

    def __iter__(self) -> Iterator[Entry[T, Owner]]:
        """Iterate over all waiting items, in no particular order."""
        return (entry for _, _, entry in self._entries.values())

    def waits(self, owner: Owner) -> bool:
        """Return True if `owner` has an item waiting."""
        return owner in self._lines

    def put(self, item: T, owner: Owner, at: float) -> T | None:
        """Add `item`, unless it is already waiting.

        Return the item that did not fit, which may be `item` itself, or None.
        """
        if item in self._entries:
            return None
        place = (at, next(self._count), Entry(item, owner, at))
        self._entries[item] = place
        if owner not in self._lines:
            # Before the owner who was served last, and after everyone who has waited
            # longer.
            turn = max(self._served - 0.5, self._last.get(owner, 0.0))
            self._let_wait(owner, _OwnerQueue((turn, place[1])))
        bisect.insort(self._lines[owner].entries, place, key=_age)
        return self._overflow() if len(self._entries) > self._most else None

    def take(
        self, may: Callable[[Owner], bool] | None = None
    ) -> Entry[T, Owner] | None:
        """Remove and return the next item; None if there is none.

        Owners for whom `may` returns False are skipped and keep their turn.
        """
        passed: list[tuple[float, int, Owner]] = []
        taken = None
        while self._order and taken is None:
            turn = heapq.heappop(self._order)
            line = self._lines.get(turn[2])
            if line is None or line.turn != turn[:2]:
                continue
            if may is not None and not may(turn[2]):
                passed.append(turn)
                continue
            taken = line.entries[0][2]
            self._served += 1
            self._last[taken.owner] = float(self._served)
            self.discard(taken.item)
            if taken.owner in self._lines:
                line.turn = (float(self._served), next(self._count))
                self._let_wait(taken.owner, line)
        for turn in passed:
            heapq.heappush(self._order, turn)
        return taken

    def discard(self, item: T) -> Entry[T, Owner] | None:
        """Remove and return `item`; None if it is not waiting."""
        place = self._entries.pop(item, None)
        if place is None:
            return None
        entry = place[2]
        entries = self._lines[entry.owner].entries
        del entries[bisect.bisect_left(entries, _age(place), key=_age)]
        if not entries:
            del self._lines[entry.owner]
        return entry

    def clear(self) -> None:
        """Remove all items."""
        self._lines.clear()
        self._order.clear()
        self._entries.clear()

    def _let_wait(self, owner: Owner, line: _OwnerQueue[T, Owner]) -> None:
        self._lines[owner] = line
        heapq.heappush(self._order, (*line.turn, owner))
        # Only one turn of each line is valid; owners who come and go leave stale turns.
        if len(self._order) > 2 * len(self._lines) + 16:
            self._order = [(*each.turn, key) for key, each in self._lines.items()]
            heapq.heapify(self._order)

    def _overflow(self) -> T:
        longest = max(self._lines.values(), key=lambda line: len(line.entries))
        item = longest.entries[-1][2].item
        self.discard(item)
        return item


def _age(place: tuple[float, int, Entry[T, Owner]]) -> tuple[float, int]:
    return place[:2]
