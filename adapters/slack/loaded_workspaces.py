"""Holds the workspaces in use, as many as fit into memory."""

from collections.abc import Iterable, Iterator

from adapters.slack.workspace import Workspace
from bot.runtime.lru import LruDict

# The most workspaces in use at once, and the most entries in all their caches (answers
# of Slack and refusals), at a few hundred bytes each. Over these limits, the least
# recently used workspaces are dropped.
MOST_WORKSPACES = 2_000
MOST_REMEMBERED = 100_000
# The entries are counted once in this many uses of workspaces.
COUNTED = 100


class LoadedWorkspaces:
    """A cache of workspaces by their ids."""

    def __init__(self) -> None:
        self._loaded: LruDict[str, Workspace] = LruDict(MOST_WORKSPACES)
        self._uses = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def get(self, team: str) -> Workspace | None:
        """Return the workspace `team` and mark it as used; None if it is not held."""
        self._uses += 1
        if self._uses % COUNTED == 0:
            self._trim()
        return self._loaded.get(team)

    def add(self, team: str, workspace: Workspace) -> None:
        """Add the workspace `team`."""
        self._loaded[team] = workspace

    def forget(self, teams: Iterable[str]) -> None:
        """Drop the workspaces `teams`."""
        for team in teams:
            self._loaded.pop(team, None)

    def _trim(self) -> None:
        """Drop the least recently used workspaces while all of them hold too many
        entries."""
        sizes = {team: there.size for team, there in self._loaded.items()}
        left = sum(sizes.values())
        for team, size in sizes.items():
            if left <= MOST_REMEMBERED or len(self._loaded) == 1:
                return
            del self._loaded[team]
            left -= size
