"""Quotes of CSV that do not come out, and separators."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.triage.bulk import tables
from bot.triage.bulk.reader import Options, open_source
from bot.triage.bulk.tables import NONE, Dialect, find_dialect, records


def texts(path: Path, content: str, *, force: bool = False) -> list[str]:
    path.write_text(content, newline="")
    with open_source(str(path), Options(force=force)) as source:
        return [ticket.text for ticket in source.tickets()]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (['1,"It broke', "2,Pay", "3,Ok"], "opens in line 2 is never closed"),
        (["1,Ok", '2,"a\nb"', '3,"It broke', "4,x"], "opens in line 5 is never closed"),
        (["1,a", '2,"Pay', "3,b", '4,"Refund"', "5,c"], "line 3 is closed in line 5"),
        (['1,"He said "hi" there"'], "line 2 is closed before more text"),
        (['1,"He said \\"hi\\" there"'], "a backslash escapes a quote in line 2"),
        (['1,"a"', '2,"b\n\\"c\\" d"'], "a backslash escapes a quote in line 4"),
        (['1,"It broke', "2,Pay", '3,Crash "'], "takes in line 3, which looks like"),
        (['T-1,"It broke', 'T-12,"', "T-13,x"], "takes in line 3, which looks like"),
        (['1,"It broke" '], "closed before more text"),
    ],
)
def test_quotes_that_do_not_come_out_stop_with_their_line(
    tmp_path: Path, rows: list[str], told: str
) -> None:
    file = tmp_path / "t.csv"
    for end in ("\n", "\r\n"):
        content = end.join(["id,text", *rows, ""])
        with pytest.raises(ConfigError, match=told):
            texts(file, content)
        assert texts(file, content, force=True)


def test_backslashes_are_escapes_if_that_is_forced(tmp_path: Path) -> None:
    content = 'id,text\n1,"He said \\"hi\\", and left"\n2,"ok, fine"\n'
    found = texts(tmp_path / "t.csv", content, force=True)
    assert found == ['He said "hi", and left', "ok, fine"]


def test_quotes_that_come_out_are_read(tmp_path: Path) -> None:
    content = (
        'id,text\n1,"It broke,\nplease ""help"", soon"\n2,My 5" disk\n'
        '3,"C:\\"\n4,"See\nid 5, or 6"\n5,""\n'
    )
    assert texts(tmp_path / "t.csv", content) == [
        'It broke,\nplease "help", soon',
        'My 5" disk',
        "C:\\",
        "See\nid 5, or 6",
        "",
    ]


def test_a_quote_that_is_left_open_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MOST_LINE", 10_000)
    lines = iter(['1,"It broke\n', *["x" * 1_000] * 20])
    record = next(records(lines, Dialect(",")))
    assert record.problem == "the quote that opens in line 1 is never closed"
    # The rest is not read.
    assert len([*lines]) >= 10


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["a;b", "1,5;x, y", "2,5;z"], ";"),
        (["a\tb", "x; y\tz", "1\t2"], "\t"),
        (["a|b|c", "1|2, 3|4; 5"], "|"),
        (["a^b", "1^x"], "^"),
        (["text", "It broke, help", "Pay, please"], NONE),
        (["sep=|", "a|b,c", "1|2"], "|"),
        (["sep=\\t", "a\tb", "1\t2"], "\t"),
    ],
)
def test_the_separator(lines: list[str], separator: str) -> None:
    assert find_dialect([f"{line}\n" for line in lines]).separator == separator
