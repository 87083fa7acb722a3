"""Shows where the misleading links of a message lead. Pure.

Rule 1: code is shown as it was written, since people copy it. Only what is certainly
code is left out, because a link in anything else may be clickable.
Rule 2: while a message arrives, a link at its end is held back until it is clear
whether it is misleading. So the shown text only grows.
"""

from collections.abc import Callable, Sequence

from bot.rendering.certain_code import CertainCode
from bot.text import links

#: Returns where a text is code, as pairs of indexes.
FindCode = Callable[[str], Sequence[tuple[int, int]]]


def without_misleading(
    text: str, *, is_final: bool = True, code: FindCode | None = None
) -> str:
    """Return the text of a message with its misleading links taken apart.

    Unless it `is_final`, more text may follow. `code` finds what the platform certainly
    shows as code; without it, what is code for every parser counts.
    """
    if "](" not in text and (is_final or "[" not in text):
        return text
    kept = text if is_final else links.without_open_link(text)
    known = None if code is None else code(kept)
    return links.unmask_misleading(kept, _Code(kept, known, is_final=is_final).holds)


class _Code:
    """The code in a text, for ascending positions."""

    def __init__(
        self, text: str, known: Sequence[tuple[int, int]] | None, *, is_final: bool
    ) -> None:
        self._text = text
        self._known = known
        self._is_final = is_final
        self._code = CertainCode()
        self._read = 0

    def holds(self, start: int, end: int) -> bool | None:
        """Return whether the text from `start` to `end` is in one piece of code; None
        if the text that follows decides."""
        if "`" in self._text[start:end]:
            return False
        if self._known is not None and not any(
            first < start and end < last for first, last in self._known
        ):
            return False
        # Code that was read for a link around this one is not read again.
        return start >= self._read and self._is_code(start) and self._is_code(end)

    def _is_code(self, at: int) -> bool | None:
        self._code.read(self._text[self._read : at])
        self._read = at
        return self._code.holds(self._text[at:], is_over=self._is_final)
