"""Scopes: the operator, a workspace, a channel, a thread. Frozen values."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadKey:
    """Names one conversation: the unit of memory, of ordering and of privacy.

    All four are the platform's own ids. Only the adapter that made them may
    look inside; everyone else compares them.
    """

    platform: str
    workspace: str
    channel: str
    thread: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.workspace}:{self.channel}:{self.thread}"


class ScopeLevel(enum.Enum):
    """How wide a place is; the widest first. The narrower one wins."""

    #: What the operator's environment says, for every workspace.
    OPERATOR = "operator"
    #: A Slack workspace or a Discord server.
    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"


#: How many parts of a place are named at each level.
_PARTS = {
    ScopeLevel.OPERATOR: 0,
    ScopeLevel.WORKSPACE: 2,
    ScopeLevel.CHANNEL: 3,
    ScopeLevel.THREAD: 4,
}


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Where a setting applies: each empty part means all there are of it."""

    platform: str = ""
    workspace: str = ""
    channel: str = ""
    thread: str = ""

    @classmethod
    def of(cls, thread: ThreadKey) -> "Scope":
        """The place that is `thread` alone."""
        return cls(thread.platform, thread.workspace, thread.channel, thread.thread)

    @property
    def level(self) -> ScopeLevel:
        if self.thread:
            return ScopeLevel.THREAD
        if self.channel:
            return ScopeLevel.CHANNEL
        return ScopeLevel.WORKSPACE if self.workspace else ScopeLevel.OPERATOR

    @property
    def key(self) -> ThreadKey:
        """The same, as a thread is named."""
        return ThreadKey(self.platform, self.workspace, self.channel, self.thread)

    def at(self, level: ScopeLevel) -> "Scope":
        """The place around this one that is as wide as `level`, or this one."""
        parts = (self.platform, self.workspace, self.channel, self.thread)
        kept = {
            ScopeLevel.OPERATOR: 0,
            ScopeLevel.WORKSPACE: 2,
            ScopeLevel.CHANNEL: 3,
            ScopeLevel.THREAD: 4,
        }
        return Scope(*parts[: kept[level]])

    @property
    def around(self) -> tuple["Scope", ...]:
        """This place and all that it lies in, the narrowest first, the operator's
        last."""
        return tuple(dict.fromkeys(self.at(level) for level in reversed(ScopeLevel)))

    def holds(self, other: "Scope") -> bool:
        """Whether `other` is this place or lies in it."""
        return other.at(self.level) == self

    def __str__(self) -> str:
        parts = (self.platform, self.workspace, self.channel, self.thread)
        return ":".join(filter(None, parts)) or "operator"


#: The operator's own place, which all others lie in.
EVERYWHERE = Scope()
