"""What a platform allows, as data: the core never asks which platform it is."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.scope import ThreadKey


class RateLimitScope(enum.Enum):
    """Over what a platform counts a rate limit."""

    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"

    def of(self, thread: ThreadKey) -> str:
        """The name of the budget that a write into `thread` is counted on."""
        if self is RateLimitScope.WORKSPACE:
            return f"{thread.platform}:{thread.workspace}"
        if self is RateLimitScope.CHANNEL:
            return f"{thread.platform}:{thread.workspace}:{thread.channel}"
        return str(thread)


class WriteKind(enum.Enum):
    """How a message comes to read what it should; platforms count them apart."""

    POST = "post"
    EDIT = "edit"
    #: Begin, prolong and end a message that grows by what is appended.
    OPEN = "open"
    APPEND = "append"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` writes per `seconds` in one scope, at most `burst` at once."""

    count: int
    seconds: float
    scope: RateLimitScope
    burst: int = 1


@dataclass(frozen=True, slots=True)
class EditInterval:
    """How often one message is written while its answer grows."""

    #: Seconds between two writes, at the beginning of the answer and once it has
    #: `grown` so many characters. People look at the beginning; later they read.
    first: float = 0.0
    last: float = 0.0
    grown: int = 1
    #: Fewer new characters are not worth a write, unless they are the last.
    fewest: int = 1

    def interval(self, chars: int) -> float:
        """The seconds until the next write, in an answer of so many characters."""
        share = min(1.0, chars / self.grown)
        return self.first + (self.last - self.first) * share


@dataclass(frozen=True, slots=True)
class Limits:
    """What one platform allows."""

    #: The most characters that one message may hold.
    part_chars: int
    #: How long, in seconds, the first words wait for company: a write that shows
    #: one word keeps the next ones away for a whole interval.
    settle: float = 0.0
    #: What the platform allows, the widest scope first; nothing where it does not
    #: count.
    rates: Mapping[WriteKind, tuple[Rate, ...]] = field(default_factory=dict)
    #: What is missing is written as often as the rates allow.
    paces: Mapping[WriteKind, EditInterval] = field(default_factory=dict)
    #: Sequences that would notify people if the model wrote them. A zero-width
    #: space goes in after the first character of each match.
    pings: re.Pattern[str] | None = None
    #: The most lines of a message that readers see without unfolding it, where
    #: there is such a number.
    part_lines: int | None = None
    #: How long, in seconds, the platform's own sign that an answer is coming may be
    #: all that people see. After that a placeholder is, which they can stop.
    silence: float = 10.0
    #: Whether Markdown's tables and images are shown as such.
    tables: bool = True
    images: bool = True
    #: Whether it is known who created a channel.
    creators: bool = False
    #: Said once, below the first answer in a thread that was begun by addressing
    #: the bot: what people must know to go on.
    hint: str = ""
    #: How people name a channel in what they type, as a sentence for them.
    naming: str = "Please name a channel by mentioning it."
