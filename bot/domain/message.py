"""Incoming messages, and facts about their threads. Frozen values."""

import enum
from dataclasses import dataclass, replace

from bot.domain.answer_options import NO_OPTIONS, AnswerOptions
from bot.domain.attachment import Attachment
from bot.domain.scope import ThreadKey
from bot.domain.setting import Change
from bot.text.characters import replace_invalid


class MarkKind(enum.Enum):
    """The kind of a mark in a text."""

    #: The bot itself, by its user or its own role.
    BOT = "bot"
    PERSON = "person"
    #: A user group or role.
    GROUP = "group"
    #: Everybody in the channel: @here, @channel, @everyone.
    EVERYONE = "everyone"
    EMOJI = "emoji"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mention or an emoji that the platform marks.

    "@Bob" as plain text is not a mark.
    """

    kind: MarkKind
    #: The platform's id of the person or group that is mentioned; "" if there is none.
    id: str = ""


class Origin(enum.Enum):
    """The origin of a message, as the platform marks it."""

    #: A channel of this workspace only.
    OWN = ""
    #: A channel that is shared with another organisation.
    SHARED = "shared"
    #: A shared channel, and an author from another organisation.
    FOREIGN = "foreign"

    @classmethod
    def _missing_(cls, value: object) -> "Origin":
        # A value from a later version, or from a database that was edited by hand.
        return cls.FOREIGN


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as an adapter received it.

    Holds facts only. The text is safe to store.
    """

    thread: ThreadKey
    #: The platform's id of this message; unique within its channel.
    message: str
    #: The time of posting by the platform's clock, in seconds since 1970.
    at: float
    #: The platform's id of the author.
    author: str
    #: The text in the platform's own markup.
    text: str
    #: Whether it mentions the bot or was sent to the bot directly.
    addressed: bool
    #: Whether it is the root of its thread.
    opens: bool
    #: Whether the bot itself posted it.
    echo: bool = False
    #: Whether another program posted it.
    automated: bool = False
    #: The files that came with it.
    files: tuple[Attachment, ...] = ()
    #: The messages that its author replied to or asked about. They are stored with the
    #: message and are never answered on their own.
    quotes: tuple["Message", ...] = ()
    #: The platform's ids of other messages whose text this one repeats, such as a
    #: forwarded message. This message is deleted with them. Set only on receipt.
    holds: tuple[str, ...] = ()
    origin: Origin = Origin.OWN
    #: The author's own words and the marks between them, in order, without quotes.
    #: Empty if the platform marks nothing. Set only on receipt.
    parts: tuple[str | Mark, ...] = ()
    #: The author of the message that this one replies to or forwards, a BOT or a
    #: PERSON; None if there is none, or if the message is the author's own. Set only on
    #: receipt.
    answers: Mark | None = None
    #: The author's name if the platform sends it with the message; else "".
    name: str = ""
    #: The options that the message sets for its answer, through the web API.
    options: AnswerOptions = NO_OPTIONS

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", replace_invalid(self.text))
        object.__setattr__(self, "author", replace_invalid(self.author))
        object.__setattr__(self, "name", replace_invalid(self.name))


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message, and whether people have edited it since it was received."""

    message: Message
    edited: bool = False
    #: The key of the turn that answers or answered the message; "" for none.
    asked: str = ""


def fuller(stored: StoredMessage, message: Message) -> Message | None:
    """Merge `message`, another version of a stored message, into the stored one.

    Return None if `message` adds nothing. A platform may deliver a message several
    times, with different parts and in any order, so nothing is removed here. A version
    from before an edit adds nothing.
    """
    before = stored.message
    text = message.text if _adds(stored, message.text) else before.text
    known = {each.key for each in before.files}
    files = (*before.files, *(f for f in message.files if f.key not in known))
    if (text, files) == (before.text, before.files):
        return None
    return replace(before, text=text, files=files, holds=message.holds)


def _adds(stored: StoredMessage, text: str) -> bool:
    """Return whether `text` contains the stored text and adds to it."""
    before = stored.message.text
    if not before or text.startswith(f"{before}\n"):
        return bool(text)
    old, new = (_words(each) for each in (before, text))
    return not stored.edited and len(old) < len(new) and old in new


def _words(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@dataclass(frozen=True, slots=True)
class EarlierMessages:
    """The earlier messages of a thread, oldest first, perhaps with a gap."""

    messages: tuple[Message, ...]
    #: About how many messages are missing in the gap; 0 if there is none, None if their
    #: number is unknown.
    missing: int | None = 0
    #: The number of `messages` before the gap.
    gap: int = 0
    #: Whether some of the missing messages follow the last of `messages`.
    is_open: bool = False


class Disposition(enum.Enum):
    """The kinds of decisions on a received message."""

    #: Not for the bot, or already stored: nothing is written.
    IGNORE = "ignore"
    #: Stored for the next turn to read, but not answered.
    KEEP = "keep"
    #: Stored, with a waiting turn that will answer it.
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a received message, and its reason."""

    disposition: Disposition
    #: The rule that applied, in the format of `bot.conversation.addressing`.
    rule: str = ""
    #: A setting that the message changes, in the same transaction.
    change: Change | None = None
    #: Whether to store a kept message even if its thread is unknown.
    begins: bool = False
    #: The id that the message's channel has now, if it is another one; the message is
    #: then ignored.
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a stored message."""

    #: The platform's ids of the message and its author.
    message: str
    author: str
    #: Whether a turn answers the message.
    answered: bool
    #: As in `Verdict`.
    rule: str


#: The window, in seconds, in which messages of other programs are counted. Keeps two
#: bots from answering each other endlessly.
LOOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """The facts about a thread that the decision on a message depends on."""

    #: Whether the thread's root addressed the bot: replies then need no mention.
    follows: bool
    #: The number of messages of other programs in the last `LOOP_SECONDS`.
    automated: int = 0
