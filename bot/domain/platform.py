"""Limits of a platform, as data: the core never asks which platform it is."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.scope import ThreadKey
from bot.messages.values import NAME_A_CHANNEL

#: Text that Claude sends within this many seconds counts as simultaneous, and is one
#: write.
AT_ONCE = 0.02


class RateLimitScope(enum.Enum):
    """The scope in which a platform counts a rate limit."""

    #: All that the bot writes anywhere, of whatever kind.
    BOT = "bot"
    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"

    def of(self, thread: ThreadKey) -> str:
        """Return the key under which a write into `thread` is counted."""
        if self is RateLimitScope.BOT:
            return thread.platform
        if self is RateLimitScope.WORKSPACE:
            return f"{thread.platform}:{thread.workspace}"
        if self is RateLimitScope.CHANNEL:
            return f"{thread.platform}:{thread.workspace}:{thread.channel}"
        return str(thread)


class WriteKind(enum.Enum):
    """A kind of write, which platforms count apart."""

    POST = "post"
    EDIT = "edit"
    #: Open, append to and close a native stream.
    OPEN = "open"
    APPEND = "append"
    CLOSE = "close"

    # Budgets are looked up by it many times a second; that of `Enum` hashes its name.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` writes per `seconds` in one scope, at most `burst` at once."""

    count: int
    seconds: float
    scope: RateLimitScope
    burst: int = 1
    #: Whether no span of `seconds` may see more than `count`, all of which may come at
    #: once. Else up to `burst` more may.
    slides: bool = False


@dataclass(frozen=True, slots=True)
class EditInterval:
    """The pauses between writes of a message while its answer grows."""

    #: Seconds between two writes at the beginning of the answer, and once it has
    #: `grown` characters. The beginning is watched; what follows is read.
    first: float = 0.0
    last: float = 0.0
    grown: int = 1
    #: The fewest new characters that are worth a write, unless they are the last.
    fewest: int = 1

    def interval(self, chars: int) -> float:
        """Return the seconds to the next write, at `chars` characters."""
        share = min(1.0, chars / self.grown)
        return self.first + (self.last - self.first) * share**2


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one platform."""

    #: The most characters of one message.
    part_chars: int
    #: The longest delay of the first write, in seconds, while there are fewer
    #: characters than are worth an edit.
    settle: float = 0.0
    #: The rate limits by kind of write, the widest scope first; empty for none.
    rates: Mapping[WriteKind, tuple[Rate, ...]] = field(default_factory=dict)
    #: A kind that is missing is written as often as the rates allow.
    paces: Mapping[WriteKind, EditInterval] = field(default_factory=dict)
    #: Text that would notify people. A zero-width space is inserted after the first
    #: character of each match.
    pings: re.Pattern[str] | None = None
    #: The most lines of a message that are shown unfolded; None for no such limit.
    part_lines: int | None = None
    #: The time, in seconds, for which the platform's own typing indicator may stand
    #: alone. After that a placeholder is posted, which can be stopped.
    silence: float = 10.0
    #: Whether Markdown tables and images are rendered.
    tables: bool = True
    images: bool = True
    #: Whether workspaces share nothing: one that takes no writes must not hold the
    #: places of answers in others.
    apart: bool = False
    #: Whether the creator of a channel is known.
    creators: bool = False
    #: A hint shown once, below the first answer of a thread that addressed the bot.
    hint: str = ""
    #: A sentence that says how to name a channel in a command.
    naming: str = NAME_A_CHANNEL

    def delay(self, chars: int) -> float:
        """Return how many seconds after its first character a reply with `chars`
        characters is written first; infinity for none."""
        if not chars:
            return float("inf")
        enough = chars >= self.pace(WriteKind.EDIT).fewest
        return min(self.settle, AT_ONCE) if enough else self.settle

    def pace(self, kind: WriteKind) -> EditInterval:
        """Return the pauses between writes of the `kind`."""
        return self.paces.get(kind, EditInterval())
