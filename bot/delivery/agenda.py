"""Orders groups of budgets by the time of the next possible grant. Pure."""

import heapq
import itertools
from dataclasses import dataclass, field

from bot.delivery.rate_budget import RateBudget
from bot.domain.platform import WriteKind

#: How many entries are kept before outdated ones are dropped.
MOST_ENTRIES = 100


@dataclass(slots=True, eq=False)
class Group:
    """The budgets of one workspace.

    Grants in one workspace change nothing in others, unless some writes count for the
    whole bot. In that case all budgets form one group.
    """

    budgets: dict[tuple[WriteKind, str], RateBudget] = field(default_factory=dict)
    #: How many replies wait for a write in this group.
    waiting: int = 0
    #: The earliest time at which a request in this group could be granted; minus
    #: infinity if that still has to be computed.
    soonest: float = float("inf")

    def find_soonest(self) -> float:
        """Return the earliest time of a grant; infinity if no reply waits."""
        if not self.waiting:
            return float("inf")
        return min(
            (budget.soonest() for budget in self.budgets.values()),
            default=float("inf"),
        )

    def forget_idle(self, now: float) -> None:
        """Drop the budgets that are full and that no request waits for."""
        for place, budget in list(self.budgets.items()):
            if budget.forget_idle(now):
                del self.budgets[place]


class Agenda:
    """The times at which groups are checked.

    Thanks to these times, a write in one workspace does not cause a check of all
    others.
    """

    def __init__(self) -> None:
        #: A heap, the soonest entry first. An entry is outdated if its group has
        #: another `soonest` by now.
        self._entries: list[tuple[float, int, Group]] = []
        self._numbers = itertools.count()
        self._most = MOST_ENTRIES

    def put(self, group: Group, soonest: float) -> None:
        """Schedule a check of `group` at `soonest`, the earliest time of a grant."""
        group.soonest = soonest
        if soonest == float("inf"):
            return
        if len(self._entries) >= self._most:
            self._drop_outdated()
        heapq.heappush(self._entries, (soonest, next(self._numbers), group))

    def look_again(self, group: Group) -> None:
        """Let the next grant check `group` at any time, if a reply waits there."""
        self.put(group, float("-inf") if group.waiting else float("inf"))

    def take(self, latest: float) -> list[Group]:
        """Remove and return the groups due by `latest`. The caller puts them back."""
        taken = []
        while self._entries and self._entries[0][0] <= latest:
            soonest, _, group = heapq.heappop(self._entries)
            if group.soonest == soonest:
                group.soonest = float("inf")
                taken.append(group)
        return taken

    def soonest(self) -> float:
        """Return the time of the next check of a group; infinity for none."""
        for group in self.take(float("-inf")):
            self.put(group, group.find_soonest())
        while self._entries and self._entries[0][2].soonest != self._entries[0][0]:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else float("inf")

    def _drop_outdated(self) -> None:
        valid = {
            id(group): (soonest, number, group)
            for soonest, number, group in self._entries
            if group.soonest == soonest
        }
        self._entries = sorted(valid.values())
        self._most = max(MOST_ENTRIES, 2 * len(self._entries))
