"""The rate limit for one kind of write in one scope, shared by all processes. Pure.

Rule 1: every process reads and updates the same row, by one clock, at each write. So a
row needs no owner, and a process that ends leaves nothing behind.
Rule 2: the writes of an answer have three levels. Final texts may use all tokens. First
words leave one token of a large burst for final texts. Refreshes leave a token for each
reply that streams in any process, and slow down as the burst is used up.
Rule 3: a stream is opened only if a token for closing it, and one for each other open
stream, can be kept.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.platform import Rate, WriteKind

# Refilling and predicting round differently in the last bit.
ROUNDING = 1e-6

# As in `bot.delivery.bucket`: the time, in seconds, over which refreshes spend their
# part of a burst; and the writes a second from which no tokens are kept for others.
DRAIN = 2.0
QUICK = 5.0

# First words leave one write of a burst that is larger than this.
LARGE = 8

# The seconds for which a process counts as present after its last write, and the same
# for a process with open streams. Slack ends a stream after about five minutes
# (platform facts D).
PRESENT = 15.0
STREAMING = 300.0

# A process that asks again up to this many seconds late keeps its place in the queue.
LATE = 0.5

# The shortest wait, in seconds, before a refused process asks again.
SOONEST = 0.02


class Use(enum.Enum):
    """The use that a write makes of a row."""

    #: The write takes a token.
    TAKE = "take"
    #: The write opens a stream, and a token for closing the stream is kept.
    KEEP = "keep"
    #: The write waits its turn there, but takes no token.
    TURN = "turn"
    #: The write was chosen by the number of replies there, and takes no token.
    LOOK = "look"


class Level(enum.IntEnum):
    """The urgency of a write."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: Granted only while the whole burst is available.
    TIDY = 3


@dataclass(frozen=True, slots=True)
class Member:
    """A process that writes in the scope."""

    #: The numbers of its streaming replies and of its open streams.
    replies: int
    streams: int
    #: The time until which the process counts as present.
    until: float
    #: The write that was refused last; None if none was refused since its last write.
    wish: "Wish | None" = None


@dataclass(frozen=True, slots=True, order=True)
class Wish:
    """A waiting write. Wishes sort in the order in which they are granted."""

    level: Level
    #: The time at which its reader last saw something new.
    since: float
    #: The time until which it keeps its place.
    until: float


@dataclass(frozen=True, slots=True)
class RateRow:
    """The shared state of one scope and kind of write; times in seconds."""

    #: The time at which the whole burst is available again.
    full_at: float = 0.0
    #: No write before this time, after a rate limit error.
    closed_until: float = 0.0
    #: The time of the last refresh.
    refreshed_at: float = 0.0
    crowd: Mapping[str, Member] = field(default_factory=dict)

    def tokens(self, rate: Rate, now: float) -> float:
        """Return the number of writes that are allowed at once now."""
        missing = max(0.0, self.full_at - now) * rate.count / rate.seconds
        return rate.burst - missing

    def closed(self, rate: Rate, seconds: float, now: float) -> "RateRow":
        """Return the row after a rate limit error.

        It allows no write for `seconds`, and a single write then.
        """
        until = max(self.closed_until, now + seconds)
        empty = until + (rate.burst - 1) * rate.seconds / rate.count
        return replace(self, closed_until=until, full_at=max(self.full_at, empty))


@dataclass(frozen=True, slots=True)
class RateAsk:
    """A process's request for a write, or for the number of writes left."""

    scope: str
    kind: WriteKind
    rate: Rate
    level: Level
    use: Use = Use.TAKE
    #: The numbers of the process's streaming replies and open streams there.
    replies: int = 0
    streams: int = 0
    #: The seconds for which the reader has seen nothing new.
    age: float = 0.0
    #: The number of other processes' replies that the choice of this kind of write was
    #: based on; None if there was no choice, or if the write must be made anyway.
    known: int | None = None


@dataclass(frozen=True, slots=True)
class RateState:
    """The answer to one request of a process."""

    #: The seconds to wait before asking again; 0.0 if the write is granted.
    wait: float
    #: The number of writes left, and the seconds for which no write is allowed.
    tokens: float
    closed: float
    #: The number of processes that write there, and of replies that other processes
    #: stream there.
    processes: int
    others: int = 0


def answer(
    asks: Sequence[tuple[RateRow, RateAsk]], process: str, now: float
) -> tuple[list[RateRow], list[RateState]]:
    """Return the updated rows and the answers to `process`.

    Either all `asks` are granted, or none.
    """
    present = [_enter(row, ask, process, now) for row, ask in asks]
    waits = [
        _wait(row, ask, process, now)
        for row, (_, ask) in zip(present, asks, strict=True)
    ]
    longest = max(waits, default=0.0)
    rows = [
        _enqueue(row, ask, process, now, longest)
        if longest
        else _take(row, ask, process, now)
        for row, (_, ask) in zip(present, asks, strict=True)
    ]
    states = [
        RateState(
            wait,
            row.tokens(ask.rate, now),
            max(0.0, row.closed_until - now),
            len(row.crowd),
            _others(row, process),
        )
        for wait, row, (_, ask) in zip(waits, rows, asks, strict=True)
    ]
    return rows, states


