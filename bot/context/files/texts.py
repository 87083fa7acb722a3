"""The lines of text files, of any kind and encoding."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bot.context.files import blobs
from bot.context.files.accepted import Accepted
from bot.context.files.content import most_bytes
from bot.errors import FileUnread, Unread
from bot.runtime import encodings

# A character has at most four bytes, in UTF-32, and at least one in UTF-8.
_WIDEST = 4
_CHUNK = 1 << 16
# The most bytes that are searched for signs of a binary file.
_JUDGED = 16_384


def lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield the lines of the text `path`: at least as many as are accepted.

    Raises FileUnread if the file is not text.
    """
    most = (most_bytes(accepted) + 1) * _WIDEST
    with path.open("rb") as file:
        content = file.read(most)
        if blobs.has_long(content):
            file.seek(0)
            chunks = iter(partial(file.read, _CHUNK), b"")
            content = _first(blobs.shorten(chunks), most)
    if len(content) == most:
        content = _without_half(content)
    encoding = encodings.detect_in(io.BytesIO(content))
    if encodings.is_binary(content[:_JUDGED], encoding):
        raise FileUnread(Unread.UNSUPPORTED)
    # Line ends of every kind become "\n".
    yield from io.TextIOWrapper(
        io.BytesIO(content[encoding.skip :]), encoding=encoding.codec, errors="replace"
    )


def _first(pieces: Iterator[bytes], most: int) -> bytes:
    """Return the first `most` bytes of `pieces`, and consume no more than needed."""
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) >= most:
            break
    return bytes(content[:most])


def _without_half(content: bytes) -> bytes:
    """Return `content` without an incomplete character at its end.

    `content` was cut anywhere, and an incomplete character would look like invalid
    UTF-8.
    """
    end = content[-3:]
    while end and end[-1] >= 0x80:
        end = end[:-1]
    return content[:-3] + end
