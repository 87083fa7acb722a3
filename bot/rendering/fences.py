"""Writes code blocks for platforms that support only three backticks.

Discord ends a block at the next three backticks, wherever they are and however many
opened it, and accepts a language only if nothing else is on its line (platform facts
B5).
"""

import re

from bot.rendering.markdown import Fence
from bot.rendering.mentions import ZERO_WIDTH_SPACE

_MARK = re.compile(r"`{3,}+|~{3,}+")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#-][\w+.#-]*+")
_TICKS = re.compile(r"`++")


def backticks(line: str, fence: Fence | None) -> str:
    """Return `line` with three backticks as its mark. It opens `fence`, or closes a
    fence if `fence` is None."""
    mark = _MARK.search(line)
    assert mark is not None
    before = line[: mark.start()]
    language = _LANGUAGE.match(fence.info.lstrip(" \t{.")) if fence else None
    return f"{before}```{language[0] if language else ''}"


class InnerTicks:
    """Divides the backticks in code that arrives in pieces, so that no three of them
    are adjacent."""

    def __init__(self) -> None:
        #: The number of backticks at the end of the text.
        self._count = 0

    def divide(self, text: str) -> str:
        """Return the next piece of code, divided."""
        pieces, at = [], 0
        for run in _TICKS.finditer(text):
            if run.start() > 0:
                self._count = 0
            pieces.append(text[at : run.start()])
            for _ in run[0]:
                is_third = self._count > 0 and self._count % 2 == 0
                pieces.append(f"{ZERO_WIDTH_SPACE}`" if is_third else "`")
                self._count += 1
            at = run.end()
        if at < len(text):
            self._count = 0
        return "".join([*pieces, text[at:]])
