"""Counts the writes of one kind that a platform allows in one scope. Pure.

The counter is a token bucket or a sliding window.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from math import exp

from bot.delivery.write_request import Priority
from bot.domain.platform import Rate, WriteKind
from bot.domain.shared_rate import PRESENT, RateState

# Refilling and predicting may round differently in the last bit.
ROUNDING = 1e-6

#: The time, in seconds, in which refreshes at a constant pace would use up their part
#: of a burst. The pace falls as less is left, because the length of an answer is not
#: known in advance. Of 1 to 4 s, in simulations of one to five answers of 2 to 25 s,
#: this value shows the text soonest: a longer time leaves part of the burst unused at
#: the end.
DRAIN = 2.0

#: An edit within this many seconds is soon enough for all readers. If the edit would
#: come later, the person who asked sees more of a stream until then.
SOON = 0.5

#: The rate, in tokens a second, from which no tokens are kept, because the next token
#: comes soon enough.
QUICK = 5.0


@dataclass(slots=True)
class Bucket:
    """The token bucket of one scope: `burst` tokens, refilled at the rate.

    Without a rate, the bucket is never empty, but a rate limit error can close it.
    """

    rate: Rate | None
    refilled: float
    tokens: float = field(init=False)
    in_progress: int = 0
    #: How many writes in progress this bucket was consulted for, without counting here.
    looked_at: int = 0
    #: No write before this time.
    closed_until: float = 0.0
    #: The time of the last refresh.
    refreshed: float = float("-inf")
    #: No write of this priority, or a lower one, before the time: writes of other
    #: processes come first.
    held: tuple[Priority, float] = (Priority.TIDY, float("-inf"))
    #: The kind of write, and its scope.
    kind: WriteKind = WriteKind.POST
    name: str = ""
    #: How many replies of other processes stream here, or wait for their posts, and how
    #: long that number is valid.
    others: int = 0
    others_until: float = float("-inf")
    #: The rate of all processes together, if there are several.
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
        """Count a write, which is now in progress."""
        self.tokens -= 1.0
        self.in_progress += 1

    def give_back(self) -> None:
        """Give back the token of the last write, which is not made."""
        self.tokens += 1.0

    @property
    def most(self) -> float:
        """The most tokens that are possible now: the burst less the writes in progress.

        If the burst is 1, a write may be granted while another is in progress.
        """
        assert self.rate is not None
        least = 1.0 if self.rate.burst == 1 else 0.0
        return max(least, float(self.rate.burst - self.in_progress))

    @property
    def is_quick(self) -> bool:
        """True if the next token comes so soon that no tokens need to be kept."""
        return self.rate is not None and (self.rate.count / self.rate.seconds >= QUICK)

    def kept(self, priority: Priority, replies: int) -> float:
        """Return the tokens that a write of this priority must leave for other writes.

        `replies` is the number of replies that stream.
        """
        if self.rate is None or priority < Priority.REFRESH:
            return 0.0
        if priority is Priority.TIDY:
            return self.rate.burst - 1.0
        if self.is_quick:
            return 0.0
        # Some of the kept tokens may be in progress at once. Otherwise a slow platform
        # would get fewer refreshes.
        most = max(self.rate.burst * 2 // 3, self.rate.burst - 1 - self.in_progress)
        return float(min(replies, most))

    def paced(self, kept: float) -> float:
        """Return when the next refresh is due, so that a burst lasts for some time.

        The more tokens above `kept` are left, the sooner the refresh is due.
        """
        if self.rate is None or self.rate.burst == 1 or self.is_quick:
            return float("-inf")
        free = max(0.0, self.tokens - 1.0 - kept)
        speed = self.rate.count / self.rate.seconds + free / DRAIN
        return self.refreshed + 1.0 / speed

    def waits(self, before: float, replies: int, now: float) -> float:
        """Return in about how many seconds a refresh behind `before` others comes.

        `replies` is the number of replies that stream. The result is SOON or more only
        if the refresh cannot come sooner.
        """
        assert self.rate is not None
        free = self.tokens - self.kept(Priority.REFRESH, replies)
        each, closed = self.rate.seconds / self.rate.count, self.closed_until - now
        # Refreshes get a share of a burst that shrinks with the tokens that are left
        # (`paced`).
        share = 1.0 - exp(-SOON / DRAIN) if free > 0.0 else 1.0
        if closed < SOON and free * share + SOON / each > before:
            return 0.0
        return max(SOON, (before + 1 - free) * each, closed)

    def opens(self, kept: float) -> float:
        """Return when a write that leaves `kept` tokens could be granted next.

        Infinity if a write in progress must complete first.
        """
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
        """Return the time until which writes of other processes come before this
        priority."""
        least, until = self.held
        return until if priority >= least else float("-inf")

    def back_off(self, until: float) -> None:
        """Grant nothing before `until`, and one write at that time."""
        self.closed_until = max(self.closed_until, until)
        if self.rate is not None:
            self.tokens, self.refilled = 1.0, max(self.refilled, self.closed_until)

    def agree(self, state: RateState, now: float) -> None:
        """Take over the state that all processes share."""
        self.rate = self.whole
        self.tokens, self.refilled = state.tokens, now
        self.closed_until = now + state.closed
        self.others, self.others_until = state.others, now + PRESENT
        self.held = (Priority.TIDY, float("-inf"))

    def keep_to_share(self, processes: int, now: float) -> None:
        """Allow only the share of one process, of `processes` in all."""
        self.refill(now)
        if self.whole is not None and self.rate is self.whole:
            most = max(1, self.whole.burst // processes)
            seconds = self.whole.seconds * processes
            self.rate = replace(self.whole, seconds=seconds, burst=most)
            self.tokens = max(0.0, self.tokens - (self.whole.burst - most))

    def left(self, now: float) -> float:
        """Return how many writes could be granted now. Changes nothing."""
        if self.rate is None:
            return self.tokens
        gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
        return max(0.0, min(self.most, self.tokens + gained))

    def is_full(self, now: float) -> bool:
        """Return whether dropping the bucket would change nothing."""
        if self.in_progress or self.looked_at or self.closed_until > now:
            return False
        if self.others and self.others_until > now:
            return False
        # If it were dropped, the share of one process would become the whole rate.
        whole = self.rate is self.whole
        return self.rate is None or (whole and self.left(now) >= self.rate.burst)


@dataclass(slots=True)
class SlidingBucket(Bucket):
    """The sliding window of one scope: a number of writes in each span of some
    seconds."""

    #: The times at which the last writes were granted.
    granted: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        Bucket.__post_init__(self)
        assert self.rate is not None
        self.granted = deque(maxlen=self.rate.count)

    def refill(self, now: float) -> None:
        """Drop the writes that are older than the window."""
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
        """Give back the token of the last write, which is not made."""
        Bucket.give_back(self)
        self.granted.pop()

    def kept(self, priority: Priority, replies: int) -> float:
        """Return the tokens that a write of this priority must leave for others."""
        assert self.rate is not None
        return self.rate.burst - 1.0 if priority is Priority.TIDY else 0.0

    def paced(self, kept: float) -> float:
        """Return minus infinity: the edits of a message are spaced elsewhere."""
        return float("-inf")

    def opens(self, kept: float) -> float:
        """Return when a write that leaves `kept` tokens could be granted next.

        Infinity if a write in progress must complete first.
        """
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
        """Return how many writes could be granted now. Changes nothing."""
        assert self.rate is not None
        since = now - self.rate.seconds + ROUNDING
        made = sum(when > since for when in self.granted)
        return max(0.0, min(self.most, float(self.rate.count - made)))