def _enter(row: RateRow, ask: RateAsk, process: str, now: float) -> RateRow:
    """Return the row with the reported state of `process`, without absent processes."""
    stays = STREAMING if ask.streams else PRESENT
    known = row.crowd.get(process)
    wish = known.wish if known else None
    ours = Member(ask.replies, ask.streams, now + stays, wish)
    others = {
        name: each
        for name, each in row.crowd.items()
        # If the clock was set back, `until` may be far in the future: drop the process.
        if name != process and now < each.until <= now + STREAMING
    }
    # The times of writes may be in the future for the same reason.
    full = ask.rate.burst * ask.rate.seconds / ask.rate.count
    latest = now + full if row.closed_until <= now else row.full_at
    return replace(
        row,
        full_at=min(row.full_at, latest),
        refreshed_at=min(row.refreshed_at, now),
        crowd={**others, process: ours},
    )


def _wait(row: RateRow, ask: RateAsk, process: str, now: float) -> float:
    """Return the seconds to wait before asking again; 0.0 if `ask` may be granted."""
    wait = _opens(row, ask, process, now) - now
    return max(wait, SOONEST) if wait > ROUNDING else 0.0


def _opens(row: RateRow, ask: RateAsk, process: str, now: float) -> float:
    """Return when `ask` could be granted if no further write comes first."""
    rate = ask.rate
    if ask.known not in (None, _others(row, process)):
        # The number of other replies changed, so the kind of write must be chosen anew.
        return now + SOONEST
    if ask.use is Use.LOOK:
        return now
    left, before = _kept_for_others(row, ask, process), _before(row, ask, process, now)
    short = 1.0 + before + left - row.tokens(rate, now)
    opens = max(row.closed_until, now)
    if short > 0:
        opens = max(opens, now + short * rate.seconds / rate.count)
    is_refresh = ask.level is Level.REFRESH and ask.use is not Use.KEEP
    if is_refresh and rate.burst > 1:
        opens = max(opens, _due(row, rate, left, before, now))
    return opens


def _due(row: RateRow, rate: Rate, left: float, before: int, now: float) -> float:
    """Return when a refresh is due: sooner if more of the burst is left.

    The refresh leaves `left` writes to others, and `before` others come before it.
    """
    free = max(0.0, row.tokens(rate, now) - 1.0 - left)
    speed = rate.count / rate.seconds + free / DRAIN
    return row.refreshed_at + (1.0 + before) / speed


def _before(row: RateRow, ask: RateAsk, process: str, now: float) -> int:
    """Return the number of other processes whose waiting writes come before `ask`."""
    if ask.use is Use.KEEP:
        return 0
    ours = Wish(ask.level, now - ask.age, 0.0)
    wishes = (each.wish for name, each in row.crowd.items() if name != process)
    return sum(1 for wish in wishes if wish and wish.until > now and wish < ours)


def _enqueue(
    row: RateRow, ask: RateAsk, process: str, now: float, wait: float
) -> RateRow:
    """Return the row with the refused write of `process` in the queue."""
    if ask.use in (Use.KEEP, Use.LOOK):
        return row
    wish = Wish(ask.level, now - ask.age, now + wait + LATE)
    ours = replace(row.crowd[process], wish=wish)
    return replace(row, crowd={**row.crowd, process: ours})


def _kept_for_others(row: RateRow, ask: RateAsk, process: str) -> float:
    """Return the number of writes that `ask` must leave for others."""
    rate = ask.rate
    if ask.use is Use.KEEP:
        # The streams of the process itself are in `ask`.
        others = (m.streams for name, m in row.crowd.items() if name != process)
        return float(min(ask.streams + sum(others), rate.burst - 1))
    if ask.kind in (WriteKind.CLOSE, WriteKind.APPEND) or ask.level is Level.FINAL:
        return 0.0
    if ask.level is Level.FIRST:
        # A final text never opens a stream.
        has_finals = ask.kind is not WriteKind.OPEN
        return 1.0 if has_finals and rate.burst > LARGE else 0.0
    if ask.level is Level.TIDY:
        return rate.burst - 1.0
    if rate.count / rate.seconds >= QUICK:
        return 0.0
    replies = sum(each.replies for each in row.crowd.values())
    return float(min(replies, max(rate.burst * 2 // 3, rate.burst - 1)))


def _others(row: RateRow, process: str) -> int:
    return sum(each.replies for name, each in row.crowd.items() if name != process)


def _take(row: RateRow, ask: RateAsk, process: str, now: float) -> RateRow:
    if ask.use is Use.LOOK:
        return row
    if ask.use is Use.KEEP:
        ours = row.crowd[process]
        more = Member(ours.replies, ours.streams + 1, now + STREAMING)
        return replace(row, crowd={**row.crowd, process: more})
    if ask.level is Level.REFRESH:
        due = _due(row, ask.rate, _kept_for_others(row, ask, process), 0, now)
        # A refresh that is slightly late does not delay the next one.
        row = replace(row, refreshed_at=due if now - LATE < due < now else now)
    if ask.use is Use.TAKE:
        each = ask.rate.seconds / ask.rate.count
        row = replace(row, full_at=max(row.full_at, now) + each)
    ours = replace(row.crowd[process], wish=None)
    return replace(row, crowd={**row.crowd, process: ours})
