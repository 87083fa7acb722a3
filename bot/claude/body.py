"""Encodes the body of a message request in pieces while it is sent.

Base64 makes a file a third longer, and a whole body would hold every file once more. So
each piece is encoded when the connection takes it. A request then takes little more
memory than its files, and the event loop is never blocked by many megabytes.
"""

import base64
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace

from anthropic.types import MessageParam

from bot.claude.request import encoded
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Request, RequestFile

#: The bytes of a piece, and the bytes of a file that are encoded as one piece: a
#: multiple of three, so that the pieces together are the base64 of the file.
PIECE = 256 * 1024
_RAW = PIECE // 4 * 3

# The length of the mark that replaces a file; a multiple of three, too.
_MARK = 24


class Body:
    """The JSON of a request. It can be read once, and drops the parts that were
    read."""

    def __init__(self, parts: Sequence[tuple[bytes, bool]]) -> None:
        #: The parts to send, and whether each is sent as base64.
        self._parts = deque(parts)
        self.length = sum(
            -(-len(data) // 3) * 4 if is_file else len(data) for data, is_file in parts
        )

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole body, at most `PIECE` bytes at a time."""
        while self._parts:
            data, is_file = self._parts.popleft()
            step = _RAW if is_file else PIECE
            view = memoryview(data)
            for at in range(0, len(view), step):
                piece = view[at : at + step]
                yield base64.b64encode(piece) if is_file else bytes(piece)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the same pieces as `pieces`."""
        for piece in self.pieces():
            yield piece


def body(
    request: Request, rounds: Sequence[MessageParam], tokens: Mapping[str, str]
) -> Body:
    """Return the body of `request`, whose files are loaded.

    `rounds`, `tokens` and the errors are as in `request.encoded`.
    """
    marks: dict[bytes, bytes] = {}
    if any(each.files for each in request.messages):
        messages = [_without_data(each, marks) for each in request.messages]
        request = replace(request, messages=tuple(messages))
    rest = encoded(request, rounds, tokens)
    at = 0
    parts: list[tuple[bytes, bool]] = []
    # In the order of the request, images first. A file that a message has twice is
    # there once.
    for place, mark in sorted((rest.find(mark), mark) for mark in marks):
        if place < 0:
            continue
        parts += [(rest[at:place], False), (marks[mark], True)]
        at = place + len(mark)
    return Body([*parts, (rest[at:], False)])


def _without_data(message: ChatMessage, marks: dict[bytes, bytes]) -> ChatMessage:
    """Return `message` with marks in place of the files that are sent as base64.

    Add the base64 of each mark to `marks`, with the file's data.
    """

    def marked(file: RequestFile) -> RequestFile:
        if file.kind is FileKind.TEXT or file.unread is not None:
            return file
        # Random, so that nobody can type the mark.
        mark = secrets.token_bytes(_MARK)
        marks[base64.b64encode(mark)] = file.data
        return replace(file, data=mark)

    if not message.files:
        return message
    return replace(message, files=tuple(marked(each) for each in message.files))
