"""Encodes an answer as a stream of events, so that no text is lost or doubled when a
connection breaks. Pure.

Rule 1: the id of an event says what the reader has received with it: which answer, how
many characters, and a fingerprint of that text. A reader that sends its last id gets
exactly the rest.
Rule 2: a `delta` is appended to the text. If the earlier text has changed, because the
answer was started again, a `delta` with `replace` carries the text from its beginning.
Rule 3: no field holds a line break: data is JSON, and ids are made here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Sent if there is no event, so that proxies and readers see that the stream is alive.
HEARTBEAT = b": keep-alive\n\n"
#: The delay, in milliseconds, after which a browser reconnects.
RETRY = b"retry: 1000\n\n"

#: The form of event ids. Ids of threads and messages consist of these characters.
EVENT_ID = re.compile(
    r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})"
    r"\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{16})\.([tre])"
)

#: The most characters of a `delta`: clients limit the length of a line.
MOST_CHARS = 10_000

#: The stages of a reader: in the text, after the receipt, after the end.
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
    #: The fingerprint of these characters.
    fingerprint: str = ""
    stage: str = TEXT

    def __str__(self) -> str:
        return (
            f"{self.thread}.{self.message}.{self.offset}."
            f"{self.fingerprint or EMPTY}.{self.stage}"
        )

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """Return the position in the event id `text`, or None if `text` is not an event
        id."""
        found = EVENT_ID.fullmatch(text)
        if found is None:
            return None
        thread, message, offset, known, stage = found.groups()
        return cls(thread, message, int(offset), known, stage)


class Cursor:
    """Produces the events that bring one reader up to date."""

    def __init__(self, begin: Position) -> None:
        self._begin = begin
        #: The text that the reader has; None while only its fingerprint is known.
        self._text: str | None = None if begin.offset else ""
        self._hash = _hash("")
        self.stage = begin.stage

    @property
    def id(self) -> str:
        """The event id for the text and stage that the reader has now."""
        begin = self._begin
        offset = begin.offset if self._text is None else len(self._text)
        known = begin.fingerprint if self._text is None else self._hash.hexdigest()
        return str(Position(begin.thread, begin.message, offset, known, self.stage))

    def take(self, text: str) -> bytes:
        """Return the next event that brings the reader closer to `text`, or b"" if the
        reader has all of it."""
        if self._text is None:
            self._recognise(text)
        if self._text is None or not text.startswith(self._text):
            # A receipt or end after the old text is void, too.
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
        """Take the beginning of `text` as the reader's text, if the fingerprint
        matches."""
        known = text[: self._begin.offset]
        found = _hash(known)
        if (
            len(known) == self._begin.offset
            and found.hexdigest() == self._begin.fingerprint
        ):
            self._text, self._hash = known, found


def _hash(text: str) -> hashlib.blake2b:
    return hashlib.blake2b(text.encode(), digest_size=8, usedforsecurity=False)


#: The fingerprint of an empty text.
EMPTY = _hash("").hexdigest()
