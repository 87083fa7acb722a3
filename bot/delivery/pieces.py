"""Divides the text of an answer into pieces that take a bounded time to lay out."""

import asyncio
from collections.abc import AsyncIterator

from bot.rendering.renderer import STEP_CHARS
from bot.text.characters import replace_invalid, split_half

# The cost of one piece besides its characters, in characters (an estimate): mainly the
# work of the SDK for each event.
PIECE_COSTS = 20


class Pieces:
    """Divides an answer as it arrives, but never within a character."""

    def __init__(self) -> None:
        #: The characters yielded since this task last let other tasks run.
        self._taken = 0
        #: The first half of a character at the end of the last piece; "" if none.
        self._half = ""

    async def of(self, text: str) -> AsyncIterator[str]:
        """Yield the next pieces of the answer, of which `text` has just arrived.

        Lets other tasks run now and then.
        """
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
        """Return the text that is left when nothing follows to complete it."""
        left, self._half = replace_invalid(self._half), ""
        return left
