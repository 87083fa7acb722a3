"""The visible lag that Slack's limits leave to anybody. Pure; knows no product.

Both figures are from the limits that the emulator enforces:

`least` is a proof. No schedule, not even one that knows the future, has a smaller
mean. It asks for less than the limits do, so the best possible lies above it.
`schedule` is a simple scheduler to whom nothing costs time. What it reaches can be
reached, so the best possible lies below it.
"""

from collections.abc import Sequence

from tests.emulators.slack.rates import RATES, Meter

# (when, characters so far): of an answer as Claude sent it, or as it was seen.
Growth = Sequence[tuple[float, int]]

#: Slack's advice on streaming: one edit of a message every 3 s (platform facts A5.1).
INTERVAL = 3.0
STEP = 0.02

EDITS, (POSTS, ALL_POSTS) = RATES["chat.update"][0], RATES["chat.postMessage"]


def least(replies: int, channels: int, seconds: float) -> float:
    """The mean lag that no schedule goes below, when all `replies` begin at once and
    grow evenly for `seconds`.

    A reply is shown by its one post and, after that, by edits only. Within any w
    seconds the workspace gets at most burst + rate * w edits. So of the replies that
    are posted when some text arrives, the i-th to be edited next waits no less than
    c = (i - burst) / rate. Posted at x, it costs x²/2 for the text before its post and
    c for all of it after, in units of text a second. That is least where x is c, but
    no sooner than the i-th post is allowed and no later than the end of the answer.
    """
    rate = EDITS.count / EDITS.seconds
    posts = min(
        channels * POSTS.count / POSTS.seconds, ALL_POSTS.count / ALL_POSTS.seconds
    )
    burst = min(channels * POSTS.burst, ALL_POSTS.burst)
    total = 0.0
    for i in range(1, replies + 1):
        wait = max(0.0, (i - EDITS.burst) / rate)
        posted = max(0.0, (i - burst) / posts, min(wait, seconds))
        before = min(posted, seconds)
        total += before * (posted - before / 2) + (seconds - before) * wait
    return max(total / replies / seconds, _alone(seconds))


def _alone(seconds: float) -> float:
    """The least mean lag of one reply that has the whole budget to itself.

    It is shown by a post, an edit whenever it likes, and k more edits at least
    INTERVAL apart, the last of them at its end. Text waits for half the gap that it
    falls into, so the gaps are best as even as they may be.
    """
    costs = []
    for k in range(int(seconds / INTERVAL) + 1):
        gap = max(INTERVAL, seconds / (k + 2))
        free = (seconds - k * gap) / 2
        costs.append(k * gap**2 / 2 + free**2)
    return min(costs) / seconds


def schedule(
    answers: Sequence[Growth], channels: Sequence[str], *, worth: int
) -> list[Growth]:
    """When how much of each of `answers` is seen if every write that Slack allows is
    spent at once on the reply with the most unseen text.

    `channels` are where the replies are. Less than `worth` characters are not worth a
    write while an answer grows: 1 is the eager one, more save writes for later.
    """
    now = min(sent[0][0] for sent in answers)
    meter = Meter(RATES, lambda: now)
    seen: list[list[tuple[float, int]]] = [[] for _ in answers]
    open_ = set(range(len(answers)))
    while open_:
        there = {each: _until(answers[each], now) for each in open_}
        unseen = {each: there[each] - _last(seen[each]) for each in open_}
        for each in sorted(open_, key=lambda each: -unseen[each]):
            whole = there[each] == answers[each][-1][1]
            if unseen[each] < (1 if whole else worth):
                continue
            if _may_write(meter, channels[each], seen[each], now):
                seen[each].append((now, there[each]))
                open_ -= {each} if whole else set()
        now += STEP
    return list(seen)


def _may_write(meter: Meter, channel: str, seen: Growth, now: float) -> bool:
    if not seen:
        return not meter.admit("chat.postMessage", channel)
    # As in `_alone`, the first edit need not rest: Slack's advice is on edits.
    rested = len(seen) == 1 or now - seen[-1][0] >= INTERVAL
    return rested and not meter.admit("chat.update", channel)


def _until(growth: Growth, now: float) -> int:
    """How many characters there are at `now`."""
    # From the back: of most of it we know already.
    return next((chars for at, chars in reversed(growth) if at <= now), 0)


def _last(growth: Growth) -> int:
    return growth[-1][1] if growth else 0
