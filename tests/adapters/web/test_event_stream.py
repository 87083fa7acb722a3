"""Wherever a stream is cut, a reader receives the whole text exactly once."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.event_stream import (
    EMPTY,
    END,
    MOST_CHARS,
    Cursor,
    Position,
    event,
)

BEGIN = Position("t1", "m1")


class Reader:
    """A client that appends, replaces where it is told to, and keeps the last id."""

    def __init__(self) -> None:
        self.text = ""
        self.id = str(BEGIN)
        self.replaced = 0

    def take(self, sent: bytes) -> None:
        if not sent:
            return
        fields = dict(
            line.split(": ", 1)
            for line in sent.decode().removesuffix("\n\n").split("\n")
        )
        data = json.loads(fields["data"])
        self.replaced += "replace" in data
        self.text = data["text"] if data.get("replace") else self.text + data["text"]
        self.id = fields["id"]

    def connect(self) -> Cursor:
        """Return the cursor of a server that knows nothing but the last id."""
        position = Position.read(self.id)
        assert position is not None
        return Cursor(position)


texts = st.text(max_size=30)


@given(st.lists(st.tuples(texts, st.booleans()), max_size=12))
def test_a_text_that_grows_arrives_once(steps: list[tuple[str, bool]]) -> None:
    reader, whole = Reader(), ""
    cursor = reader.connect()
    for more, cut in steps:
        whole += more
        if cut:
            cursor = reader.connect()
        reader.take(cursor.take(whole))
        assert reader.text == whole
    assert reader.replaced == 0


@given(st.lists(st.tuples(texts, st.booleans(), st.booleans()), max_size=12))
def test_a_text_that_was_begun_anew_replaces_the_old(
    steps: list[tuple[str, bool, bool]],
) -> None:
    reader, whole = Reader(), ""
    cursor = reader.connect()
    for more, cut, anew in steps:
        whole = more if anew else whole + more
        if cut:
            cursor = reader.connect()
        reader.take(cursor.take(whole))
        assert reader.text == whole


@given(texts, texts, st.integers(0, 30))
def test_a_lost_event_is_sent_again(first: str, second: str, lost: int) -> None:
    reader = Reader()
    cursor = reader.connect()
    reader.take(cursor.take(first))
    # The connection is cut while this is on its way.
    cursor.take(first + second[:lost])
    reader.take(reader.connect().take(first + second))
    assert reader.text == first + second
    assert reader.replaced == 0


def test_the_same_length_with_another_text_is_noticed() -> None:
    reader = Reader()
    reader.take(reader.connect().take("Hello there"))
    reader.take(reader.connect().take("Hallo there, again"))
    assert (reader.text, reader.replaced) == ("Hallo there, again", 1)


@given(st.integers(0, 3 * MOST_CHARS), st.integers(0, 3), st.booleans())
def test_a_long_text_comes_in_pieces(length: int, cut: int, replaced: bool) -> None:
    reader, text = Reader(), "\u20ac" * length
    cursor = reader.connect()
    if replaced:
        reader.take(cursor.take("x"))
    for _ in range(cut):
        reader.take(cursor.take(text))
        cursor = reader.connect()
    while sent := cursor.take(text):
        assert len(sent) < 4 * MOST_CHARS
        reader.take(sent)
    assert reader.text == text


def test_nothing_new_sends_nothing() -> None:
    cursor = Cursor(BEGIN)
    assert cursor.take("") == b""
    assert cursor.take("a")
    assert cursor.take("a") == b""
    assert cursor.id.startswith("t1.m1.1.")


@given(st.builds(Position, st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"), st.just("m")))
def test_an_id_is_read_as_it_was_written(position: Position) -> None:
    written = replace(position, fingerprint=EMPTY)
    assert Position.read(str(position)) == written
    ended = replace(written, stage=END, offset=123_456_789)
    assert Position.read(str(ended)) == ended


@given(st.text())
def test_other_text_is_no_id(text: str) -> None:
    assert Position.read(text) is None


@pytest.mark.parametrize(
    "wrong",
    [
        f"t1.m1.1000000000.{EMPTY}.t",
        f"t1.m1.01.{EMPTY}.t",
        f"t1.m1.-1.{EMPTY}.t",
        f"t1.m1.1.{EMPTY.upper()}.t",
        f"t1.m1.1.{EMPTY}.x",
        f"t1.m1.1.{EMPTY}.t\n",
        f"t1.m1.1.{EMPTY}.t\nevent: done",
        f"../m1.1.{EMPTY}.t",
        f"t1.m1.\u0661.{EMPTY}.t",
        "t1.m1.1",
        "",
    ],
)
def test_forged_ids_are_none(wrong: str) -> None:
    assert Position.read(wrong) is None


@given(st.text())
def test_no_text_ends_its_event(text: str) -> None:
    sent = event("delta", {"text": text.replace("\ud800", "")}, "t1").decode()
    lines = sent.split("\n")
    assert [line.partition(":")[0] for line in lines] == ["event", "id", "data", "", ""]
    assert json.loads(lines[2].removeprefix("data: "))["text"] == text
    assert "\r" not in sent
