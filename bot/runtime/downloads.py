"""Takes files from the answers of other hosts, within bounds.

Rule: what is announced of a file is not relied on; its bytes are counted as they come.
"""

from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, Protocol

from bot.domain.attachment import Attachment
from bot.errors import DeliveryError, FileUnread, Throttled, Unread
from bot.text.numbers import number

#: The most bytes that are read and written at once: few in memory, and on a disk well
#: below a millisecond.
PIECE = 64 * 1024

#: Seconds until the next bytes must have arrived, and until a whole file must. People
#: wait for the answer meanwhile; 30 MB, about what one request to Claude holds (facts
#: 1.9), then need 2 Mbit/s.
STALL = 15.0
WHOLE = 120.0

#: Seconds to wait for a rate limit if the platform does not say how long, and the most
#: that it is believed.
DEFAULT_PAUSE, LONGEST_PAUSE = 5.0, 60.0

#: With these headers, bytes are sent as they are: what is compressed could unfold to
#: more than arrives, all at once.
PLAIN = {"Accept-Encoding": "identity"}


class Content(Protocol):
    """The body of an answer."""

    def iter_chunked(self, n: int, /) -> AsyncIterator[bytes]:
        """Yield the body in pieces of at most `n` bytes."""
        ...


class Answer(Protocol):
    """The answer to a request, as aiohttp has it."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by names in any case."""
        ...

    @property
    def content(self) -> Content:
        """The body."""
        ...


def require_size(file: Attachment, most: int) -> None:
    """Raise FileUnread if `file` is announced with more than `most` bytes."""
    if file.size is not None and file.size > most:
        raise FileUnread(Unread.TOO_LARGE)


async def take(
    answer: Answer, into: BinaryIO, most: int, size: int | None = None
) -> int:
    """Write the file that `answer` holds to `into`; return how many bytes it has.
    `size` is what was announced of it.

    Raises FileUnread if there is none or it has more than `most` bytes, DeliveryError
    if it may be there later, OSError if `into` takes no more, and aiohttp's errors.
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
    # With neither, the end of the connection is the end of the file.
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
