"""Parts of a reply, as a platform shows them, and their controls. Frozen values."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostedPart:
    """One message of a reply, as far as the platform is known to show it."""

    index: int
    #: The platform's id; None when a post was intended and its outcome is
    #: unknown.
    message: str | None
    text: str = ""


class Control(enum.Enum):
    """What readers can do with an answer."""

    #: While it is written.
    STOP = "stop"
    #: Write it again, in the same place.
    RETRY = "retry"
    #: Go on where it was cut.
    CONTINUE = "continue"
    #: Say how good it is.
    FEEDBACK = "feedback"


#: Begins the id of a message that nobody wrote: a control said it.
PRESSED = "+"


# How every platform says that there are no words yet, that more of them come (the
# adapters' limits leave room for it), and, to whoever waited long, that all are there.
PLACEHOLDER = "_Thinking…_"
MORE = " …"
READY = "your answer is complete."


@dataclass(frozen=True, slots=True)
class Part:
    """Message number `index` of a reply should now read `text`.

    Until `final`, later texts of the same part only add to the end of it.
    """

    index: int
    text: str
    final: bool = False
    #: What readers can do with the answer once all of it is there.
    controls: tuple[Control, ...] = ()
    #: Who is called by this message, in place of any text; "" for nobody.
    calls: str = ""

    @property
    def offers(self) -> tuple[Control, ...]:
        """What readers can do below it: as long as it grows, stop it."""
        return self.controls if self.final else (Control.STOP,)
