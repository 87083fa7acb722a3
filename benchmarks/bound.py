"""The visible lag that a platform's limits leave to anybody. Pure; knows no product.

Both figures are from the limits that the emulators enforce:

`least` is a proof. No schedule, not even one that knows the future and uses all methods
together, has a smaller mean, if its first words come as soon. On Slack it is that of
benchmarks/least.py.
`schedule` is a simple scheduler of posts and edits to whom nothing costs time. What it
reaches can be reached, so the best possible lies below it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks import least
from tests.emulators.discord import rates as discord
from tests.emulators.discord.model import Request
from tests.emulators.slack import rates as slack

# (when, characters so far): of an answer as Claude sent it, or as it was seen.
Growth = Sequence[tuple[float, int]]

Clock = Callable[[], float]

#: Whether a reply may be written now, given the name of what its writes are counted
#: on, and what was seen of it so far; if so, that is counted.
MayWrite = Callable[[str, Growth], bool]

STEP = 0.02

#: First words so late, in seconds, are no condition.
LATE = 1e9

#: With how many characters a reply is shown first: what comes in a quarter of a second.
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

    #: The mean lag over all readers that no schedule goes below, when so many replies
    #: in so many channels begin at once and grow evenly for so many seconds, if first
    #: words come after so many seconds on average.
    least: Callable[[int, int, float, float], float]
    #: Begins to count writes, by the clock.
    begin: Callable[[Clock], MayWrite]


def schedule(
    answers: Sequence[Growth], budgets: Sequence[str], bound: Bound, *, worth: int
) -> list[Growth]:
    """Return when how much of each of `answers` is seen if every allowed write is spent
    at once on the reply with the most unseen text.

    `budgets` name what the writes of each are counted on. Less than `worth`
    characters are not worth a write while an answer grows: 1 is the eager one, more
    save writes for later. First words wait for `FIRST` characters at most: to hold them
    back until the end would cost the fewest writes, and show nothing meanwhile.
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
    """Return the least seconds until so many replies in so many channels of Slack are
    first seen, on average and for the last; all begin at once."""
    waits = _firsts(replies, channels)
    return sum(waits) / replies, max(waits)


def last_sight(replies: int, channels: int, seconds: float) -> tuple[float, float]:
    """Return the least seconds until the ends of replies are seen, on average and for
    the last, from their last word on, which comes for all of them so many `seconds`
    after the question.

    Each end takes a write after that word: a post, the start or stop of a stream, an
    append to it, or an edit. With rates added up and all bursts full, the k-th waits
    for (k - bursts) / rates. And each takes a post or a start.
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
    """Return the least mean time, in seconds, until so many replies are first seen."""
    if platform == "slack":
        return first_sight(replies, channels)[0]
    waits = [nth // CALLS.count * CALLS.seconds for nth in range(replies)]
    return sum(waits) / replies


def _firsts(replies: int, channels: int) -> list[float]:
    """Return the soonest times at which so many replies can be posted, or started as
    streams."""
    return [
        max(_wait(nth, *[POSTS] * channels, STARTS), _wait(nth, ALL_POSTS, STARTS))
        for nth in range(1, replies + 1)
    ]


def _wait(nth: int, *rates: slack.Rate) -> float:
    """Return the shortest wait for the nth write if all these rates are used together:
    (nth - bursts) / rates."""
    burst = sum(each.burst for each in rates)
    return max(0.0, (nth - burst) / sum(each.count / each.seconds for each in rates))


def _least_on_discord(
    replies: int, channels: int, seconds: float, first: float
) -> float:
    """A thread is a channel with writes of its own (platform facts B4), so each reply
    is as if it were alone, but for the calls that a bot has in all."""
    alone = _alone(seconds, WINDOW.count, WINDOW.seconds)
    return max(alone, _together(replies, seconds))


@cache
def _together(replies: int, seconds: float) -> float:
    """Return the least mean lag of so many replies that share a bot's calls.

    It is proven by prices, as in benchmarks/least.py. The calls of each second that
    begins with a call come no sooner than so many seconds after the first. While
    answers grow, a call has one price; in the second after that, and in the next one, a
    lower one each, and then none. No reply costs less than the cheapest that writes at
    the best times (`_written`); what it pays is no more than its share of all calls.
    """
    windows, each = int(seconds / CALLS.seconds) + 1, CALLS.seconds
    late = [0.0, *(windows * each + n * each - seconds for n in range(3))]
    best = 0.0
    for nth in range(60):
        price = seconds**2 / 2 / 1600 * 1600 ** (nth / 59)
        # By when the last words come: the least without their own price.
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
    """Return the least lag of a reply, in seconds squared, with so many calls until its
    end and one so many seconds after that."""
    last = max(0.0, (seconds - calls * late) / (calls + 1))
    gap = (seconds - last) / max(1, calls)
    return (calls * gap**2 + last**2) / 2 + last * late


def _alone(seconds: float, count: int, window: float) -> float:
    """Return the least mean lag of one reply that has a whole budget to itself.

    It is shown by a post and by edits. The first edit opens a window in which there
    are `count` at most, the next one after it opens another, and so on. So k windows
    that were used up take k * `count` gaps and no less than k * `window` seconds. The
    gaps before the post, before the first edit and inside the last window, whose last
    edit comes with the end, may have any length. Text waits for half the gap that it
    falls into, so the gaps are best as even as they may be.
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
    # From the back: of most of it we know already.
    return next((chars for at, chars in reversed(growth) if at <= now), 0)


def _last(growth: Growth) -> int:
    return growth[-1][1] if growth else 0
