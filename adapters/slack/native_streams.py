"""Where answers are shown as Slack's own streams, and where Slack refused that.

Streams are appended to, which has a budget of its own, and look alive; but in a
channel only who asked sees the live text (platform facts A7.2), so by default they
serve direct messages. All that can go wrong with one leads back to post and edit.
"""

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.scope import ThreadKey
from bot.runtime.lru import LruDict

#: A stream ends by itself about five minutes after its start, however much it is
#: appended to; then it looks broken until it is edited (facts A7.2).
LIFETIME = 230.0

# Of how many kinds of channels it is remembered that they refused: Slack has three.
MOST_KINDS = 8


class Mode(enum.Enum):
    """Where streams are wanted."""

    DM = "dm"
    ALL = "all"
    OFF = "off"


@dataclass(slots=True)
class Stream:
    """One message that grows by what is appended."""

    #: What it reads.
    sent: str
    began: float
    #: The ts of the message; "" until Slack has returned it.
    ts: str = ""
    #: Nothing is to be appended any more.
    closing: bool = False
    #: Whether `sent` may be wrong, as after an append of unknown outcome.
    unsure: bool = False


@dataclass(slots=True)
class Streams:
    """What is known of streams in a workspace."""

    mode: Mode
    #: Our user's id.
    us: str
    clock: Callable[[], float] = time.monotonic
    _refused: LruDict[str, None] = field(default_factory=lambda: LruDict(MOST_KINDS))

    def serve(self, thread: ThreadKey) -> bool:
        """Whether an answer in `thread` is to be a stream."""
        kind = thread.channel[:1]
        wanted = self.mode is Mode.ALL or (self.mode is Mode.DM and kind == "D")
        return wanted and kind not in self._refused

    def refuse(self, thread: ThreadKey) -> None:
        """Remember that there are none in channels like that of `thread`."""
        self._refused[thread.channel[:1]] = None

    def begin(self, text: str) -> Stream:
        """A stream that begins now."""
        return Stream(text, self.clock())

    def is_old(self, stream: Stream) -> bool:
        """Whether `stream` is to be ended before Slack does it."""
        return self.clock() - stream.began > LIFETIME
