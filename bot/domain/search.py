"""Results of a search over stored threads. Frozen values."""

from dataclasses import dataclass

from bot.domain.scope import ThreadKey


@dataclass(frozen=True, slots=True)
class Hit:
    """One message or answer that has all words of a search."""

    thread: ThreadKey
    #: Grows with the time at which it was stored.
    number: int
    #: The platform's id; "" for an answer that was never posted.
    message: str
    #: The platform's id; "" for the bot.
    author: str
    #: In seconds since 1970; of an answer, of its question.
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Hits:
    """The newest hits, and where an older search goes on."""

    found: tuple[Hit, ...]
    #: Everything from this number on was looked through; None if nothing older is left.
    before: int | None = None
