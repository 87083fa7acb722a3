"""The size of downloads and their rate limits, whatever the platform; the rest is
tested by the adapters."""

import io
from collections.abc import AsyncIterator, Mapping

import pytest

from bot.errors import DeliveryError, FileUnread, Throttled, Unread
from bot.runtime.downloads import take


class Answer:
    """An answer with a body of seven bytes."""

    def __init__(self, headers: Mapping[str, str], status: int = 200) -> None:
        self.headers = headers
        self.status = status
        self.content = self

    async def iter_chunked(self, n: int, /) -> AsyncIterator[bytes]:
        yield b"con"
        yield b"tent"


async def test_bytes_are_counted_as_they_come() -> None:
    into = io.BytesIO()
    assert await take(Answer({"Transfer-Encoding": "chunked"}), into, 7, 9) == 7
    assert into.getvalue() == b"content"
    for headers in ({}, {"Content-Length": "7"}, {"Content-Length": "9" * 5_000}):
        with pytest.raises(FileUnread, match=Unread.TOO_LARGE.value):
            await take(Answer(headers), io.BytesIO(), 6)
    # It would unfold to more than is counted.
    for encoding in ("gzip", "identity, br"):
        with pytest.raises(DeliveryError, match="compressed"):
            await take(Answer({"Content-Encoding": encoding}), into, 7)
    # Without a length, the connection may have broken.
    with pytest.raises(DeliveryError, match="cut"):
        await take(Answer({}), into, 7, 9)


async def test_a_rate_limit_is_believed_within_bounds() -> None:
    pauses = {
        **{"3": 3.0, "0": 0.0, "": 5.0, "soon": 5.0},
        **dict.fromkeys(("nan", "inf", "-1", "86400"), 60.0),
    }
    for header, seconds in pauses.items():
        with pytest.raises(Throttled) as limit:
            await take(Answer({"Retry-After": header}, 429), io.BytesIO(), 7)
        assert limit.value.retry_after == seconds
