"""Messages of a platform without a server of its own. Frozen values."""

from dataclasses import dataclass

from bot.domain.attachment import Attachment
from bot.domain.scope import ThreadKey
from bot.text.characters import replace_invalid


@dataclass(frozen=True, slots=True)
class Post:
    """One message of a person or of the bot, as people see it."""

    thread: ThreadKey
    #: Unique in its workspace. The root of a thread has the id of the thread.
    message: str
    #: The time of posting, in seconds since 1970.
    at: float
    #: The id of the author; "" for the bot.
    author: str
    text: str
    #: The key of the turn whose answer it belongs to, and its number within the answer;
    #: "" if it is not part of an answer.
    turn: str = ""
    index: int = 0
    #: Whether the text is complete.
    final: bool = True
    #: Values of `bot.domain.reply.Control` for the controls below the message.
    controls: tuple[str, ...] = ()
    #: A response to a command, as the adapter encodes it; "" for none.
    body: str = ""
    #: The only person who sees the message; "" for everybody who sees the thread.
    reader: str = ""
    #: Emoji of the reactions.
    signs: tuple[str, ...] = ()
    files: tuple[Attachment, ...] = ()
    edited: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", replace_invalid(self.text))


@dataclass(frozen=True, slots=True)
class Topic:
    """A thread in its channel's list: its root, with facts about its replies."""

    root: Post
    replies: int
    #: The time of the last message, in seconds since 1970.
    last: float
