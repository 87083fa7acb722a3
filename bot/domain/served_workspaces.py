"""Which workspaces and servers the operator lets the bot serve. Pure."""

import re
from dataclasses import dataclass

from bot.text import lists

#: What whoever gives a command is told where the bot is not offered.
NOT_SERVED = (
    "Sorry, I am not offered here: the operator of this bot decides in which "
    "workspaces and servers it answers."
)

# A Slack workspace or organisation, a Discord server, all of them, or "@me", which
# stands for direct messages on Discord: those belong to no server.
_ENTRY = re.compile(r"slack:(?:[TE][A-Z0-9]+|\*)|discord:(?:[0-9]+|@me|\*)")

_EXPECTED = (
    "is none of these: a Slack workspace (slack:T0123ABC), a Discord server "
    "(discord:1234567890), direct messages on Discord (discord:@me), all workspaces "
    "(slack:*) or all servers (discord:*)."
)


@dataclass(frozen=True, slots=True)
class Served:
    """Which workspaces are served; by default all of them."""

    #: "platform:workspace", "platform:*" or "platform:@me"; empty for everything.
    entries: frozenset[str] = frozenset()

    def holds(self, platform: str, workspace: str) -> bool:
        """Whether people of `workspace` are served."""
        if not self.entries or f"{platform}:{workspace}" in self.entries:
            return True
        # Direct messages are no server, so that all servers are served without them.
        wide = "@me" if workspace.startswith("@") else "*"
        return f"{platform}:{wide}" in self.entries

    def limits(self, platform: str) -> bool:
        """Whether there are workspaces of `platform` that are not served."""
        return bool(self.entries) and f"{platform}:*" not in self.entries

    def refusal(self, platform: str, workspace: str) -> str:
        """What whoever gives a command in `workspace` is told; "" if it is served."""
        return "" if self.holds(platform, workspace) else NOT_SERVED


#: Where nothing is limited.
ALL = Served()


VARIABLE = "THREADKEEP_WORKSPACES"


def read(text: str) -> tuple[Served, list[str]]:
    """What `VARIABLE` says, and what is wrong with it."""
    found, problems = lists.read(text, VARIABLE, _ENTRY, _EXPECTED)
    return Served(found), problems
