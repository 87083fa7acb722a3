"""The writes of one kind that a platform allows in one scope: a token bucket, or a
sliding window. Pure.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from math import exp

from bot.delivery.write_request import Priority
from bot.domain.platform import Rate, WriteKind
from bot.domain.shared_rate import PRESENT, RateState

# Refilling and predicting round differently in the last bit.
ROUNDING = 1e-6

#: The time, in seconds, in which refreshes would use up what they may take of a burst
#: if they did not come more slowly the less is left. Nobody knows how long an answer
#: will be. Of 1 to 4 s, in simulations of one to five answers of 2 to 25 s, this shows
#: the text soonest: a longer time leaves some of the burst unused when they end.
DRAIN = 2.0

#: An edit that comes within this many seconds suffices for all readers. Until a later
#: one, the person who asked could see more of a stream.
SOON = 0.5

#: Tokens a second from which none are kept, since the next comes soon enough.
QUICK = 5.0


@dataclass(slots=True)
class Bucket:
    """Token bucket of one scope: `burst` tokens, refilled at the rate.

    Without a rate it is never empty, but it can be closed by a rate limit error.
    """

    rate: Rate | None
    refilled: float
    tokens: float = field(init=False)
    in_progress: int = 0
    #: How many writes in progress were granted by it, without counting there.
    looked_at: int = 0
    #: No write before this time.
    closed_until: float = 0.0
    #: The time of the last refresh.
    refreshed: float = float("-inf")
    #: Nothing of this priority, or a lower one, before the time: other processes are
    #: before.
    held: tuple[Priority, float] = (Priority.TIDY, float("-inf"))
    #: The kind of write, and its scope.
    kind: WriteKind = WriteKind.POST
    name: str = ""
    #: How many replies of other processes stream there, or wait for their posts, and
    #: until when that is worth knowing.
    others: int = 0
    others_until: float = float("-inf")
    #: The rate of all processes together, where there are several.
    whole: Rate | None = field(init=False)

    def __post_init__(self) -> None:
        self.whole = self.rate
        self.tokens = float(self.rate.burst) if self.rate else float("inf")

    def refill(self, now: float) -> None:
        """Add the tokens gained since the last refill."""
        if self.rate is not None:
            gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
            self.tokens = min(self.most, self.tokens + gained)
        self.refilled = max(self.refilled, now)

    def take(self, now: float) -> None:
        """Count a write, which is in progress."""
        self.tokens -= 1.0
        self.in_progress += 1

    def give_back(self) -> None:
        """Count the last write no more, since it is not made."""
        self.tokens += 1.0

    @property
    def most(self) -> float:
        """Return the most tokens there can be now: the burst without the writes in
        progress. Where none may come at once, one follows another that is under way."""
        assert self.rate is not None
        least = 1.0 if self.rate.burst == 1 else 0.0
        return max(least, float(self.rate.burst - self.in_progress))

    @property
    def is_quick(self) -> bool:
        """Return whether the next token comes so soon that none need be kept."""
        return self.rate is not None and (self.rate.count / self.rate.seconds >= QUICK)

    def kept(self, priority: Priority, replies: int) -> float:
        """Return the tokens that a write of this priority must leave for others, while
        `replies` replies stream."""
        if self.rate is None or priority < Priority.REFRESH:
            return 0.0
        if priority is Priority.TIDY:
            return self.rate.burst - 1.0
        if self.is_quick:
            return 0.0
        # Some may be in progress at once; else a slow platform would get fewer.
        most = max(self.rate.burst * 2 // 3, self.rate.burst - 1 - self.in_progress)
        return float(min(replies, most))

    def paced(self, kept: float) -> float:
        """Return when the next refresh is due, so that a burst is spent over some time:
        the more tokens above those `kept` are left, the sooner."""
        if self.rate is None or self.rate.burst == 1 or self.is_quick:
            return float("-inf")
        free = max(0.0, self.tokens - 1.0 - kept)
        speed = self.rate.count / self.rate.seconds + free / DRAIN
        return self.refreshed + 1.0 / speed

    def waits(self, before: float, replies: int, now: float) -> float:
        """Return in about how many seconds the refresh comes that has `before` others
        before it, while `replies` replies stream; SOON or more only if it comes no
        sooner."""
        assert self.rate is not None
        free = self.tokens - self.kept(Priority.REFRESH, replies)
        each, closed = self.rate.seconds / self.rate.count, self.closed_until - now
        # Refreshes get a share of a burst that falls with what is left: see `paced`.
        share = 1.0 - exp(-SOON / DRAIN) if free > 0.0 else 1.0
        if closed < SOON and free * share + SOON / each > before:
            return 0.0
        return max(SOON, (before + 1 - free) * each, closed)

    def opens(self, kept: float) -> float:
        """Return when a write that leaves `kept` tokens could be granted if no other
        came first; infinity if one in progress must complete first."""
        if self.rate is None:
            return self.closed_until
        if 1.0 + kept > self.most:
            return float("inf")
        short = 1.0 + kept - self.tokens
        if short <= 0:
            return self.closed_until
        wait = short * self.rate.seconds / self.rate.count
        return max(self.closed_until, self.refilled + wait)

    def hold(self, priority: Priority) -> float:
        """Return the time before which other processes come before a request of this
        priority."""
        least, until = self.held
        return until if priority >= least else float("-inf")

    def back_off(self, until: float) -> None:
        """Grant nothing before `until`, and one write then."""
        self.closed_until = max(self.closed_until, until)
        if self.rate is not None:
            self.tokens, self.refilled = 1.0, max(self.refilled, self.closed_until)

    def agree(self, state: RateState, now: float) -> None:
        """Take over what all processes together have left."""
        self.rate = self.whole
        self.tokens, self.refilled = state.tokens, now
        self.closed_until = now + state.closed
        self.others, self.others_until = state.others, now + PRESENT
        self.held = (Priority.TIDY, float("-inf"))

    def keep_to_share(self, processes: int, now: float) -> None:
        """Allow no more than the share of one of `processes` processes."""
        self.refill(now)
        if self.whole is not None and self.rate is self.whole:
            most = max(1, self.whole.burst // processes)
            seconds = self.whole.seconds * processes
            self.rate = replace(self.whole, seconds=seconds, burst=most)
            self.tokens = max(0.0, self.tokens - (self.whole.burst - most))

    def left(self, now: float) -> float:
        """Return how many writes could be granted now, without changing anything."""
        if self.rate is None:
            return self.tokens
        gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
        return max(0.0, min(self.most, self.tokens + gained))

    def is_full(self, now: float) -> bool:
        """Return whether forgetting the bucket would change nothing."""
        if self.in_progress or self.looked_at or self.closed_until > now:
            return False
        if self.others and self.others_until > now:
            return False
        # The share of one process is not to become all of it.
        whole = self.rate is self.whole
        return self.rate is None or (whole and self.left(now) >= self.rate.burst)


@dataclass(slots=True)
class SlidingBucket(Bucket):
    """Sliding window of one scope: a number of writes in each span of some seconds."""

    #: When the last writes were granted.
    granted: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        Bucket.__post_init__(self)
        assert self.rate is not None
        self.granted = deque(maxlen=self.rate.count)

    def refill(self, now: float) -> None:
        """Count writes no more that the window has left behind."""
        assert self.rate is not None
        self.refilled = max(self.refilled, now)
        since = self.refilled - self.rate.seconds + ROUNDING
        while self.granted and self.granted[0] <= since:
            self.granted.popleft()
        self.tokens = min(self.most, float(self.rate.count - len(self.granted)))

    def take(self, now: float) -> None:
        """Count a write."""
        Bucket.take(self, now)
        self.granted.append(now)

    def give_back(self) -> None:
        """Count the last write no more, since it is not made."""
        Bucket.give_back(self)
        self.granted.pop()

    def kept(self, priority: Priority, replies: int) -> float:
        """Return the tokens that a write of this priority must leave for others."""
        assert self.rate is not None
        return self.rate.burst - 1.0 if priority is Priority.TIDY else 0.0

    def paced(self, kept: float) -> float:
        """Return that the next refresh is due: others space those of a message."""
        return float("-inf")

    def opens(self, kept: float) -> float:
        """Return when a write that leaves `kept` tokens could be granted if no other
        came first; infinity if one in progress must complete first."""
        assert self.rate is not None
        if 1.0 + kept > self.most:
            return float("inf")
        short = int(1.0 + kept - self.tokens)
        if short <= 0:
            return self.closed_until
        if short > len(self.granted):
            return float("inf")
        return max(self.closed_until, self.granted[short - 1] + self.rate.seconds)

    def back_off(self, until: float) -> None:
        """Grant nothing before `until`."""
        self.closed_until = max(self.closed_until, until)

    def left(self, now: float) -> float:
        """Return how many writes could be granted now, without changing anything."""
        assert self.rate is not None
        since = now - self.rate.seconds + ROUNDING
        made = sum(when > since for when in self.granted)
        return max(0.0, min(self.most, float(self.rate.count - made)))
