"""What the benchmarks hold the product against is itself true."""

import pytest

from benchmarks.bound import BOUNDS, first_sight, last_sight
from tests.emulators.slack import rates


@pytest.mark.parametrize(
    ("replies", "channels", "seconds"),
    [(1, 1, 6.0), (20, 1, 0.8), (20, 5, 6.0), (100, 5, 6.0), (100, 50, 6.0)],
)
def test_who_writes_as_soon_as_slack_lets_them_is_never_ahead_of_the_bound(
    replies: int, channels: int, seconds: float
) -> None:
    now = 0.0
    meter = rates.Meter(rates.RATES, lambda: now)
    posted: dict[int, float] = {}
    ended: dict[int, float] = {}
    streams: set[int] = set()
    while len(ended) < replies and now < 300:
        for reply in range(replies):
            room = f"C{reply % channels}"
            if reply not in posted:
                if not meter.admit("chat.postMessage", room):
                    posted[reply] = now
                elif not meter.admit("chat.startStream", room):
                    posted[reply] = now
                    streams.add(reply)
                # With text that is whole already, it is the end, too.
                if reply in posted and now >= seconds:
                    ended[reply] = now - seconds
            elif now < seconds or reply in ended:
                continue
            else:
                ways = ("stop", "append") if reply in streams else ()
                methods = ["chat.update", *(f"chat.{way}Stream" for way in ways)]
                # Any that is free, though no stream is edited: the bound allows it.
                if any(not meter.admit(method, room) for method in methods):
                    ended[reply] = now - seconds
        now += 0.1
    for seen, bound in (
        (posted, first_sight(replies, channels)),
        (ended, last_sight(replies, channels, seconds)),
    ):
        assert len(seen) == replies
        assert sum(seen.values()) / replies >= bound[0] - 0.01
        assert max(seen.values()) >= bound[1] - 0.01
    # Of posts and starts the bound is what can be reached.
    assert max(posted.values()) <= first_sight(replies, channels)[1] + 1.2


@pytest.mark.parametrize("replies", [1, 5, 20, 50, 100])
def test_who_may_write_to_anybody_in_any_way_is_never_ahead_of_the_least(
    replies: int,
) -> None:
    seconds, step, now = 6.0, 0.05, 0.0
    meter = rates.Meter(rates.RATES, lambda: now)
    shown: dict[int, float] = {}
    lag = 0.0
    while len(shown) < replies or min(shown.values()) < seconds:
        # Whoever has most to show comes first.
        for reply in sorted(range(replies), key=lambda each: shown.get(each, -1.0)):
            firsts = ("chat.postMessage", "chat.startStream")
            later = ("chat.update", "chat.appendStream", "chat.stopStream")
            before, grown = shown.get(reply, 0.0), min(now, seconds)
            ways = later if reply in shown else firsts
            room = f"C{reply % 5}"
            if grown > before and any(not meter.admit(way, room) for way in ways):
                lag += (grown - before) * (now - (before + grown) / 2)
                shown[reply] = grown
        now += step
    least = BOUNDS["slack"].least(replies, 5, seconds)
    assert lag / replies / seconds >= least
    assert least > 0
