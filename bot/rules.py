"""What admins have set: where, by whom, since when. Values only, all of them frozen.

A *setting* is the value of one option (`bot.options`) at one place. Every change is
an entry of the audit, and the number of the newest entry at a place is the revision
that a form was drawn from: who saves a form that is older than that is told.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.values import ThreadKey


class Level(enum.Enum):
    """How wide a place is; the widest first. The narrower one wins."""

    #: What the operator's environment says, for every workspace.
    OPERATOR = "operator"
    #: A Slack workspace or a Discord server.
    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"


#: How many parts of a place are named at each level.
_PARTS = {Level.OPERATOR: 0, Level.WORKSPACE: 2, Level.CHANNEL: 3, Level.THREAD: 4}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a setting applies: each empty part means all there are of it."""

    platform: str = ""
    workspace: str = ""
    channel: str = ""
    thread: str = ""

    @classmethod
    def of(cls, thread: ThreadKey) -> "Place":
        """The place that is `thread` alone."""
        return cls(thread.platform, thread.workspace, thread.channel, thread.thread)

    @property
    def level(self) -> Level:
        if self.thread:
            return Level.THREAD
        if self.channel:
            return Level.CHANNEL
        return Level.WORKSPACE if self.workspace else Level.OPERATOR

    @property
    def key(self) -> ThreadKey:
        """The same, as a thread is named."""
        return ThreadKey(self.platform, self.workspace, self.channel, self.thread)

    def at(self, level: Level) -> "Place":
        """The place around this one that is as wide as `level`, or this one."""
        parts = (self.platform, self.workspace, self.channel, self.thread)
        kept = {
            Level.OPERATOR: 0,
            Level.WORKSPACE: 2,
            Level.CHANNEL: 3,
            Level.THREAD: 4,
        }
        return Place(*parts[: kept[level]])

    @property
    def around(self) -> tuple["Place", ...]:
        """This place and all that it lies in, the narrowest first, the operator's
        last."""
        return tuple(dict.fromkeys(self.at(level) for level in reversed(Level)))

    def holds(self, other: "Place") -> bool:
        """Whether `other` is this place or lies in it."""
        return other.at(self.level) == self

    def __str__(self) -> str:
        parts = (self.platform, self.workspace, self.channel, self.thread)
        return ":".join(filter(None, parts)) or "operator"


#: The operator's own place, which all others lie in.
EVERYWHERE = Place()


@dataclass(frozen=True, slots=True)
class Setting:
    """One option's value at one place."""

    place: Place
    #: An option's name.
    name: str
    #: In the option's canonical form; of a versioned one, the id of its version.
    value: str
    #: Who set it: a platform's user id, or "operator".
    who: str
    #: Seconds since 1970.
    at: float
    #: The number of the audit's entry that set it.
    revision: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All that was set for one place: there, and around it."""

    settings: tuple[Setting, ...] = ()
    #: What a running thread keeps of the day on which it began, by option.
    kept: Mapping[str, str] = field(default_factory=dict)
    #: The kept options that an admin has changed for running threads, too.
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be set at one place. A `value` of None takes the setting back, so
    that what applies around the place applies there again."""

    place: Place
    name: str
    #: Canonical; of a versioned option the text itself, of which every one is kept.
    value: str | None
    versioned: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """Something for the audit: a change, or a refusal, which is kept folded."""

    id: int
    at: float
    place: Place
    #: A platform's user id, or "operator".
    who: str
    #: "set", "cleared", "rolled back", "imported" or "denied".
    action: str
    #: The option's name; for "denied", what was to be done.
    name: str
    #: Values as they were and are; None for none. Of a versioned option
    #: "version 3", never the text.
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often somebody was refused the same thing in a channel within an hour."""

    #: Never narrower than a channel.
    place: Place
    #: A platform's user id; "" for all whose refusals were too many to keep apart.
    who: str
    #: What was to be done.
    name: str
    count: int
    #: When it was refused last, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class Clash:
    """Nothing was changed: others changed the same since the form was drawn."""

    #: What they did, oldest first.
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a text that is kept in versions, of which the prompt is one."""

    id: int
    place: Place
    #: Counts from 1 at each place.
    number: int
    #: None where it was taken back, so that the place has none of its own.
    text: str | None
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote and has not saved (yet). Kept for a week."""

    id: int
    place: Place
    name: str
    value: str
    who: str
    at: float
