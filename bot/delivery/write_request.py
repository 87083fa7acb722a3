"""Requests of a reply to the write budget. Frozen values."""

import enum
from dataclasses import dataclass

from bot.domain.platform import WriteKind
from bot.domain.scope import ThreadKey


class Priority(enum.IntEnum):
    """Order of grants: the lowest value first."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: A message without any text of the answer.
    PLACEHOLDER = 3
    #: Nothing of an answer: granted only after a pause in which all of the burst has
    #: come back.
    TIDY = 4


#: In their order.
PRIORITIES = tuple(Priority)


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A reply asks for one write."""

    #: Identifies the reply; a newer request of the same reply replaces this one.
    reply: str
    thread: ThreadKey
    kind: WriteKind
    priority: Priority
    #: Grant it no earlier: the edit interval of the message, or a back-off.
    earliest: float = 0.0
    #: The kind of write whose turn it takes, besides one of its own kind: a stream is
    #: stopped for everybody to see when its message would be edited if it were none.
    turn: WriteKind | None = None
