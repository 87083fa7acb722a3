"""Groups of budgets, by when a request in them could be granted. Pure."""

import heapq
import itertools
from dataclasses import dataclass, field

from bot.delivery.rate_budget import RateBudget
from bot.domain.platform import WriteKind

#: How many entries are kept without looking which of them are outdated.
MOST_ENTRIES = 100


@dataclass(slots=True, eq=False)
class Group:
    """The budgets of one workspace: what is granted there changes nothing in others,
    unless some writes count for the whole bot. Then all budgets are one group."""

    budgets: dict[tuple[WriteKind, str], RateBudget] = field(default_factory=dict)
    #: How many replies wait for a write there.
    waiting: int = 0
    #: When a request there could be granted at the soonest; minus infinity if that is
    #: to be found out.
    soonest: float = float("inf")

    def find_soonest(self) -> float:
        """Return when a request could be granted; infinity for none."""
        if not self.waiting:
            return float("inf")
        return min(
            (budget.soonest() for budget in self.budgets.values()),
            default=float("inf"),
        )

    def forget_idle(self, now: float) -> None:
        """Drop the budgets that are full and that nothing waits for."""
        for place, budget in list(self.budgets.items()):
            if budget.forget_idle(now):
                del self.budgets[place]


class Agenda:
    """The times at which groups are to be looked at, so that a write in one workspace
    takes no time for all others."""

    def __init__(self) -> None:
        #: The soonest first. One of a group whose `soonest` is another is outdated.
        self._entries: list[tuple[float, int, Group]] = []
        self._numbers = itertools.count()
        self._most = MOST_ENTRIES

    def put(self, group: Group, soonest: float) -> None:
        """Have `group` looked at when a request could be granted at the `soonest`."""
        group.soonest = soonest
        if soonest == float("inf"):
            return
        if len(self._entries) >= self._most:
            self._drop_outdated()
        heapq.heappush(self._entries, (soonest, next(self._numbers), group))

    def look_again(self, group: Group) -> None:
        """Have the next grant look at `group`, whatever the time, if a reply waits
        there."""
        self.put(group, float("-inf") if group.waiting else float("inf"))

    def take(self, latest: float) -> list[Group]:
        """Return the groups to look at by `latest`; they are to be put again."""
        taken = []
        while self._entries and self._entries[0][0] <= latest:
            soonest, _, group = heapq.heappop(self._entries)
            if group.soonest == soonest:
                group.soonest = float("inf")
                taken.append(group)
        return taken

    def soonest(self) -> float:
        """Return when a group is to be looked at; infinity for none."""
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
