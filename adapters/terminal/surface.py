"""Replies on the screen."""

from collections.abc import Sequence

from adapters.terminal.answer_view import Screen
from bot.domain.platform import EditInterval, Limits, WriteKind
from bot.domain.reply import Part
from bot.errors import ThreadGone

# A terminal has no size limit; this one bounds a runaway answer. Ten frames a second
# look smooth and cost little.
LIMITS = Limits(
    part_chars=1_000_000, paces={WriteKind.EDIT: EditInterval(first=0.1, last=0.1)}
)


class TerminalSurface:
    """`bot.ports.platform.Surface` on a screen."""

    #: There is no sign with words, and printed text stays printed.
    sign = deletions = None
    #: Nothing is written to a disk: all of an answer is text.
    uploads = None

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    async def announce(self) -> bool:
        """Return True: the prompt is gone while an answer is written."""
        return True

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the one way to write: to draw the text again."""
        return (WriteKind.EDIT,)

    async def show(self, part: Part, way: WriteKind) -> str:
        """Draw the text of `part`. Raises ThreadGone if the output is closed."""
        try:
            if part.text:
                self._screen.update(part.text)
        except BrokenPipeError as error:
            raise ThreadGone("the output is closed") from error
        return str(part.index)
