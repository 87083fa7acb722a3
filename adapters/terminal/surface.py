"""Shows replies on the screen."""

from collections.abc import Sequence

from adapters.terminal.answer_view import Screen
from bot.domain.platform import EditInterval, Limits, WriteKind
from bot.domain.reply import Part
from bot.errors import ThreadGone

# A terminal has no size limit; this limit bounds a runaway answer. Ten frames a second
# look smooth and cost little.
LIMITS = Limits(
    part_chars=1_000_000, paces={WriteKind.EDIT: EditInterval(first=0.1, last=0.1)}
)


class TerminalSurface:
    """Implements `bot.ports.platform.Surface` on a screen."""

    #: None: there is no sign with text, and printed text cannot be deleted.
    sign = deletions = None
    #: None: no files are written, so the whole answer is text.
    uploads = None

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    async def announce(self) -> bool:
        """Return True: the missing prompt shows that an answer is coming."""
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
