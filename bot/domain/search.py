"""Results of a search over stored threads. Frozen values."""

from dataclasses import dataclass

from bot.domain.scope import ThreadKey


@dataclass(frozen=True, slots=True)
class Hit:
    """One message or answer that contains all words of a search."""

    thread: ThreadKey
    #: Counts up in the order of storage.
    number: int
    #: The platform's id; "" for an answer that was never posted.
    message: str
    #: The platform's id; "" for the bot.
    author: str
    #: In seconds since 1970; for an answer, the time of its question.
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Hits:
    """The newest hits, and the number from which a search for older ones continues."""

    found: tuple[Hit, ...]
    #: Everything from this number on was searched; None if nothing older is left.
    before: int | None = None
