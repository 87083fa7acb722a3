"""The parts of a reply and the controls below it. Frozen values."""

import enum
from dataclasses import dataclass

from bot.messages.controls import ANSWER_READY, THINKING


@dataclass(frozen=True, slots=True)
class PostedPart:
    """One message of a reply, as the platform is known to show it."""

    index: int
    #: The platform's id; None if it was to be posted and the outcome is unknown.
    message: str | None
    text: str = ""


class Control(enum.Enum):
    """An action that readers can take on an answer."""

    #: Stop it while it is written.
    STOP = "stop"
    #: Write it again, in the same place.
    RETRY = "retry"
    #: Continue where it was cut.
    CONTINUE = "continue"
    #: Show what it was made from.
    RECEIPT = "receipt"
    #: Show the summary that it is the first to use.
    SUMMARY = "summary"
    #: Have files read that it was written without, because of their price; only their
    #: first pages; or not at all.
    READ = "read"
    FIRST = "first"
    SKIP = "skip"
    #: Attach its code and tables as files.
    ATTACH = "attach"
    #: Rate it.
    FEEDBACK = "feedback"


#: Prefix of message ids created by a button press.
PRESSED = "+"
#: Prefix of the ids of additions to messages that the model has read already.
ADDED = "+:"


# The text of an answer that has none yet; the mark of one that goes on, for which the
# adapters' limits leave room; and the notification that a slow answer is complete.
PLACEHOLDER = THINKING
MORE = " …"
READY = ANSWER_READY


@dataclass(frozen=True, slots=True)
class Part:
    """The text that message number `index` of a reply should show now.

    Until `final`, later texts of the same part only append to it; where a platform has
    no tables, what was a line of text may also become a heading or part of a table.
    """

    index: int
    text: str
    final: bool = False
    #: The controls below the complete answer.
    controls: tuple[Control, ...] = ()
    #: The user whom this message notifies, instead of any text; "" for nobody.
    calls: str = ""
    #: Whether the platform refused its layout, so that it is shown as text alone, where
    #: the platform distinguishes the two.
    plain: bool = False

    @property
    def offers(self) -> tuple[Control, ...]:
        """The controls to show now: Stop while the answer grows."""
        return self.controls if self.final else (Control.STOP,)
