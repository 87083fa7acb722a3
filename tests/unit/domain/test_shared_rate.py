"""The row that all processes share for the writes of one kind."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.platform import Rate, RateLimitScope, WriteKind
from bot.domain.shared_rate import Level, RateAsk, RateRow, RateState, Use, answer

EDITS = Rate(count=49, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9)
POSTS = Rate(count=59, seconds=60.0, scope=RateLimitScope.CHANNEL, burst=5)
NOW = 1_000_000.0


class Table:
    """The rows, and a clock."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, WriteKind], RateRow] = {}
        self.now = NOW

    def ask(self, process: str, *asks: RateAsk) -> RateState:
        known = [(self.rows.get((a.scope, a.kind), RateRow()), a) for a in asks]
        rows, states = answer(known, process, self.now)
        for each, row in zip(asks, rows, strict=True):
            self.rows[each.scope, each.kind] = row
        return states[0]


def edit(level: Level = Level.FINAL, **more: float) -> RateAsk:
    return RateAsk("W", WriteKind.EDIT, EDITS, level, replies=1, **more)  # type: ignore[arg-type]


def test_a_burst_is_given_and_then_the_rate() -> None:
    table = Table()
    assert [table.ask("a", edit()).wait for _ in range(9)] == [0.0] * 9
    refused = table.ask("a", edit())
    assert refused.wait == pytest.approx(60 / 49)
    assert refused.tokens == pytest.approx(0.0, abs=1e-6)
    table.now += refused.wait
    assert table.ask("a", edit()).wait == 0.0


def test_refreshes_leave_a_write_for_each_reply_of_every_process() -> None:
    table = Table()
    for process in "abcd":
        table.ask(process, edit(Level.FIRST))
    given = 0
    while table.ask("a", edit(Level.REFRESH)).wait == 0.0:
        given += 1
        table.now += 1e-3 if given < 2 else 0.0
    # Of nine, four were taken and four are kept.
    assert given <= 1
    assert [table.ask("b", edit()).wait for _ in range(4)] == [0.0] * 4


def test_first_words_leave_a_write_of_a_large_burst_to_a_final_text() -> None:
    table = Table()
    given = 0
    while table.ask("a", edit(Level.FIRST)).wait == 0.0:
        given += 1
    assert given == 8
    assert table.ask("b", edit()).wait == 0.0
    small = RateAsk("C", WriteKind.POST, POSTS, Level.FIRST)
    assert [table.ask("a", small).wait for _ in range(5)] == [0.0] * 5


def test_after_a_rate_limit_error_no_process_writes_and_then_one() -> None:
    table = Table()
    table.ask("a", edit())
    key = ("W", WriteKind.EDIT)
    table.rows[key] = table.rows[key].closed(EDITS, 30.0, table.now)
    for process in "abc":
        assert table.ask(process, edit()).wait == pytest.approx(30.0, abs=5.0)
    table.now += 30.0
    assert table.ask("a", edit()).wait == 0.0
    assert table.ask("b", edit()).wait > 0.0


def test_whoever_waits_longest_goes_first() -> None:
    table = Table()
    for _ in range(9):
        table.ask("a", edit())
    young = table.ask("a", edit(age=1.0))
    old = table.ask("b", edit(age=9.0))
    assert young.wait == old.wait
    table.now += old.wait
    # The younger one comes first, and is told to wait for the other.
    assert table.ask("a", edit(age=1.0)).wait == pytest.approx(60 / 49)
    assert table.ask("b", edit(age=9.0)).wait == 0.0


def test_whoever_does_not_come_back_keeps_nobody_waiting() -> None:
    table = Table()
    for _ in range(9):
        table.ask("a", edit())
    table.ask("gone", edit(age=9.0))
    table.now += 60 / 49 + 1.0
    assert table.ask("a", edit()).wait == 0.0


def test_a_way_of_writing_is_chosen_again_if_others_are_there() -> None:
    table = Table()

    def posted(process: str, known: int | None) -> RateState:
        look = edit(Level.FIRST, use=Use.LOOK, known=known)  # type: ignore[arg-type]
        post = RateAsk("C", WriteKind.POST, POSTS, Level.FIRST)
        return table.ask(process, look, post)

    assert posted("a", 0).wait == 0.0
    refused = posted("b", 0)
    assert refused.wait > 0.0
    assert refused.others == 1
    # Nothing was taken, and a look takes nothing.
    assert table.rows["C", WriteKind.POST].tokens(POSTS, NOW) == pytest.approx(4.0)
    assert table.rows["W", WriteKind.EDIT].tokens(EDITS, NOW) == pytest.approx(9.0)
    assert posted("b", 1).wait == 0.0
    # A process that chose twice already writes in any case.
    assert posted("c", None).wait == 0.0


def test_a_stream_stopped_in_the_turn_of_an_edit_takes_none() -> None:
    table = Table()

    def turn(process: str) -> float:
        return table.ask(process, edit(Level.REFRESH, use=Use.TURN)).wait  # type: ignore[arg-type]

    assert turn("a") == 0.0
    assert table.rows["W", WriteKind.EDIT].tokens(EDITS, NOW) == pytest.approx(9.0)
    # The next refresh waits for its turn, a final text does not.
    assert turn("b") > 0.0
    assert table.ask("b", edit(Level.REFRESH)).wait > 0.0
    assert table.ask("c", edit()).wait == 0.0


def test_a_refresh_that_comes_a_little_late_keeps_nobody_back() -> None:
    """Delays of many processes must not add up."""
    times = {}
    for late in (0.0, 0.1):
        table = Table()
        for _ in range(20):
            while wait := table.ask("a", edit(Level.REFRESH)).wait:
                table.now += wait + late
        times[late] = table.now - NOW
    assert times[0.1] <= times[0.0] + 0.2


def test_a_stream_is_opened_only_if_every_stop_is_kept() -> None:
    starts = Rate(count=19, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9)

    def opened(process: str, streams: int) -> float:
        first = ("W", WriteKind.CLOSE, starts, Level.FIRST)
        stop = RateAsk(*first, use=Use.KEEP, streams=streams)
        start = RateAsk("W", WriteKind.OPEN, starts, Level.FIRST)
        return table.ask(process, stop, start).wait

    def stopped(process: str, streams: int) -> float:
        stop = RateAsk("W", WriteKind.CLOSE, starts, Level.FINAL, streams=streams)
        return table.ask(process, stop).wait

    table = Table()
    for nth in range(4):
        assert opened("a", nth) == 0.0
        assert opened("b", nth) == 0.0
    table.now += 600.0
    # All eight streams can still be stopped, at once.
    assert [stopped("a", 3 - nth) for nth in range(4)] == [0.0] * 4
    assert [stopped("b", 3 - nth) for nth in range(4)] == [0.0] * 4


@given(seed=st.integers(0, 10_000), back=st.floats(0.0, 7_200.0))
def test_no_more_than_the_rate_allows_whoever_asks(seed: int, back: float) -> None:
    chance = random.Random(seed)
    table, times = Table(), []
    for _ in range(200):
        table.now += chance.expovariate(3.0)
        level = chance.choice(list(Level))
        who = chance.choice("abcdefgh")
        if table.ask(who, edit(level, age=chance.random() * 5)).wait == 0.0:
            times.append(table.now)
    for begin in times:
        within = sum(begin <= each < begin + 60.0 for each in times)
        assert within <= 49 + 9
    # A clock that was set back keeps nobody away for longer than the burst takes.
    table.now -= back
    assert table.ask("z", edit()).wait <= 9 * 60 / 49 + 8 * 60 / 49
