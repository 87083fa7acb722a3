"""Threads as the web API returns them. Frozen values."""

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
    #: The cursor: a list continues after this number.
    number: int


@dataclass(frozen=True, slots=True)
class ApiMessage:
    """A message or an answer in a thread."""

    #: The id of the message; for an answer, the key of its turn.
    id: str
    #: "" for an answer.
    author: str
    text: str
    #: Seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class AnswerSoFar:
    """The current state of the answer to one message."""

    #: The key of the turn; a retry changes it.
    turn: str
    state: TurnState
    ended: Ended | None = None
    #: The text as Claude wrote it. It only grows, except when a restart or a retry
    #: starts the answer again.
    text: str = ""
    #: A note for people, shown above or below the text: for example which files were
    #: not read, or why the answer failed.
    note: str = ""
    stop_reason: str = ""

    @property
    def is_final(self) -> bool:
        """True if the turn no longer changes by itself."""
        return self.state in (TurnState.UNDELIVERED, TurnState.DELIVERED)
