"""Scopes: the operator, a workspace, a channel, a thread. Frozen values."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadKey:
    """The key of one conversation: the unit of memory, of ordering and of privacy.

    All four parts are the platform's own ids. Only the adapter that made them may
    interpret them; everything else compares them.
    """

    platform: str
    workspace: str
    channel: str
    thread: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.workspace}:{self.channel}:{self.thread}"


class ScopeLevel(enum.Enum):
    """The width of a scope, the widest first. The narrowest setting wins."""

    #: Every workspace: the operator's environment.
    OPERATOR = "operator"
    #: A Slack workspace or a Discord server.
    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"


#: The number of parts that a scope of each level has.
_PARTS = {
    ScopeLevel.OPERATOR: 0,
    ScopeLevel.WORKSPACE: 2,
    ScopeLevel.CHANNEL: 3,
    ScopeLevel.THREAD: 4,
}


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The place where a setting applies. An empty part matches everything."""

    platform: str = ""
    workspace: str = ""
    channel: str = ""
    thread: str = ""

    @classmethod
    def of(cls, thread: ThreadKey) -> "Scope":
        """Return the scope of `thread` alone."""
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
        """The scope as a thread key."""
        return ThreadKey(self.platform, self.workspace, self.channel, self.thread)

    def at(self, level: ScopeLevel) -> "Scope":
        """Return the enclosing scope at `level`, or this one if it is wider."""
        parts = (self.platform, self.workspace, self.channel, self.thread)
        return Scope(*parts[: _PARTS[level]])

    @property
    def around(self) -> tuple["Scope", ...]:
        """This scope and all that enclose it, the narrowest first."""
        return tuple(dict.fromkeys(self.at(level) for level in reversed(ScopeLevel)))

    def holds(self, other: "Scope") -> bool:
        """Return True if `other` is this scope or within it."""
        return other.at(self.level) == self

    def __str__(self) -> str:
        parts = (self.platform, self.workspace, self.channel, self.thread)
        return ":".join(filter(None, parts)) or "operator"


#: The operator's scope, which encloses all others.
EVERYWHERE = Scope()
