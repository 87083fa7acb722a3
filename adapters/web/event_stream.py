"""The text of a stream of events: how an answer is sent so that nothing of it is lost
or doubled, whenever the connection is. Pure.

Rule 1: the id of an event says what its reader has after it: how much of which answer,
and a fingerprint of that text. A reader who names its last id gets exactly the rest.
Rule 2: a `delta` is appended to the text. Only if the text before has changed, because
the answer was begun anew, does one carry `replace` and the whole text.
Rule 3: no field holds a line break: data is JSON, and ids are made here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Sent where nothing else is, so that proxies and readers see that the stream lives.
HEARTBEAT = b": keep-alive\n\n"
#: After how many milliseconds a browser connects again.
RETRY = b"retry: 1000\n\n"

#: The ids of events. Those of threads and messages are made from these letters.
EVENT_ID = re.compile(
    r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})"
    r"\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{16})\.([tre])"
)

#: The most characters of a `delta`: clients have a limit of their own for a line.
MOST_CHARS = 10_000

#: How far a reader is: in the text, behind the receipt, behind the end.
TEXT, RECEIPT, END = "t", "r", "e"


def event(kind: str, data: Mapping[str, Any], id: str) -> bytes:
    """Return one event of a stream."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\nid: {id}\ndata: {text}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Position:
    """The part of the answer to a message that a reader has."""

    thread: str
    message: str
    #: How many characters (code points) of the text.
    offset: int = 0
    #: The fingerprint of those.
    fingerprint: str = ""
    stage: str = TEXT

    def __str__(self) -> str:
        return (
            f"{self.thread}.{self.message}.{self.offset}."
            f"{self.fingerprint or EMPTY}.{self.stage}"
        )

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """Return the position that the id of an event names; None if it is no id."""
        found = EVENT_ID.fullmatch(text)
        if found is None:
            return None
        thread, message, offset, known, stage = found.groups()
        return cls(thread, message, int(offset), known, stage)


class Cursor:
    """Brings one reader from what it has to what there is."""

    def __init__(self, begin: Position) -> None:
        self._begin = begin
        #: The text that the reader has; None while only its fingerprint is known.
        self._text: str | None = None if begin.offset else ""
        self._hash = _hash("")
        self.stage = begin.stage

    @property
    def id(self) -> str:
        """The id of an event after which the reader has what it has now."""
        begin = self._begin
        offset = begin.offset if self._text is None else len(self._text)
        known = begin.fingerprint if self._text is None else self._hash.hexdigest()
        return str(Position(begin.thread, begin.message, offset, known, self.stage))

    def take(self, text: str) -> bytes:
        """Return the next event that brings the reader to `text`; b"" if it is
        there."""
        if self._text is None:
            self._recognise(text)
        if self._text is None or not text.startswith(self._text):
            # Whatever came behind the old text is void, too.
            self._text = text[:MOST_CHARS]
            self._hash, self.stage = _hash(self._text), TEXT
            return event("delta", {"text": self._text, "replace": True}, self.id)
        known = len(self._text)
        more = text[known : known + MOST_CHARS]
        if not more:
            return b""
        self._hash.update(more.encode())
        self._text = text[: known + len(more)]
        return event("delta", {"text": more}, self.id)

    def _recognise(self, text: str) -> None:
        """Find what the reader has at the beginning of `text`, if that is there."""
        known = text[: self._begin.offset]
        found = _hash(known)
        if (
            len(known) == self._begin.offset
            and found.hexdigest() == self._begin.fingerprint
        ):
            self._text, self._hash = known, found


def _hash(text: str) -> hashlib.blake2b:
    return hashlib.blake2b(text.encode(), digest_size=8, usedforsecurity=False)


#: The fingerprint of nothing.
EMPTY = _hash("").hexdigest()
