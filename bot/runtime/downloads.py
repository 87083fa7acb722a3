"""Downloads files from other hosts, within limits.

Rule: the announced size of a file is not trusted; its bytes are counted on arrival.
"""

from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, Protocol

from bot.domain.attachment import Attachment
from bot.errors import DeliveryError, FileUnread, Throttled, Unread
from bot.text.numbers import number

#: The most bytes that are read and written at once. They take little memory, and
#: writing them to a disk takes well below a millisecond.
PIECE = 64 * 1024

#: The timeouts, in seconds, for the next bytes and for a whole file. People wait for
#: the answer meanwhile. At this limit, 30 MB, about the size of one request to Claude
#: (Claude facts 1.9), need 2 Mbit/s.
STALL = 15.0
WHOLE = 120.0

#: The seconds to wait after a rate limit error without a valid duration, and the
#: longest duration that is accepted from a platform.
DEFAULT_PAUSE, LONGEST_PAUSE = 5.0, 60.0

#: Request headers that forbid compression. A small compressed response could expand to
#: far more bytes at once.
PLAIN = {"Accept-Encoding": "identity"}


class Content(Protocol):
    """The body of a response."""

    def iter_chunked(self, n: int, /) -> AsyncIterator[bytes]:
        """Yield the body in pieces of at most `n` bytes."""
        ...


class Answer(Protocol):
    """The part of aiohttp's response that is used here."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by case-insensitive names."""
        ...

    @property
    def content(self) -> Content:
        """The body."""
        ...


def require_size(file: Attachment, most: int) -> None:
    """Raise FileUnread if the announced size of `file` exceeds `most` bytes."""
    if file.size is not None and file.size > most:
        raise FileUnread(Unread.TOO_LARGE)


async def take(
    answer: Answer, into: BinaryIO, most: int, size: int | None = None
) -> int:
    """Write the body of `answer` to `into`, and return its size in bytes.

    `size` is the announced size. Raises FileUnread if there is no file or it has more
    than `most` bytes, DeliveryError if a retry may succeed, OSError if writing fails,
    and aiohttp's errors.
    """
    if answer.status != 200:
        raise _refusal(answer.status, answer.headers.get("Retry-After"))
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DeliveryError("download: compressed, which was not asked for")
    if (number(answer.headers.get("Content-Length", "")) or 0) > most:
        raise FileUnread(Unread.TOO_LARGE)
    count = 0
    async for piece in answer.content.iter_chunked(PIECE):
        count += len(piece)
        if count > most:
            raise FileUnread(Unread.TOO_LARGE)
        into.write(piece)
    # Without either header, a lost connection looks like the end of the file.
    ends = "Content-Length" in answer.headers or "Transfer-Encoding" in answer.headers
    if not ends and count < (size or 0):
        raise DeliveryError("download: cut")
    return count


def _refusal(status: int, retry_after: str | None) -> DeliveryError | FileUnread:
    if status == 429:
        try:
            pause = float(retry_after or DEFAULT_PAUSE)
        except ValueError:
            pause = DEFAULT_PAUSE
        if not 0.0 <= pause <= LONGEST_PAUSE:
            pause = LONGEST_PAUSE
        return Throttled("download: HTTP 429", pause)
    if status >= 500:
        return DeliveryError(f"download: HTTP {status}")
    gone = status in (404, 410)
    return FileUnread(Unread.DELETED if gone else Unread.UNAVAILABLE)
