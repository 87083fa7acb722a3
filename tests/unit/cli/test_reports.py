"""Reports of the command line on costs and changes."""

import csv
import io
import json

import pytest
from rich.console import Console
from rich.table import Table

from bot.cli import reports
from bot.domain.budget import Spending
from bot.domain.completion import Usage
from bot.domain.finding import Finding, Grade
from bot.domain.reports import UsageKey
from bot.domain.scope import Scope
from bot.domain.setting import AuditEntry, Refusal
from bot.reports.labels import Labels
from bot.runtime import terminal
from bot.text import csv_cells
from bot.ui import formatting

HERE = Scope("slack", "T1", "C5", "1.0")

#: 26 November 2026, noon.
NOON = 1_795_694_400.0


def spent(
    day: str, person: str, cost: float, kind: str = "answer", unpriced: int = 0
) -> Spending:
    usage = Usage(input=10, cache_read=1_000, output=5)
    model = "claude-sonnet-5-5"
    return Spending(day, HERE, person, model, kind, 1, usage, cost, unpriced)


ROWS = [
    spent("2026-11-25", "U1", 0.5),
    spent("2026-11-26", "U1", 0.25),
    spent("2026-11-26", "U2", 1.0),
    spent("2026-11-26", "U2", 0.01, "routing"),
]


def printed(table: Table) -> list[str]:
    console = Console(width=140, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_days_stand_in_their_order_and_people_by_what_they_cost() -> None:
    assert [
        line.split()[0] for line in printed(reports.spending(ROWS, UsageKey.DAY))
    ] == [*("Day", "2026-11-25", "2026-11-26", "Total")]
    people = [line.split() for line in printed(reports.spending(ROWS, UsageKey.PERSON))]
    assert [words[0] for words in people] == ["Person", "slack:U2", "slack:U1", "Total"]
    # A routing call is paid for, and is no answer.
    assert people[1][1] == "1"
    assert "1.0100" in people[1]


def test_each_row_has_a_bar_for_its_share() -> None:
    lines = printed(reports.spending(ROWS, UsageKey.PERSON))
    assert lines[1].rstrip().endswith("█" * reports.BAR_CHARS)
    assert 0 < lines[2].count("█") < reports.BAR_CHARS
    plain = printed(reports.spending(ROWS, UsageKey.PERSON, plain=True))
    assert plain[1].rstrip().endswith("#" * reports.BAR_CHARS)
    assert "█" not in "".join(plain)


def test_no_figure_is_cut_in_a_narrow_terminal() -> None:
    keys = [UsageKey.DAY, UsageKey.PERSON]
    rows = [spent("2026-11-26", "U0123456789ABCDEF", 1234.5)]
    table = reports.spending(rows, keys, bars=False)
    for width in (60, 80):
        out = io.StringIO()
        terminal.on(out, width=width).print(table, crop=False)
        assert "2026-11-26" in out.getvalue()
        assert "1234.5000" in out.getvalue()
        assert "…" not in out.getvalue()
    assert terminal.width_of(table) < terminal.width_of(reports.spending(rows, keys))


def test_a_bar_is_exact_to_an_eighth() -> None:
    assert formatting.blocks(0.0, 4) == ""
    assert formatting.blocks(1.0, 4) == "████"
    assert formatting.blocks(0.5 + 1 / 32, 4) == "██▏"
    assert formatting.blocks(7.0, 4) == "████"


def test_what_has_no_price_is_unknown_and_not_nothing() -> None:
    rows = [spent("2026-11-26", "U1", 0.0, unpriced=1), ROWS[1]]
    assert "0.2500 + 1 unknown" in "\n".join(
        printed(reports.spending(rows, UsageKey.DAY))
    )
    assert "unknown" in "\n".join(printed(reports.spending(rows[:1], UsageKey.DAY)))


def test_programs_get_plain_values() -> None:
    rows = reports.spending_rows(ROWS, UsageKey.MODEL)
    [row] = csv.DictReader(io.StringIO(csv_cells.as_csv(rows)))
    assert (row["model"], row["usd"], row["calls"]) == (
        "claude-sonnet-5-5",
        "1.76",
        "4",
    )
    [same] = json.loads(terminal.as_json(rows))
    assert same["answers"] == 3
    assert same["saved_usd"] > 0
    assert csv_cells.as_csv([]) == ""
    assert json.loads(terminal.as_json([])) == []


def test_the_audit_says_who_did_what() -> None:
    entries = [
        AuditEntry(1, NOON, HERE, "U1", "set", "budget_day", None, "5"),
    ]
    lines = printed(reports.audit(entries))
    assert "set budget_day: not set → $5.00" in lines[1]
    assert reports.audit_rows(entries)[0]["after"] == "5"


def test_refusals_are_counted_in_a_line() -> None:
    refused = [Refusal(Scope("slack", "T1", "C5"), "U9", "set model", 25, NOON)]
    lines = printed(reports.refusals(refused))
    assert "2026-11-26 12:00    slack:T1:C5  U9   set model     25" in lines[1]
    assert reports.refusal_rows(refused)[0]["count"] == 25


def test_a_finding_is_never_broken_within_a_word() -> None:
    address = f"https://discord.com/oauth2/authorize?{'x' * 120}"
    found = [
        Finding("Discord invite", Grade.GOOD, address),
        Finding("Slack", Grade.ABSENT, "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN here"),
    ]
    narrow = [line.plain for line in reports.findings(found, 50)]
    assert narrow == [
        f"✓  Discord invite  {address}",
        "–  Slack           set SLACK_BOT_TOKEN and",
        "                   SLACK_APP_TOKEN here",
    ]
    assert len(reports.findings(found, None)) == 2
    for grade, mark in zip(Grade, "+-!x", strict=True):
        [line] = reports.findings([Finding("A", grade, "b")], None, plain=True)
        assert line.plain == f"{mark}  A  b"


def test_a_report_without_rows_has_its_columns_as_csv() -> None:
    labels = Labels()
    keys = [UsageKey.DAY, UsageKey.PERSON]
    entry = AuditEntry(1, NOON, HERE, "U1", "set", "model")
    refusal = Refusal(HERE, "U1", "set model", 1, NOON)
    for columns, rows in (
        (
            reports.columns_of_spending(keys, labels),
            reports.spending_rows(ROWS, keys, labels),
        ),
        (reports.columns_of_audit(None), reports.audit_rows([entry])),
        (reports.columns_of_refusals(labels), reports.refusal_rows([refusal], labels)),
    ):
        head = csv_cells.as_csv([], columns)
        assert csv_cells.as_csv(rows).startswith(head)
        assert head.count("\n") == 1


class _Closed(io.StringIO):
    """A pipe whose reader has ended."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_table_for_a_closed_pipe_ends_like_other_output() -> None:
    with pytest.raises(BrokenPipeError):
        terminal.on(_Closed()).print("text")
