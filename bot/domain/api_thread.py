"""Threads of the web API as programs read them. Frozen values."""

from dataclasses import dataclass

from bot.domain.turn import Ended, TurnState


@dataclass(frozen=True, slots=True)
class ApiThread:
    """One thread in a list."""

    #: The id of the thread in its channel.
    thread: str
    #: The beginning of its first message.
    title: str
    #: The id of the author of its first message.
    owner: str
    #: The number of answers.
    turns: int
    #: Seconds since 1970.
    created: float
    #: The number to continue a list after.
    number: int


@dataclass(frozen=True, slots=True)
class ApiMessage:
    """A message or an answer of a thread."""

    #: The id of the message; of an answer, the key of its turn.
    id: str
    #: "" for an answer.
    author: str
    text: str
    #: Seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class AnswerSoFar:
    """The answer to one message as it is stored now."""

    #: The key of the turn; another after a retry.
    turn: str
    state: TurnState
    ended: Ended | None = None
    #: As Claude wrote it. It only grows, unless a restart or a retry begins it anew.
    text: str = ""
    #: A note for people above or below it, for example which files were not read, or
    #: why it did not end well.
    note: str = ""
    stop_reason: str = ""

    @property
    def is_final(self) -> bool:
        """True if the turn no longer changes by itself."""
        return self.state in (TurnState.UNDELIVERED, TurnState.DELIVERED)
