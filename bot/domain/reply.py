"""The parts of a reply and the controls below it. Frozen values."""

import enum
from dataclasses import dataclass

from bot.messages.controls import ANSWER_READY, THINKING


@dataclass(frozen=True, slots=True)
class PostedPart:
    """One message of a reply, as far as we know its state on the platform."""

    index: int
    #: The platform's id; None if posting began and the outcome is unknown.
    message: str | None
    text: str = ""


class Control(enum.Enum):
    """An action that readers can take on an answer."""

    #: Stop the answer while it is being written.
    STOP = "stop"
    #: Write the answer again, in the same place.
    RETRY = "retry"
    #: Continue the answer where it was cut.
    CONTINUE = "continue"
    #: Show the receipt.
    RECEIPT = "receipt"
    #: Show the summary that this answer is the first to use.
    SUMMARY = "summary"
    #: For files left out because of their price: read them, read only their first
    #: pages, or do not read them.
    READ = "read"
    FIRST = "first"
    SKIP = "skip"
    #: Attach the answer's code and tables as files.
    ATTACH = "attach"
    #: Rate the answer.
    FEEDBACK = "feedback"


#: Prefix of message ids created by a button press.
PRESSED = "+"
#: Prefix of ids of additions to messages that the model has already read.
ADDED = "+:"


# The text shown before an answer has any; the mark of an unfinished answer, for which
# the adapters' limits leave room; the notification that a slow answer is complete.
PLACEHOLDER = THINKING
MORE = " …"
READY = ANSWER_READY


@dataclass(frozen=True, slots=True)
class Part:
    """The text that message number `index` of a reply should show now.

    Until `final`, later texts of the same part only append to it. On a platform without
    tables, a line of text may also become a heading or part of a table.
    """

    index: int
    text: str
    final: bool = False
    #: The controls below the complete answer.
    controls: tuple[Control, ...] = ()
    #: The user to notify with this message, which then shows no other text; "" for
    #: nobody.
    calls: str = ""
    #: Whether to send plain text because the platform refused the layout. Ignored where
    #: the platform does not distinguish the two.
    plain: bool = False

    @property
    def offers(self) -> tuple[Control, ...]:
        """The controls to show now: only Stop while the answer grows."""
        return self.controls if self.final else (Control.STOP,)
