"""Places in a message at which it can be cut."""

import enum
from dataclasses import dataclass

from bot.rendering.markdown import Fence


class Rank(enum.IntEnum):
    """The quality of a place for a cut."""

    ANYWHERE = 0
    #: Between words, but inside of something: a span, a row, a line of code, a heading
    #: and its text.
    INSIDE = 1
    WORD = 2
    SENTENCE = 3
    LINE = 4
    #: Between paragraphs, before or behind a fence or a table.
    BLOCK = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A possible cut, and what is open there."""

    at: int
    rank: Rank
    fence: Fence | None
    #: The head of the table whose rows the cut would divide.
    head: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, which a cut would divide, or move from `start` on."""

    start: int
    first: str
    #: Its first two lines; "" until the second makes it a table.
    head: str = ""
