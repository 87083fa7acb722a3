"""The text of an answer, in pieces that take a bounded time to lay out."""

import asyncio
from collections.abc import AsyncIterator

from bot.rendering.renderer import STEP_CHARS
from bot.text.characters import replace_invalid, split_half

# The cost of one piece besides its characters, in characters (an estimate): above all
# what the SDK does for each event.
PIECE_COSTS = 20


class Pieces:
    """Divides an answer while it arrives, never within a character."""

    def __init__(self) -> None:
        #: The characters given since this task last yielded.
        self._taken = 0
        #: The first half of a character at the end of the last piece; "" if none.
        self._half = ""

    async def of(self, text: str) -> AsyncIterator[str]:
        """Yield what is next of the answer, of which `text` has just arrived; let other
        tasks run now and then."""
        text, self._half = split_half(self._half + text)
        text = replace_invalid(text)
        for start in range(0, len(text), STEP_CHARS):
            piece = text[start : start + STEP_CHARS]
            # One packet may hold many pieces, none of which waits for I/O.
            self._taken += len(piece) + PIECE_COSTS
            if self._taken > STEP_CHARS:
                self._taken = 0
                await asyncio.sleep(0)
            yield piece

    def rest(self) -> str:
        """Return what is left, since nothing follows that makes it whole."""
        left, self._half = replace_invalid(self._half), ""
        return left
