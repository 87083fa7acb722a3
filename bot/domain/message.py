"""Messages as an adapter received them, and what is known of their thread. Frozen
values."""

import enum
from dataclasses import dataclass

from bot.domain.scope import ThreadKey


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as an adapter heard it. Facts only; it decides nothing."""

    thread: ThreadKey
    #: The platform's id of this message; unique within its channel.
    message: str
    #: When it was said by the platform's clock, in seconds since 1970.
    at: float
    #: The platform's id of who said it.
    author: str
    #: What was said, in the platform's own notation.
    text: str
    #: The bot was mentioned, or this was said where only the bot listens.
    addressed: bool
    #: This message is the root of its thread.
    opens: bool
    #: The bot itself said it.
    echo: bool = False
    #: Another program said it.
    automated: bool = False
    #: Names of the files that came with it.
    files: tuple[str, ...] = ()
    #: What it is about, when its author chose that: the message replied to, or
    #: asked about. Remembered with it, never answered for itself.
    quotes: tuple["Message", ...] = ()
    #: The platform's ids of other messages whose words `text` holds, such as the one
    #: that was forwarded: this one is forgotten with them. Only told when it is heard.
    holds: tuple[str, ...] = ()


class Disposition(enum.Enum):
    """What becomes of something heard."""

    #: Not ours, or known already: nothing was written.
    IGNORE = "ignore"
    #: Remembered, for the next turn to read; not answered.
    KEEP = "keep"
    #: Remembered, and a turn waits to answer it.
    ANSWER = "answer"


#: How long, in seconds, it is remembered how much other programs said, lest they and
#: we answer each other for ever.
LOOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What is known of a thread when a message for it is judged."""

    #: The bot was addressed by the thread's root: people may go on unaddressed.
    follows: bool
    #: How many messages of other programs came in the `LOOP_SECONDS` before the one
    #: that is judged.
    automated: int = 0
