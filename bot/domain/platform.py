"""Limits of a platform, as data: the core never asks which platform it is."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.scope import ThreadKey
from bot.messages.values import NAME_A_CHANNEL

#: Text that Claude sends within this many seconds counts as simultaneous and is
#: written at once.
AT_ONCE = 0.02


class RateLimitScope(enum.Enum):
    """The scope in which a platform counts a rate limit."""

    #: Everything that the bot writes, of any kind.
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
    """A kind of write. Platforms count the kinds separately."""

    POST = "post"
    EDIT = "edit"
    #: Open, append to and close a native stream.
    OPEN = "open"
    APPEND = "append"
    CLOSE = "close"

    # Budgets are looked up by kind many times a second, and `Enum.__hash__` is slower:
    # it hashes the name.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` writes per `seconds` in one scope, at most `burst` at once."""

    count: int
    seconds: float
    scope: RateLimitScope
    burst: int = 1
    #: True: at most `count` writes in any span of `seconds`, all of them at once if
    #: need be. False: up to `burst` more than `count`.
    slides: bool = False


@dataclass(frozen=True, slots=True)
class EditInterval:
    """The interval between writes of a message while its answer grows."""

    #: The seconds between two writes at the beginning of the answer, and from `grown`
    #: characters on. Readers watch the beginning as it appears; later they read.
    first: float = 0.0
    last: float = 0.0
    grown: int = 1
    #: The fewest new characters that justify a write, unless they are the last.
    fewest: int = 1

    def interval(self, chars: int) -> float:
        """Return the seconds until the next write of an answer with `chars` so far."""
        share = min(1.0, chars / self.grown)
        return self.first + (self.last - self.first) * share**2


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one platform."""

    #: The maximum number of characters in one message.
    part_chars: int
    #: The longest delay of the first write, in seconds, while there are too few
    #: characters to justify an edit.
    settle: float = 0.0
    #: The rate limits by kind of write, the widest scope first; empty for none.
    rates: Mapping[WriteKind, tuple[Rate, ...]] = field(default_factory=dict)
    #: The intervals by kind of write. A missing kind is written as often as the rate
    #: limits allow.
    paces: Mapping[WriteKind, EditInterval] = field(default_factory=dict)
    #: Matches text that would notify people. A zero-width space is inserted after the
    #: first character of each match.
    pings: re.Pattern[str] | None = None
    #: The maximum number of lines that the platform shows without folding a message;
    #: None for no limit.
    part_lines: int | None = None
    #: The seconds for which only the platform's typing indicator is shown. After that,
    #: a placeholder with a Stop button is posted.
    silence: float = 10.0
    #: Whether the platform renders Markdown tables and images.
    tables: bool = True
    images: bool = True
    #: Whether workspaces share no rate limits, so that a workspace that accepts no
    #: writes must not block answers in others.
    apart: bool = False
    #: Whether the platform reports the creator of a channel.
    creators: bool = False
    #: A hint shown once, below the first answer in a thread whose root addressed the
    #: bot.
    hint: str = ""
    #: A sentence that explains how to name a channel in a command.
    naming: str = NAME_A_CHANNEL

    def delay(self, chars: int) -> float:
        """Return the seconds from the first character of a reply to its first write.

        The delay depends on `chars`, the number of characters; it is infinite for 0.
        """
        if not chars:
            return float("inf")
        enough = chars >= self.pace(WriteKind.EDIT).fewest
        return min(self.settle, AT_ONCE) if enough else self.settle

    def pace(self, kind: WriteKind) -> EditInterval:
        """Return the interval between writes of `kind`."""
        return self.paces.get(kind, EditInterval())
