"""Describes places at which a message can be cut."""

import enum
from dataclasses import dataclass

from bot.rendering.markdown import Fence


class Rank(enum.IntEnum):
    """The quality of a place for a cut."""

    ANYWHERE = 0
    #: Between words, but inside a span, a row or a line of code, or between a heading
    #: and its text.
    INSIDE = 1
    WORD = 2
    SENTENCE = 3
    LINE = 4
    #: Between paragraphs, or before or after a fence or a table.
    BLOCK = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A possible cut, with the fence and the table that are open there."""

    at: int
    rank: Rank
    fence: Fence | None
    #: The head of the table whose rows the cut would divide.
    head: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, which a cut would divide, or move as a whole from `start` on."""

    start: int
    first: str
    #: The first two lines; "" until the second line makes this a table.
    head: str = ""
