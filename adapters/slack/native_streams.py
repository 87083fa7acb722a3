"""Chooses the answers that are written as Slack's native streams, and remembers Slack's
refusals.

Appending to a stream has its own rate limit, and a stream shows text as it arrives. But
in a channel, only the person who asked sees a stream live (platform facts A7.2). So by
default channels get streams only if edits do not suffice, and stopping a stream shows
its text to everybody. Every failure leads back to post and edit.
"""

import enum
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain.message import Origin
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.runtime.lru import LruDict

#: The age at which a stream is stopped, in seconds. Slack ends a stream about five
#: minutes after its start, and it then looks broken until it is edited (facts A7.2).
LIFETIME = 230.0

# The most channels and types of channels whose refusals are remembered.
MOST_REFUSALS = 1_000


class Mode(enum.Enum):
    """The setting for the places in which streams are used."""

    #: In direct messages, and in channels if edits do not suffice.
    AUTO = "auto"
    DM = "dm"
    ALL = "all"
    OFF = "off"


@dataclass(slots=True)
class Stream:
    """One message that grows by appended text."""

    #: The text so far.
    sent: str
    began: float
    #: The ts of the message; "" until Slack has returned it.
    ts: str = ""
    #: Whether the next call must stop the stream.
    closing: bool = False
    #: Whether `sent` may be wrong, for example after an append of unknown outcome.
    unsure: bool = False


# The most people whose workspaces are remembered.
MOST_PEOPLE = 5_000


@dataclass(slots=True)
class Streams:
    """Decides where streams are used in a workspace."""

    mode: Mode
    #: The id of the bot's user.
    us: str
    clock: Callable[[], float] = time.monotonic
    #: Whether Slack accepts cards in streams.
    takes_cards: bool = field(default=True, init=False)
    _refused: LruDict[str, None] = field(default_factory=lambda: LruDict(MOST_REFUSALS))
    #: The workspaces of users, by user, as their messages state them.
    _teams: LruDict[str, str] = field(default_factory=lambda: LruDict(MOST_PEOPLE))

    @property
    def size(self) -> int:
        """The number of remembered refusals and people."""
        return len(self._refused) + len(self._teams)

    def serve(self, thread: ThreadKey) -> bool:
        """Return whether an answer in `thread` may be a stream."""
        kind, wanted = thread.channel[:1], self.mode is not Mode.OFF
        if kind != "D":
            wanted = self.mode in (Mode.ALL, Mode.AUTO)
        refused = kind in self._refused or thread.channel in self._refused
        return wanted and not refused

    def spare_others(self, thread: ThreadKey) -> bool:
        """Return whether a stream in `thread` must not show less to other people than
        an edited message would."""
        return self.mode is Mode.AUTO and not thread.channel.startswith("D")

    def refuse(self, thread: ThreadKey) -> None:
        """Use no more streams in channels of the same type as that of `thread`."""
        self._refused[thread.channel[:1]] = None

    def refuse_channel(self, thread: ThreadKey) -> None:
        """Use no more streams in the channel of `thread`."""
        self._refused[thread.channel] = None

    def introduce(self, user: str, team: str) -> None:
        """Remember that `user` belongs to the workspace `team`, if that is known."""
        if team:
            self._teams[user] = team

    def recipient(self, turn: Turn) -> Mapping[str, str] | None:
        """Return the arguments that name the person who sees the answer to `turn` live,
        which Slack requires outside direct messages (facts A7.1); None if the person's
        workspace is unknown.

        Slack requires the person's own workspace, which may be another one in a shared
        channel (facts A9). It is not stored, so after a restart such an answer is
        posted.
        """
        team = self._teams.get(turn.asker)
        if team is None:
            opening = turn.opening
            if opening is None or opening.origin is not Origin.OWN:
                return None
            team = turn.thread.workspace
        return {"recipient_user_id": turn.asker, "recipient_team_id": team}

    def begin(self, text: str) -> Stream:
        """Return a stream that starts now."""
        return Stream(text, self.clock())

    def is_old(self, stream: Stream) -> bool:
        """Return whether `stream` must be stopped now, before Slack ends it."""
        return self.clock() - stream.began > LIFETIME
