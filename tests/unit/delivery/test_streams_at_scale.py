"""Streams in channels beside posts and edits, in simulated time, against meters that
enforce Slack's limits (platform facts A5.1, A7.2): the asker sees answers sooner, and
nobody else sees less of them."""

from functools import cache

import pytest

from bot.domain.platform import WriteKind
from tests.support.deep import deep_only, rounds
from tests.support.simulated_replies import TICK, Run, asker, others, replies


@cache
def play(
    count: int, channels: int, chars: int, apart: float = 0.01, *, streams: bool
) -> Run:
    """Let so many answers of about so many characters be written, each begun some time
    after the one before."""
    return Run(replies(count, channels, chars, apart, may_stream=streams)).play()


# Most of its time is play, of which many tests look at the same.
pytestmark = pytest.mark.together("streams at scale")

# An edit that comes at another moment shows some text sooner, and some later. So much
# later all of an answer may have been to read at any moment, in seconds.
BEHIND = 3 * TICK

# So many answers, in so many channels, of so many characters, begun so far apart.
LOADS = [
    (1, 1, 1_500, 0.01),
    (20, 5, 1_500, 0.01),
    (10, 5, 1_500, 0.0),
    (7, 2, 2_500, 0.3),
    *deep_only(
        (5, 5, 1_500, 0.01),
        (20, 1, 200, 0.01),
        (30, 5, 1_500, 2.0),
        (50, 5, 1_500, 0.01),
        (100, 5, 1_500, 0.01),
        (20, 5, 6_000, 0.01),
        (60, 5, 1_500, 1.0),
    ),
]


@pytest.mark.parametrize(("count", "channels", "chars", "apart"), LOADS)
def test_others_than_the_asker_see_no_less_than_with_edits_alone(
    count: int, channels: int, chars: int, apart: float
) -> None:
    alone = play(count, channels, chars, apart, streams=False)
    both = play(count, channels, chars, apart, streams=True)
    assert alone.refused == both.refused == 0
    for edited, streamed in zip(alone.replies, both.replies, strict=True):
        # Both are seen from the first to the last word no later than that.
        assert streamed.others.times[0] <= edited.others.times[0] + TICK
        assert streamed.others.times[-1] <= edited.others.times[-1] + 4 * TICK
        # Edits that streams leave to others come sooner, and so the next ones at other
        # moments. But at every moment there was no less to read until then.
        ahead = 0.0
        text = edited.there(edited.ends)
        for nth in range(int(max(alone.now, both.now) / TICK)):
            now = nth * TICK
            ahead += (streamed.others.at(now) - edited.others.at(now)) * TICK
            assert ahead >= -BEHIND * text
    assert both.lag(others) <= alone.lag(others) + 1e-9
    assert both.lag(asker) <= alone.lag(asker) + 1e-9


@pytest.mark.parametrize("count", [20, *deep_only(50, 100)])
def test_answers_that_begin_at_once_are_seen_at_no_moment_less(count: int) -> None:
    alone = play(count, 5, 1_500, streams=False)
    both = play(count, 5, 1_500, streams=True)
    for nth in range(int(alone.now / TICK)):
        now = nth * TICK
        assert both.seen_by_others(now) >= alone.seen_by_others(now)


@pytest.mark.parametrize(
    ("count", "channels", "chars", "share"),
    [
        *((20, 5, 1_500, 0.4), (20, 1, 200, 0.3)),
        *deep_only((10, 5, 1_500, 0.6), (50, 5, 1_500, 0.67)),
    ],
)
def test_askers_wait_less_where_edits_do_not_suffice(
    count: int, channels: int, chars: int, share: float
) -> None:
    alone = play(count, channels, chars, streams=False)
    both = play(count, channels, chars, streams=True)
    assert both.lag(asker) <= share * alone.lag(asker)


@pytest.mark.parametrize(
    ("count", "apart"), [(1, 0.01), (2, 0.01), (6, 20.0), *deep_only((30, 20.0))]
)
def test_while_edits_suffice_nothing_is_a_stream(count: int, apart: float) -> None:
    run = play(count, 5, 1_500, apart, streams=True)
    assert run.writes.get(WriteKind.OPEN) is None


def test_every_stop_is_granted_at_once() -> None:
    run = play(rounds(20, 100), 5, 1_500, streams=True)
    assert run.writes[WriteKind.OPEN] == run.writes[WriteKind.CLOSE] > 8
    ended = [each for each in run.replies if each.stopped_at_end]
    assert ended
    for reply in ended:
        assert reply.others.times[-1] <= reply.ends + TICK
