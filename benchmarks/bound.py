"""The least visible lag that a platform's limits allow. Pure; independent of the
product.

Both figures follow from the limits that the emulators enforce:

`least` is proven. No schedule has a smaller mean if its first words come as soon, not
even one that knows the future and uses all methods together. For Slack it is the bound
of benchmarks/least.py. `schedule` is a simple scheduler of posts and edits without
overhead. Its lag is achievable, so the best possible lag is no larger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks import least
from tests.emulators.discord import rates as discord
from tests.emulators.discord.model import Request
from tests.emulators.slack import rates as slack

# (time, characters so far) of an answer, as sent by Claude or as seen.
Growth = Sequence[tuple[float, int]]

Clock = Callable[[], float]

#: Returns whether a reply may be written now, and counts the write if so. The arguments
#: are the name of the reply's write budget and the growth seen so far.
MayWrite = Callable[[str, Growth], bool]

STEP = 0.02

#: Seconds until the first words that impose no condition.
LATE = 1e9

#: Characters in the first write of a reply: the text of a quarter of a second.
FIRST = 60

EDITS = slack.RATES["chat.update"][0]
POSTS, ALL_POSTS = slack.RATES["chat.postMessage"]
STARTS, APPENDS, STOPS = (
    slack.RATES[f"chat.{each}Stream"][0] for each in ("start", "append", "stop")
)
WINDOW = discord.RATES["message.edit"]
CALLS = discord.RATES["global"]


@dataclass(frozen=True, slots=True)
class Bound:
    """The least lag that the limits of one platform allow."""

    #: The mean lag over all readers that no schedule undercuts. The arguments are the
    #: number of replies, which begin at once and grow evenly, the number of channels,
    #: the seconds that the replies grow, and the mean seconds until the first words.
    least: Callable[[int, int, float, float], float]
    #: Returns a new counter of writes for a clock.
    begin: Callable[[Clock], MayWrite]


def schedule(
    answers: Sequence[Growth], budgets: Sequence[str], bound: Bound, *, worth: int
) -> list[Growth]:
    """Return the growth of `answers` as seen if every allowed write goes at once to the
    reply with the most unseen text.

    `budgets` names the write budget of each answer. While an answer grows, fewer than
    `worth` characters do not get a write: 1 is eager, a larger value saves writes for
    later. The first words wait for at most `FIRST` characters. Holding them back until
    the end would take the fewest writes but show nothing until then.
    """
    now = min(sent[0][0] for sent in answers)
    may_write = bound.begin(lambda: now)
    seen: list[list[tuple[float, int]]] = [[] for _ in answers]
    open_ = set(range(len(answers)))
    while open_:
        there = {each: _until(answers[each], now) for each in open_}
        unseen = {each: there[each] - _last(seen[each]) for each in open_}
        for each in sorted(open_, key=lambda each: -unseen[each]):
            whole = there[each] == answers[each][-1][1]
            least = worth if seen[each] else min(worth, FIRST)
            if unseen[each] < (1 if whole else least):
                continue
            if may_write(budgets[each], seen[each]):
                seen[each].append((now, there[each]))
                open_ -= {each} if whole else set()
        now += STEP
    return list(seen)


def first_sight(replies: int, channels: int) -> tuple[float, float]:
    """Return the least seconds until `replies` in `channels` of Slack are first seen,
    on average and for the last one. All begin at once."""
    waits = _firsts(replies, channels)
    return sum(waits) / replies, max(waits)


def last_sight(replies: int, channels: int, seconds: float) -> tuple[float, float]:
    """Return the least seconds from the last word of replies until it is seen, on
    average and for the last reply. All last words come `seconds` after the question.

    Each end takes a write after that word: a post, the start or stop of a stream, an
    append, or an edit. With all rates added up and all bursts full, the k-th write
    waits for (k - bursts) / rates. Each reply also takes a post or a start.
    """
    later = (EDITS, STARTS, APPENDS, STOPS)
    waits = [
        max(
            _wait(nth, *[POSTS] * channels, *later),
            _wait(nth, ALL_POSTS, *later),
            first - seconds,
        )
        for nth, first in enumerate(_firsts(replies, channels), 1)
    ]
    return sum(waits) / replies, max(waits)


def first_words(platform: str, replies: int, channels: int) -> float:
    """Return the least mean time, in seconds, until `replies` are first seen."""
    if platform == "slack":
        return first_sight(replies, channels)[0]
    waits = [nth // CALLS.count * CALLS.seconds for nth in range(replies)]
    return sum(waits) / replies


def _firsts(replies: int, channels: int) -> list[float]:
    """Return the earliest times at which `replies` can be posted or started as
    streams."""
    return [
        max(_wait(nth, *[POSTS] * channels, STARTS), _wait(nth, ALL_POSTS, STARTS))
        for nth in range(1, replies + 1)
    ]


def _wait(nth: int, *rates: slack.Rate) -> float:
    """Return the shortest wait in seconds for the nth write if all rates are used
    together: (nth - bursts) / rates."""
    burst = sum(each.burst for each in rates)
    return max(0.0, (nth - burst) / sum(each.count / each.seconds for each in rates))


def _least_on_discord(
    replies: int, channels: int, seconds: float, first: float
) -> float:
    """Return the least mean lag on Discord. A thread is a channel with its own write
    limits (platform facts B4), so replies only share the global limit of the bot."""
    alone = _alone(seconds, WINDOW.count, WINDOW.seconds)
    return max(alone, _together(replies, seconds))


@cache
def _together(replies: int, seconds: float) -> float:
    """Return the least mean lag of `replies` that share the global limit of a bot.

    It is proven by prices, as in benchmarks/least.py. The nth window of calls begins no
    sooner than n windows after the first. While answers grow, a call has one price. In
    each of the two seconds after that it has a lower price, and then none. No reply
    costs less than the cheapest one that writes at the best times (`_written`), and it
    pays no more than its share of all calls.
    """
    windows, each = int(seconds / CALLS.seconds) + 1, CALLS.seconds
    late = [0.0, *(windows * each + n * each - seconds for n in range(3))]
    best = 0.0
    for nth in range(60):
        price = seconds**2 / 2 / 1600 * 1600 ** (nth / 59)
        # By the time of the last words: the least cost without their own price.
        rest = [
            min(_written(seconds, n, d) + n * price for n in range(100)) for d in late
        ]
        for share in range(21):
            for again in range(11):
                next_ = price * share / 20
                prices = (price, next_, next_ * again / 10, 0.0)
                costs = min(r + p for r, p in zip(rest, prices, strict=True))
                paid = CALLS.count * (windows * price + sum(prices[1:])) / replies
                best = max(best, costs - paid)
    return best / seconds


def _written(seconds: float, calls: int, late: float) -> float:
    """Return the least lag of a reply, in seconds squared, with `calls` calls until its
    end and one call `late` seconds after it."""
    last = max(0.0, (seconds - calls * late) / (calls + 1))
    gap = (seconds - last) / max(1, calls)
    return (calls * gap**2 + last**2) / 2 + last * late


def _alone(seconds: float, count: int, window: float) -> float:
    """Return the least mean lag of one reply with its own write budget.

    It is written by a post and edits. The first edit opens a window with at most
    `count` edits, the next edit after it opens another window, and so on. So k full
    windows take k * `count` gaps and at least k * `window` seconds. The gaps before the
    post, before the first edit and inside the last window, whose last edit comes at the
    end, may have any length. Text waits for half of its gap on average, so the best
    gaps are as even as possible.
    """
    costs = []
    for k in range(int(seconds / window) + 1):
        bound, free = k * count, count + 1
        gap = max(window / count, seconds / (bound + free))
        rest = (seconds - bound * gap) / free
        costs.append((bound * gap**2 + free * rest**2) / 2)
    return min(costs) / seconds


def _begin_on_slack(clock: Clock) -> MayWrite:
    meter = slack.Meter(slack.RATES, clock)

    def may_write(channel: str, seen: Growth) -> bool:
        if not seen:
            return not meter.admit("chat.postMessage", channel)
        return not meter.admit("chat.update", channel)

    return may_write


def _begin_on_discord(clock: Clock) -> MayWrite:
    meter = discord.Meter(discord.RATES, clock)

    def may_write(thread: str, seen: Growth) -> bool:
        messages = f"/channels/{thread}/messages"
        post, edit = Request("POST", messages), Request("PATCH", f"{messages}/1")
        return not meter.admit(edit if seen else post).wait

    return may_write


BOUNDS = {
    "slack": Bound(least.least, _begin_on_slack),
    "discord": Bound(_least_on_discord, _begin_on_discord),
}


def _until(growth: Growth, now: float) -> int:
    """Return the number of characters at `now`."""
    # From the back, to find the newest entry that is not later than `now`.
    return next((chars for at, chars in reversed(growth) if at <= now), 0)


def _last(growth: Growth) -> int:
    return growth[-1][1] if growth else 0
