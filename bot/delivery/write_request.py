"""The requests of a reply to the write budget."""

import enum
from dataclasses import dataclass

from bot.domain.platform import WriteKind
from bot.domain.reply import Part
from bot.domain.scope import ThreadKey


class Priority(enum.IntEnum):
    """Order of grants: the lowest value first."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: A message without any text of the answer.
    PLACEHOLDER = 3
    #: A write that shows no text of an answer. It is granted only after a pause in
    #: which the whole burst was refilled.
    TIDY = 4


#: The priorities in the order of grants.
PRIORITIES = tuple(Priority)


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A reply's request for one write."""

    #: Identifies the reply; a newer request of the same reply replaces this one.
    reply: str
    thread: ThreadKey
    kind: WriteKind
    priority: Priority
    #: The earliest time of a grant: the edit interval of the message, or a back-off.
    earliest: float = 0.0
    #: The kind of write whose turn this write takes, if not its own: a stream is
    #: stopped for all readers when its message would otherwise be edited.
    turn: WriteKind | None = None


def priority_of(part: Part, seen: Part | None, *, is_over: bool) -> Priority:
    """Return the priority of writing `part` of a reply over what was `seen` of it.

    `is_over` says that the text of the reply is complete.
    """
    if is_over:
        return Priority.FINAL
    if not part.text.strip():
        return Priority.PLACEHOLDER
    return Priority.REFRESH if seen and seen.text else Priority.FIRST
