"""What the benchmarks hold the product against is itself true."""

import pytest

from benchmarks.bound import first_sight, last_sight
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
    while len(ended) < replies and now < 300:
        for reply in range(replies):
            room = f"C{reply % channels}"
            if reply not in posted:
                if not meter.admit("chat.postMessage", room):
                    posted[reply] = now
                    # With text that is whole already, it is the end, too.
                    if now >= seconds:
                        ended[reply] = now - seconds
            elif now < seconds or reply in ended:
                continue
            elif not meter.admit("chat.update", room):
                ended[reply] = now - seconds
        now += 0.1
    for seen, bound in (
        (posted, first_sight(replies, channels)),
        (ended, last_sight(replies, channels, seconds)),
    ):
        assert len(seen) == replies
        assert sum(seen.values()) / replies >= bound[0] - 0.01
        assert max(seen.values()) >= bound[1] - 0.01
    # Of posts the bound is what can be reached.
    assert max(posted.values()) <= first_sight(replies, channels)[1] + 0.2
