"""The display of a run, while it goes on and at its end."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from bot.ports.archive import Tally
from bot.schemes.scheme import default
from bot.triage.bulk.progress import Screen, bar, duration, summary
from bot.triage.bulk.runs import Progress
from tests.storage.test_triage_archive import a_run


def console(*, terminal: bool = False) -> tuple[Console, Callable[[], str]]:
    out = io.StringIO()
    made = Console(file=out, width=100, force_terminal=terminal, color_system=None)
    return made, lambda: " ".join(out.getvalue().split())


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "0 s"), (89, "89 s"), (300, "5 min"), (7_260, "2 h 1 min")],
)
def test_spans(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_bars() -> None:
    assert bar(1.0) == "█" * 32
    assert bar(0.0) == ""
    assert bar(0.5, plain=True) == "#" * 16


def test_without_a_terminal_a_line_is_written_now_and_then() -> None:
    now = [0.0]
    made, said = console()
    with Screen(made, clock=lambda: now[0]) as screen:
        for second in range(40):
            now[0] = float(second)
            done = 10 * second
            screen.show(
                Progress(1_000, done, 2, cost=done / 1e4, rows=1_000, fresh=done)
            )
    assert said().count("of 1,000 tickets") == 2
    assert "300 of 1,000 tickets, 10.0 a second, $0.03 of about $0.10" in said()
    assert "70 s left, 2 not sorted" in said()


def test_what_is_expected_follows_from_what_came() -> None:
    assert Progress(total=10).expected is None
    assert Progress(total=10, done=10, cost=0.5).expected == 0.5
    half = Progress(total=10, done=5, cost=0.5, fresh=5)
    assert half.expected == pytest.approx(1.0)
    # What was known before costs nothing now.
    assert Progress(total=10, done=8, cost=0.3, fresh=3).expected == pytest.approx(0.5)


def test_rows_that_read_alike_are_counted_as_one_ticket() -> None:
    now = [0.0]
    made, said = console()
    with Screen(made, clock=lambda: now[0]) as screen:
        now[0] = 20.0
        screen.show(Progress(10, 6, rows=30))
    assert "6 of 10 different tickets in 30 rows, " in said()


def test_what_was_paid_before_is_not_paid_again() -> None:
    made, said = console()
    tally = Tally(10, 10, cost=0.02)
    run = replace(
        a_run(), outputs=(("-", "csv"), ("sorted.csv", "csv"), ("t.db", "db"))
    )
    made.print(summary(run, default(), tally, {}, 0.0, before=0.02))
    assert "Cost $0.00 now, $0.02 before, with m" in said()
    assert said().endswith("Written sorted.csv, t.db")


def test_the_end_counts_all_and_names_what_is_missing() -> None:
    made, said = console()
    tally = Tally(
        *(10, 7, {"empty: there is nothing to sort": 2}, 9, 8),
        cost=0.02,
        unpriced=1,
    )
    counts = {"category": {"bug": 6, "billing": 1}, "priority": {"high": 7}}
    made.print(summary(a_run(), default(), tally, counts, 65.0, plain=True))
    assert "bug 6 86 % ################################" in said()
    assert "feature 0 0 %" in said()
    assert "Sorted 7 of 10 rows Not sorted 2: empty" in said()
    assert "Left 1 row Tokens" in said()
    # One answer's price is not known, so the sum is not.
    assert "Cost price unknown with m" in said()
    assert "1 of the rows read like another" in said()
