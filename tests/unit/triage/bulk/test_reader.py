"""Files as people have them."""

import io
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.triage.bulk.reader import Source, opened


def look(path: Path, content: str | bytes, **said: object) -> Source:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(str(path), **said) as source:  # type: ignore[arg-type]
        return source


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tickets.csv"


def texts(source: Source) -> list[str]:
    return [ticket.text for ticket in source.tickets()]


def test_commas_and_quotes_with_lines_in_them(file: Path) -> None:
    source = look(file, 'id,ticket\n1,"Hi,\n""it"" broke"\n\n2, fine \n')
    assert texts(source) == ['Hi,\n"it" broke', "fine"]
    assert source.id == "id"


def test_half_a_character_in_json_is_replaced(tmp_path: Path) -> None:
    lines = ['{"ticket": "It broke \\ud83e"}', '{"ticket": "\\ud83e\\udd16"}']
    assert texts(look(tmp_path / "t.jsonl", "\n".join(lines))) == [
        "It broke \ufffd",
        "🤖",
    ]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(file: Path, separator: str) -> None:
    lines = ["nr,Body,x", "1,a; b,", "2,c|d, "]
    content = "\n".join(line.replace(",", separator, 2) for line in lines)
    if separator in "a; b c|d":
        content = content.replace(f"a{separator} b", "a b").replace(
            f"c{separator}d", "c d"
        )
    source = look(file, content)
    assert source.columns == ("nr", "Body", "x")
    assert source.texts == ("Body",)
    assert len(texts(source)) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "utf-8"])
def test_encodings(file: Path, encoding: str) -> None:
    source = look(file, "id,text\n1,Größe für 5 €\n".encode(encoding))
    assert source.columns == ("id", "text")
    assert texts(source) == ["Größe für 5 €"]


def test_two_hundred_columns_and_a_chosen_one(file: Path) -> None:
    head = ",".join(f"c{n}" for n in range(200))
    row = ",".join(f"v{n}" for n in range(200))
    source = look(file, f"{head}\n{row}\n", columns=["C7", "c150"], id="c0")
    assert texts(source) == ["v7\n\nv150"]
    with pytest.raises(ConfigError, match=r"`nope`; it has `c0`.* and 188 more"):
        look(file, f"{head}\n{row}\n", columns=["nope"])
    with pytest.raises(ConfigError, match="Name the column of"):
        look(file, f"{head}\n{row}\n")


def test_a_row_of_two_megabytes(file: Path) -> None:
    source = look(file, f"ticket\n{'x' * 2_000_000}\ny\n")
    assert [len(text) for text in texts(source)] == [2_000_000, 1]


def test_heads_that_repeat_or_are_missing(file: Path) -> None:
    source = look(file, "a,,a,ticket\n1,2,3,4\n")
    assert source.columns == ("a", "column 2", "a (3)", "ticket")


def test_short_rows_are_filled_and_long_ones_named(file: Path) -> None:
    source = look(file, "ticket,a,b\nx\ny,1,2,,\n")
    assert [ticket.row for ticket in source.tickets()] == [
        {"ticket": "x", "a": "", "b": ""},
        {"ticket": "y", "a": "1", "b": "2"},
    ]
    source = look(file, "ticket,a\nx,1\ny,1,2\n")
    with pytest.raises(ConfigError, match=r"row 2 has 3 fields and the header 2"):
        texts(source)


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    source = look(file, '{"id": 7, "body": "Hi"}\n\n{"body": {"a": 1}, "x": null}\n')
    assert source.id == "id"
    assert texts(source) == ["Hi", '{"a": 1}']
    source = look(file, '{"body": "Hi"}\n{"x": 1}\n')
    with pytest.raises(ConfigError, match="row 2 has no `body`"):
        texts(source)
    with pytest.raises(ConfigError, match="line 2 or the next is no JSON object"):
        look(file, '{"body": "Hi"}\nnope\n')


def test_standard_input_is_told_apart_by_how_it_begins() -> None:
    with opened("-", stdin=io.BytesIO(b'{"text": "Hi"}\n')) as source:
        assert texts(source) == ["Hi"]
    with opened("-", stdin=io.BytesIO(b"text\nHi\n")) as source:
        assert texts(source) == ["Hi"]
        kept = source.path
    assert not kept.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"id,ticket\n", "no rows below its head"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither CSV nor JSON Lines"),
        (b'[{"ticket": "x"}]', "one JSON list"),
    ],
)
def test_what_is_no_list_of_tickets(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        look(tmp_path / "tickets", content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match="cannot be read: No such file"),
        opened(str(tmp_path / "nope.csv")),
    ):
        pass
