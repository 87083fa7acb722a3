"""Files as people have them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.triage.bulk.columns import Unclear
from bot.triage.bulk.reader import Findings, Options, Source, open_source


def look(path: Path, content: str | bytes, **said: Any) -> Source:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_source(str(path), Options(**said)) as source:
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
    with pytest.raises(ConfigError, match="Say with --column"):
        look(file, f"{head}\n{row}\n")


def test_a_row_of_two_hundred_kilobytes(file: Path) -> None:
    # The csv module of Python refuses fields above 128 KiB unless it is told.
    source = look(file, f"ticket\n{'x' * 200_000}\ny\n")
    assert [len(text) for text in texts(source)] == [200_000, 1]


def test_heads_that_repeat_or_are_missing(file: Path) -> None:
    source = look(file, "a,,a,\u200b,ticket\nx,y,z,w,It broke\n")
    assert source.columns == ("a", "column 2", "a (3)", "column 4", "ticket")


def test_short_rows_are_filled_and_long_ones_named(file: Path) -> None:
    source = look(file, "ticket,a,b\nx\ny,1,2,,\n,,\n")
    found = Findings()
    assert [ticket.row for ticket in source.tickets(found)] == [
        {"ticket": "x", "a": "", "b": ""},
        {"ticket": "y", "a": "1", "b": "2"},
    ]
    assert found.blank == 1
    # The end of a file as programs of DOS mark it.
    source = look(file, "id,ticket\n1,It broke\n\u200b, \n\x1a")
    assert texts(source) == ["It broke"]
    source = look(file, "ticket,a\nx,1\ny,1,2\n")
    with pytest.raises(
        ConfigError, match=r"row 2 has 3 fields and the header row has 2 \(line 3"
    ):
        texts(source)
    source = look(file, "ticket,a\nx,1\ny,1,2\nz,3\n", force=True)
    assert [ticket.problem[:18] for ticket in source.tickets()] == [
        *("", "unreadable: line 3", "")
    ]


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    source = look(file, '{"id": 7, "body": "Hi"}\n\n{"body": {"a": 1}, "x": null}\n')
    assert source.id == "id"
    assert source.columns == ("id", "body", "x")
    assert texts(source) == ["Hi", '{"a": 1}']


def test_fields_that_are_left_out_are_empty(tmp_path: Path) -> None:
    lines = [
        {"subject": "Hi", "text": "It broke"},
        {"text": "Pay twice"},
        {"subject": "Crash"},
        {"id": 4},
    ]
    content = "\n".join(map(json.dumps, lines))
    source = look(tmp_path / "t.jsonl", content, columns=["subject,text"])
    assert texts(source) == ["Hi\n\nIt broke", "Pay twice", "Crash", ""]
    # A column that only the last row has is in the output as well.
    assert source.columns == ("subject", "text", "id")


def test_values_inside_objects_are_columns(tmp_path: Path) -> None:
    rows = [
        {
            "key": f"A-{n}",
            "status": "open",
            "fields": {"summary": "It broke", "description": text, "n": {"v.w": n}},
        }
        for n, text in ((1, "I cannot sign in"), (2, None), (3, "Why pay twice?"))
    ]
    content = json.dumps({"issues": rows})
    file = tmp_path / "t.json"
    source = look(file, content)
    assert source.columns == ("key", "status", "fields")
    assert source.texts == ("fields.summary", "fields.description")
    assert texts(source)[:2] == ["It broke\n\nI cannot sign in", "It broke"]
    source = look(file, content, columns=["Fields.Description"], id="fields.n.v.w")
    assert source.id == "fields.n.v.w"
    assert texts(source) == ["I cannot sign in", "", "Why pay twice?"]
    assert texts(look(file, content, columns=["fields.n"]))[0] == '{"v.w": 1}'
    with pytest.raises(ConfigError, match=r"it has .*`fields`, `fields\.summary`"):
        look(file, content, columns=["summary"])
    # A column that may hold the ticket is not passed over for a value in an object.
    for n, row in enumerate(rows):
        row.update(problem=f"It broke {n} times", remark="Please call me back")
    with pytest.raises(Unclear) as caught:
        look(file, json.dumps(rows))
    assert [each.name for each in caught.value.candidates] == [
        *("problem", "remark", "fields.summary", "fields.description")
    ]


def test_a_line_that_is_no_json_is_marked_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    lines = [
        '{"text": "a b"}',
        "nope",
        "[1]",
        '{"text": "c',
        '{"text": "d e"}',
        *["{}"] * 2,
    ]
    found = Findings()
    tickets = [*look(tmp_path / "t.jsonl", "\n".join(lines)).tickets(found)]
    assert [ticket.problem for ticket in tickets[1:4]] == [
        "unreadable: line 2, it is not valid JSON",
        "unreadable: line 3, it is not a JSON object",
        "unreadable: line 4, it is not valid JSON",
    ]
    assert [t.text for t in tickets if not t.problem] == ["a b", "d e", "", ""]
    assert (found.rows, found.empty, str(found.unreadable)) == (7, 2, "lines 2, 3, 4")
    source = look(tmp_path / "t.jsonl", "\n".join([*lines[:4], "x", "y"]))
    with pytest.raises(ConfigError, match="5 of its 6 rows are not valid JSON Lines"):
        texts(source)


def test_json_that_nothing_could_keep_is_kept_as_text(tmp_path: Path) -> None:
    digits = "9" * 30
    line = f'{{"text": "a b", "n": NaN, "i": -Infinity, "e": 1e999, "d": {digits}}}'
    twice = '{"text": "a b", "text": "c d"}'
    found = Findings()
    first, second = look(tmp_path / "t.jsonl", f"{line}\n{twice}").tickets(found)
    assert first.row == {
        **{"text": "a b", "n": "NaN", "i": "-Infinity", "e": "1e999", "d": digits}
    }
    assert second.text == "c d"
    assert (found.repeated.key, str(found.repeated.places)) == ("text", "line 2")


ROWS = [{"id": 1, "text": "It broke"}, {"id": 2, "text": "Pay twice"}]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "\ufeff" + json.dumps({"count": 2, "tickets": ROWS, "next": None}),
        json.dumps({"meta": {"a": [1]}, "ids": [1, 2], "tickets": ROWS}, indent=1),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        ",\n".join(map(json.dumps, ROWS)),
        "".join(f"\x1e{json.dumps(row)}\n" for row in ROWS),
    ],
)
@pytest.mark.parametrize("name", ["t.json", "t.csv", "t"])
def test_json_in_any_layout(tmp_path: Path, content: str, name: str) -> None:
    source = look(tmp_path / name, content)
    assert [ticket.row for ticket in source.tickets()] == ROWS
    assert (source.id, source.texts) == ("id", ("text",))


def test_a_long_list_is_read_in_parts(tmp_path: Path) -> None:
    rows = [{"text": f"It broke {n} " + "x" * 5_000} for n in range(500)]
    source = look(tmp_path / "t.json", json.dumps({"n": 1, "rows": rows}))
    assert texts(source) == [row["text"].strip() for row in rows]


def test_standard_input_is_told_apart_by_how_it_begins() -> None:
    with open_source("-", stdin=io.BytesIO(b'{"text": "Hi"}\n')) as source:
        assert texts(source) == ["Hi"]
    with open_source("-", stdin=io.BytesIO(b"text\nHi\n")) as source:
        assert texts(source) == ["Hi"]
        kept = source.path
    assert not kept.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"id,ticket\n", "no rows below its head"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a picture"),
        (b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04....a.csv", "ZIP archive.*unpack"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel"),
        (b"\x1f\x8b\x08", "gzip.*gunzip"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
        (bytes(range(256)) * 9, "is a binary file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a", "git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html><body>Not found", "an HTML page"),
        (b"<?xml version='1.0'?><a/>", "is XML"),
        (b"CREATE TABLE t (id int);\n", "is SQL"),
        (b"Return-Path: <a@b.example>\nSubject: x\n\nHi\n", "is e-mail"),
        (b"2026-11-28 10:00:01 INFO start\n2026-11-28 10:00:02 ERROR x\n", "is a log"),
        (
            b"2026-11-28 10:00:01,123 INFO a\n2026-11-28 10:00:02,4 ERROR b\n",
            "is a log",
        ),
        (
            b"Nov 28 10:00:01 host sshd[12]: Failed\nNov 28 10:00:01 h c: d\n",
            "is a log",
        ),
        (b"INFO: a\nERROR: b, c\n", "is a log"),
        (b"| id | text |\n|----|:--:|\n| 1 | It broke |\n", "a table in Markdown"),
        (b"# Open\n\nid|text\n-|-\n1|It broke\n", "remove what is above"),
        (b"id|text\n-|-\n1|It broke\n", "a table in Markdown"),
        (b"+--+---+\n| a | b |\n+--+---+\n", "drawn with characters"),
        (b" id | text\n----+------\n 1 | It broke\n", "drawn with characters"),
        (b"== ====\nid text\n== ====\n1  It broke\n", "drawn with characters"),
        (b'{"error": "not found"}', "the error of an API"),
        (b'{"message": "Not Found", "status": "404"}\n', "the error of an API"),
        (b'{\n "errors": [{"code": 1, "message": "x y"}]}', "the error of an API"),
        (b'[{"Error": {"code": 1}}]', "the error of an API"),
        (b"Login is broken\nPay twice please\n", "--no-header if each line"),
        (b"It broke, help\nPay me\nPay me now\n", "--no-header if each line"),
        (b"Report\n\nid,text\n1,It broke\n", "remove what is above"),
        (
            b"[28.11.26, 10:00:01] Anna: Hi\n[28.11.26, 10:01:00] B: Ho\n",
            "not a header row",
        ),
        (b"[section]\nkey = value\n", "is not a header row"),
        (b"[]", "is an empty JSON list"),
        (b'["a b", "c d"]', "its items are not objects"),
        (b'[{"text": "a"},\n{"text" "b"}]', "not valid JSON from line 2"),
        (b'[{"text": "a"}', "not valid JSON from line 1"),
        (b'{"a": [{"x": 1}],\n"b": [{"y": 2}]}', "several lists \\(`a`, `b`\\)"),
    ],
)
def test_what_is_no_list_of_tickets(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        texts(look(tmp_path / "tickets", content))


@pytest.mark.parametrize(
    "content",
    [
        b'{"id": 1, "error": "no", "text": "It broke again"}',
        b'{"error": "It broke"}\n{"error": "Pay me back"}\n',
        b'id,text\n1,"| a | b |\n|---|---|\n| 1 | 2 |"\n2,It broke\n',
        b"id|text|note\n1|It broke|-\n-|Pay me|-\n",
        b"id\ttext\n-\tIt broke\n-\t-\n",
    ],
)
def test_what_only_looks_like_something_else_is_read(
    tmp_path: Path, content: bytes
) -> None:
    assert texts(look(tmp_path / "tickets", content))


def test_lines_are_tickets_if_that_is_said(tmp_path: Path) -> None:
    log = "2026-11-28 10:00:01,5 INFO start\n2026-11-28 10:00:02,6 ERROR x\n"
    for content in ("It broke, help\nPay me\n", log):
        source = look(tmp_path / "t.txt", content, header=False)
        assert texts(source) == content.splitlines()


def test_the_first_row_of_a_table_without_a_head_is_a_ticket(file: Path) -> None:
    for first in ("1", "anna@b.example", "2026-11-28 10:00", "https://a.example/1"):
        source = look(file, f"{first},It broke\n{first},Pay twice\n")
        assert not source.header
        assert texts(source) == ["It broke", "Pay twice"]


@pytest.mark.parametrize(
    "before",
    [
        *("sep=;\r\n", '"sep=;"\r\n', "SEP=;;;\n", "\ufeffsep=;\n", "\ufeff", "\n \n"),
        *("\ufeff\ufeff", "\ufeff\nsep=;\n"),
    ],
)
def test_what_stands_before_the_head(file: Path, before: str) -> None:
    source = look(file, f"{before}id;text\r\n1;It broke, again\r\n2;Pay\r\n")
    assert source.columns == ("id", "text")
    assert texts(source) == ["It broke, again", "Pay"]


def test_lines_that_end_with_a_return_alone_nul_and_a_repeated_head(file: Path) -> None:
    found = Findings()
    source = look(file, "id,text\r1,It\0broke\rid,text\r2,Pay twice\r")
    assert [t.text for t in source.tickets(found)] == ["It\ufffdbroke", "Pay twice"]
    assert str(found.damage.nul) == "line 2"
    assert str(found.heads) == "line 3"


def test_a_header_row_again_is_no_row(file: Path) -> None:
    with pytest.raises(ConfigError, match="has no rows below its header row"):
        texts(look(file, "id,text\nid,text\n"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match="cannot be read: No such file"),
        open_source(str(tmp_path / "nope.csv")),
    ):
        pass
