"""Bytes of a stream become events, however they are cut and written."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.claude.sse import LONGEST_EVENT, EventReader, ServerEvent

STREAM = (
    b"\xef\xbb\xbfevent: a\ndata: {}\n\n"
    b": a comment\nevent:b\r\nid: 7\r\nretry: 10\r\nnew-field: x\r\ndata:  two\r\n"
    b"data\r\ndata: lines\r\n\r\n"
    b"data: nameless\r\r"
    b"event: empty\n\n"
    b"\n\n"
    b"event: \xc3\xbc\ndata: \xe2\x80\xa8 \x85 \x0b \xff\n\n"
    b"event: cut\ndata: off"
)
EVENTS = [
    (b"a", b"{}"),
    (b"b", b" two\n\nlines"),
    (b"", b"nameless"),
    (b"empty", b""),
    ("ü".encode(), b"\xe2\x80\xa8 \x85 \x0b \xff"),
]


def read(*chunks: bytes, longest: int = LONGEST_EVENT) -> list[ServerEvent]:
    reader = EventReader(longest)
    return [event for chunk in chunks for event in reader.feed(chunk)]


def cut(stream: bytes, size: int) -> list[bytes]:
    """Return `stream` in chunks of `size` bytes."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def test_an_event_ends_with_an_empty_line() -> None:
    reader = EventReader()
    assert reader.feed(b"event: a\ndata: 1\n") == []
    assert reader.feed(b"\nevent: b\n") == [(b"a", b"1")]


def test_one_chunk_may_hold_a_whole_stream() -> None:
    assert read(STREAM) == EVENTS


def test_a_stream_may_come_byte_by_byte() -> None:
    assert read(*cut(STREAM, 1)) == EVENTS


def test_an_event_may_be_split_at_every_byte() -> None:
    for at in range(len(STREAM) + 1):
        assert read(STREAM[:at], b"", STREAM[at:]) == EVENTS, at


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_cuts_make_the_same_events(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[start:end] for start, end in itertools.pairwise(places)]
    assert read(*parts) == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_end_of_a_line_is_understood(end: bytes) -> None:
    lines = end.join((b"event: a", b"data: 1", b"data: 2", b"", b"data: 3", b"", b""))
    assert read(lines) == [(b"a", b"1\n2"), (b"", b"3")]
    assert read(*cut(lines, 1)) == [(b"a", b"1\n2"), (b"", b"3")]


def test_a_mark_counts_at_the_beginning_only() -> None:
    mark = b"\xef\xbb\xbf"
    assert read(mark + b"data: 1\n\n" + mark + b"data: 2\n\n") == [(b"", b"1")]


def test_an_event_of_a_megabyte_is_one() -> None:
    data = b"x" * 1_000_000
    stream = b"event: long\ndata: " + data + b"\n\n"
    assert read(*cut(stream, 1000)) == [(b"long", data)]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"x" * 2000,
        b"data: x\n" * 500,
        b"event: " + b"x" * 2000 + b"\ndata: 1\n",
        b": " + b"x" * 2000,
    ],
)
def test_an_event_without_an_end_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match="too long"):
        read(*cut(stream, 10), longest=900)


@pytest.mark.parametrize(
    "piece", [b"x", b"data: x\n", b"data\n", b"\n", b"\r", b": x\n", b"event: x\n"]
)
def test_the_time_is_linear(piece: bytes) -> None:
    """Four times as many pieces take at most about four times as long."""

    def seconds(count: int) -> float:
        reader = EventReader()
        began = time.process_time()
        for _ in range(count):
            reader.feed(piece)
        return time.process_time() - began

    assert min(seconds(8_000) for _ in range(3)) < 12 * max(
        min(seconds(2_000) for _ in range(3)), 0.001
    )
