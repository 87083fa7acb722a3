"""The workspaces and servers in which the bot answers. Pure."""

import re
from dataclasses import dataclass

from bot.messages.config import NOT_SUCH_A_WORKSPACE
from bot.messages.settings import NOT_SERVED
from bot.text import lists

# A Slack workspace or organisation, a Discord server, or "*" for all of a platform.
# "@me" means direct messages on Discord, which belong to no server. The web has one
# workspace.
_ENTRY = re.compile(
    r"slack:(?:[TE][A-Z0-9]+|\*)|discord:(?:[0-9]+|@me|\*)|web:(?:local|\*)"
)


@dataclass(frozen=True, slots=True)
class Served:
    """The workspaces that are served; by default all."""

    #: "platform:workspace", "platform:*" or "platform:@me"; empty for everything.
    entries: frozenset[str] = frozenset()

    def holds(self, platform: str, workspace: str) -> bool:
        """Return True if `workspace` is served."""
        if not self.entries or f"{platform}:{workspace}" in self.entries:
            return True
        # Direct messages belong to no server, so "discord:*" does not include them.
        wide = "@me" if workspace.startswith("@") else "*"
        return f"{platform}:{wide}" in self.entries

    def limits(self, platform: str) -> bool:
        """Return True if some workspaces of `platform` are not served."""
        return bool(self.entries) and f"{platform}:*" not in self.entries

    def refusal(self, platform: str, workspace: str) -> str:
        """Return the answer to a command in `workspace`; "" if it is served."""
        return "" if self.holds(platform, workspace) else NOT_SERVED


#: All workspaces are served.
ALL = Served()


VARIABLE = "THREADKEEP_WORKSPACES"


def read(text: str) -> tuple[Served, list[str]]:
    """Parse the value of `VARIABLE` into served workspaces and a list of problems."""
    found, problems = lists.read(text, VARIABLE, _ENTRY, NOT_SUCH_A_WORKSPACE)
    return Served(found), problems
