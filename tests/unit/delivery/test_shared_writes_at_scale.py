"""Answers of several processes in one workspace, in simulated time, against a meter
that enforces Slack's limits (platform facts A5.1)."""

from functools import cache

import pytest

from tests.support.deep import deep_only, rounds
from tests.support.simulated_replies import TICK, Run, asker, others, replies

LOADS = [
    (5, 5, 1_500, 0.01),
    (5, 1, 2_400, 0.01),
    (20, 5, 1_500, 0.01),
    *deep_only(
        (1, 1, 1_500, 0.01),
        (50, 5, 1_500, 0.01),
        (20, 1, 200, 0.01),
        (30, 5, 1_500, 2.0),
        (50, 10, 2_400, 0.1),
    ),
]


@cache
def play(
    count: int,
    channels: int,
    chars: int,
    apart: float,
    processes: int,
    *,
    streams: bool = False,
) -> Run:
    """Let so many answers of about so many characters be written by so many processes,
    0 for one that shares nothing."""
    return Run(
        replies(count, channels, chars, apart, may_stream=streams),
        processes=processes,
        tick=rounds(0.1, TICK),
    ).play()


@pytest.mark.parametrize(("count", "channels", "chars", "apart"), LOADS)
def test_readers_notice_nothing_of_several_processes(
    count: int, channels: int, chars: int, apart: float
) -> None:
    alone = play(count, channels, chars, apart, 0)
    team = play(count, channels, chars, apart, 4)
    assert alone.refused == team.refused == 0
    assert team.lag(others) <= 1.1 * alone.lag(others)
    assert team.lag(asker) <= 1.1 * alone.lag(asker)
    # Few asks are made in vain.
    assert team.asked <= 4 * sum(team.writes.values())


@pytest.mark.parametrize(
    ("count", "channels", "chars", "apart"),
    [
        (5, 5, 1_500, 0.01),
        # Those that begin within milliseconds know nothing of each other yet.
        (20, 1, 1_500, 0.0),
        *deep_only(
            (20, 1, 1_500, 0.01),
            (20, 1, 1_500, 0.05),
            (20, 5, 1_500, 0.01),
            (50, 5, 1_500, 0.01),
            (20, 5, 1_500, 0.2),
        ),
    ],
)
def test_processes_stream_as_many_answers_as_one_would(
    count: int, channels: int, chars: int, apart: float
) -> None:
    alone = play(count, channels, chars, apart, 0, streams=True)
    team = play(count, channels, chars, apart, 4, streams=True)
    assert alone.refused == team.refused == 0
    assert team.lag(others) <= 1.15 * alone.lag(others)
    assert team.lag(asker) <= 1.15 * alone.lag(asker)
    assert team.asked <= 4 * sum(team.writes.values())


@pytest.mark.parametrize("processes", [1, 4])
def test_final_texts_are_not_late_for_the_refreshes_of_others(processes: int) -> None:
    run = play(5, 5, 1_500, 0.01, processes)
    for reply in run.replies:
        assert reply.others.times[-1] <= reply.ends + 0.1
