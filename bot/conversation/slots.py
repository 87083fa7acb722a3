"""The places of turns that run at once. Pure.

Rule: neither a platform that hangs nor, where workspaces share nothing, one workspace
takes all of them.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.scope import ThreadKey

#: The platform, the person, and the workspace where that has slots of its own.
Asker = tuple[str, str, str]

NONE: Mapping[str, int] = MappingProxyType({})


class Slots:
    """At most `at_once` in all, `per_platform` of one platform, and as many of one
    workspace as `per_workspace` says for its platform."""

    def __init__(
        self, at_once: int, per_platform: int, per_workspace: Mapping[str, int] = NONE
    ) -> None:
        self._most = at_once
        self._per_platform = per_platform
        self._per_workspace = per_workspace
        #: Number of running turns, by platform, and by workspace where that counts.
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
        """Return for whom `asker` takes a slot in `thread`."""
        apart = thread.platform in self._per_workspace
        return thread.platform, asker, thread.workspace if apart else ""

    def may_take(self, who: Asker) -> bool:
        """Return whether there is one for `who` as long as one is free."""
        platform, _, workspace = who
        most = self._per_workspace.get(platform)
        if most is not None and self._taken_in[platform, workspace] >= most:
            return False
        return self._taken[platform] < self._per_platform

    def take(self, thread: ThreadKey) -> None:
        """Take one for `thread`."""
        self._count(thread, 1)

    def give(self, thread: ThreadKey) -> None:
        """Give that of `thread` back."""
        self._count(thread, -1)

    def _count(self, thread: ThreadKey, more: int) -> None:
        self._taken[thread.platform] += more
        if thread.platform in self._per_workspace:
            place = thread.platform, thread.workspace
            self._taken_in[place] += more
            if not self._taken_in[place]:
                del self._taken_in[place]
