"""Messages of a platform that has no server of its own. Frozen values."""

from dataclasses import dataclass

from bot.domain.attachment import Attachment
from bot.domain.scope import ThreadKey
from bot.text.characters import replace_invalid


@dataclass(frozen=True, slots=True)
class Post:
    """One message as people see it: of a person, or of the bot."""

    thread: ThreadKey
    #: Unique in its workspace. The root of a thread has the id of the thread.
    message: str
    #: The time of posting, in seconds since 1970.
    at: float
    #: The id of the author; "" for the bot.
    author: str
    text: str
    #: The key of the turn that it answers, and the number of this message of the
    #: answer; "" for what is no answer.
    turn: str = ""
    index: int = 0
    #: Whether the text grows no more.
    final: bool = True
    #: Words of `bot.domain.reply.Control` for the controls below it.
    controls: tuple[str, ...] = ()
    #: A response to a command, as the adapter encodes it; "" for none.
    body: str = ""
    #: The only person who sees it; "" for everybody who sees the thread.
    reader: str = ""
    #: Emoji that were added as reactions.
    signs: tuple[str, ...] = ()
    files: tuple[Attachment, ...] = ()
    edited: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", replace_invalid(self.text))


@dataclass(frozen=True, slots=True)
class Topic:
    """A thread in the list of its channel: its root, and what followed."""

    root: Post
    replies: int
    #: The time of the last message, in seconds since 1970.
    last: float
