"""The slots of turns that run at once. Pure.

Rule: no platform that hangs takes all slots. No workspace takes all of them either, on
platforms whose workspaces share nothing.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.scope import ThreadKey

#: The platform, the person, and the workspace if workspaces have slots of their own.
Asker = tuple[str, str, str]

NONE: Mapping[str, int] = MappingProxyType({})


class Slots:
    """At most `at_once` slots in all, and at most `per_platform` for one platform.

    `per_workspace` limits the slots of one workspace, by platform.
    """

    def __init__(
        self, at_once: int, per_platform: int, per_workspace: Mapping[str, int] = NONE
    ) -> None:
        self._most = at_once
        self._per_platform = per_platform
        self._per_workspace = per_workspace
        #: Number of running turns, by platform, and by workspace if it has a limit.
        self._taken: Counter[str] = Counter()
        self._taken_in: Counter[tuple[str, str]] = Counter()

    @property
    def taken(self) -> int:
        """The number of taken slots."""
        return sum(self._taken.values())

    @property
    def is_free(self) -> bool:
        """True if at least one slot is free."""
        return self.taken < self._most

    def owner(self, thread: ThreadKey, asker: str) -> Asker:
        """Return the owner of a slot that `asker` takes in `thread`."""
        apart = thread.platform in self._per_workspace
        return thread.platform, asker, thread.workspace if apart else ""

    def may_take(self, who: Asker) -> bool:
        """Return whether `who` may take a slot, provided that one is free."""
        platform, _, workspace = who
        most = self._per_workspace.get(platform)
        if most is not None and self._taken_in[platform, workspace] >= most:
            return False
        return self._taken[platform] < self._per_platform

    def take(self, thread: ThreadKey) -> None:
        """Take a slot for `thread`."""
        self._count(thread, 1)

    def give(self, thread: ThreadKey) -> None:
        """Give back the slot of `thread`."""
        self._count(thread, -1)

    def _count(self, thread: ThreadKey, more: int) -> None:
        self._taken[thread.platform] += more
        if thread.platform in self._per_workspace:
            place = thread.platform, thread.workspace
            self._taken_in[place] += more
            if not self._taken_in[place]:
                del self._taken_in[place]
