"""Events of a stream are decoded; unknown ones are skipped."""

import json
from typing import Any

import pytest

from bot.claude.events import decode

KNOWN = {"type": "content_block_delta", "index": 0}


def data(body: Any) -> bytes:
    return json.dumps(body).encode()


def test_a_delta_of_text_is_read() -> None:
    event = decode(data(KNOWN | {"delta": {"type": "text_delta", "text": "Hel"}}))
    assert event is not None
    assert event.delta is not None
    assert (event.index, event.delta.text) == (0, "Hel")


@pytest.mark.parametrize("half", ["\\ud83e", "\\uddf5", "a\\ud83e", "\\uddf5\\ud83e"])
def test_half_a_character_is_read(half: str) -> None:
    delta = '{"type":"text_delta","text":"%s"}' % half  # noqa: UP031
    body = '{"type":"content_block_delta","index":0,"delta":%s}' % delta  # noqa: UP031
    event = decode(body.encode())
    assert event is not None
    assert event.delta is not None
    assert event.delta.text == json.loads(f'"{half}"')


@pytest.mark.parametrize(
    "body",
    [
        {"type": "weather", "index": "none", "delta": [], "message": 1},
        {"sun": True, "index": "none"},
        KNOWN | {"delta": {"type": "smell_delta", "text": {"a": 1}}},
        KNOWN | {"delta": {"type": 1}},
    ],
    ids=str,
)
def test_what_is_unknown_is_passed_over(body: Any) -> None:
    assert decode(data(body)) is None


def test_unknown_fields_are_passed_over() -> None:
    usage = {"output_tokens": 3, "new": [1], "cache_creation": {"new": {}}}
    body = {"type": "message_delta", "delta": {"new": 1}, "usage": usage, "new": None}
    event = decode(data(body))
    assert event is not None
    assert event.usage is not None
    assert event.usage.output_tokens == 3


@pytest.mark.parametrize(
    "bad",
    [
        b"{broken",
        b"null",
        b"[]",
        b'"text"',
        b'{"type":"message_start","message":{"model":"m"}}',
        b'{"type":"message_start","message":{"model":1,"usage":{"output_tokens":1}}}',
        b'{"type":"message_delta","delta":{},"usage":{"output_tokens":"many"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":1}}',
        b'{"type":"content_block_delta","index":"a","delta":{"type":"text_delta"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}',
        b'{"type":"weather","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda bad: repr(bad[:60]),
)
def test_what_we_use_must_have_its_form(bad: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(bad)
