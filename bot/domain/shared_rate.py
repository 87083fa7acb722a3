"""The writes of one kind that a platform allows in one scope, shared by all processes.
Pure.

Rule 1: every process reads and writes the same row, by one clock, at each write. So a
row needs no owner, and a process that ends leaves nothing behind.
Rule 2: an answer has three levels. Final texts take what there is; first words leave a
little of a large burst for these; refreshes leave a write for each reply that streams
in any process, and come the slower the less of the burst is left.
Rule 3: a stream is opened only if its end is kept for it, with those of all others.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.platform import Rate, WriteKind

# Refilling and predicting differ in the last bit.
ROUNDING = 1e-6

# The time, in seconds, in which refreshes would use up what they may take of a burst,
# and the writes a second from which none are kept: see `bot.delivery.bucket`.
DRAIN = 2.0
QUICK = 5.0

# The bursts of which first words leave one write.
LARGE = 8

# How long a process counts after its last write, in seconds, and one with open streams:
# Slack ends a stream after about five minutes (platform facts D).
PRESENT = 15.0
STREAMING = 300.0

# How much later than it was told a process may come and still find its place in the
# order, in seconds.
LATE = 0.5

# The shortest time until somebody who was refused asks again, in seconds.
SOONEST = 0.02


class Use(enum.Enum):
    """The use of a row for a write."""

    #: The write counts there.
    TAKE = "take"
    #: The end of a stream that it opens is to count there.
    KEEP = "keep"
    #: It comes in the turn of one that would count there.
    TURN = "turn"
    #: It was chosen by how many writes wait there.
    LOOK = "look"


class Level(enum.IntEnum):
    """The urgency of a write."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: Only where the whole burst is there.
    TIDY = 3


@dataclass(frozen=True, slots=True)
class Member:
    """A process that writes in the scope."""

    #: Its replies that stream, and their open streams.
    replies: int
    streams: int
    #: Until when that counts.
    until: float
    #: The write that was refused last; None if nothing was since its last write.
    wish: "Wish | None" = None


@dataclass(frozen=True, slots=True, order=True)
class Wish:
    """A write that waits, in the order in which they are granted."""

    level: Level
    #: Since when its reader has seen nothing new.
    since: float
    #: Until when it keeps its place.
    until: float


@dataclass(frozen=True, slots=True)
class RateRow:
    """The shared state of one scope and kind of write; times in seconds."""

    #: When the whole burst is there again.
    full_at: float = 0.0
    #: No write before this time, after a rate limit error.
    closed_until: float = 0.0
    #: The time of the last refresh.
    refreshed_at: float = 0.0
    crowd: Mapping[str, Member] = field(default_factory=dict)

    def tokens(self, rate: Rate, now: float) -> float:
        """Return how many writes are allowed at once now."""
        missing = max(0.0, self.full_at - now) * rate.count / rate.seconds
        return rate.burst - missing

    def closed(self, rate: Rate, seconds: float, now: float) -> "RateRow":
        """Return the row after a rate limit error: no write for `seconds`, and one
        then."""
        until = max(self.closed_until, now + seconds)
        empty = until + (rate.burst - 1) * rate.seconds / rate.count
        return replace(self, closed_until=until, full_at=max(self.full_at, empty))


@dataclass(frozen=True, slots=True)
class RateAsk:
    """A process asks for a write, or what is left of those."""

    scope: str
    kind: WriteKind
    rate: Rate
    level: Level
    use: Use = Use.TAKE
    #: The replies of the process that stream there, and its open streams.
    replies: int = 0
    streams: int = 0
    #: For how many seconds the reader has seen nothing new.
    age: float = 0.0
    #: By how many replies of others the write was chosen among several ways; None if
    #: it was not, or is to be made in any case.
    known: int | None = None


@dataclass(frozen=True, slots=True)
class RateState:
    """The answer to a process."""

    #: In how many seconds to ask again; 0.0 for all of a write that is granted.
    wait: float
    #: The writes that are left, and for how many seconds none is allowed.
    tokens: float
    closed: float
    #: How many processes write there, and how many replies of others stream there.
    processes: int
    others: int = 0


def answer(
    asks: Sequence[tuple[RateRow, RateAsk]], process: str, now: float
) -> tuple[list[RateRow], list[RateState]]:
    """Return the rows after `process` asked, and its answers. All of its `asks` are
    granted, or none."""
    present = [_entered(row, ask, process, now) for row, ask in asks]
    waits = [
        _wait(row, ask, process, now)
        for row, (_, ask) in zip(present, asks, strict=True)
    ]
    longest = max(waits, default=0.0)
    rows = [
        _wished(row, ask, process, now, longest)
        if longest
        else _taken(row, ask, process, now)
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


def _entered(row: RateRow, ask: RateAsk, process: str, now: float) -> RateRow:
    """Return the row with what `process` says of itself, and nobody who left."""
    stays = STREAMING if ask.streams else PRESENT
    known = row.crowd.get(process)
    wish = known.wish if known else None
    ours = Member(ask.replies, ask.streams, now + stays, wish)
    others = {
        name: each
        for name, each in row.crowd.items()
        # A clock that was set back makes nobody stay.
        if name != process and now < each.until <= now + STREAMING
    }
    # The same for the times of writes.
    full = ask.rate.burst * ask.rate.seconds / ask.rate.count
    latest = now + full if row.closed_until <= now else row.full_at
    return replace(
        row,
        full_at=min(row.full_at, latest),
        refreshed_at=min(row.refreshed_at, now),
        crowd={**others, process: ours},
    )


def _wait(row: RateRow, ask: RateAsk, process: str, now: float) -> float:
    """Return in how many seconds to ask again; 0.0 if it may be granted."""
    wait = _opens(row, ask, process, now) - now
    return max(wait, SOONEST) if wait > ROUNDING else 0.0


def _opens(row: RateRow, ask: RateAsk, process: str, now: float) -> float:
    """Return when `ask` could be granted if no other came first."""
    rate = ask.rate
    if ask.known not in (None, _others(row, process)):
        # Others came or went: the way to write is to be chosen again.
        return now + SOONEST
    if ask.use is Use.LOOK:
        return now
    left, before = _kept(row, ask, process), _before(row, ask, process, now)
    short = 1.0 + before + left - row.tokens(rate, now)
    opens = max(row.closed_until, now)
    if short > 0:
        opens = max(opens, now + short * rate.seconds / rate.count)
    is_refresh = ask.level is Level.REFRESH and ask.use is not Use.KEEP
    if is_refresh and rate.burst > 1:
        opens = max(opens, _due(row, rate, left, before, now))
    return opens


def _due(row: RateRow, rate: Rate, left: float, before: int, now: float) -> float:
    """Return when a refresh is due that leaves `left` writes and has `before` others
    before it: the sooner, the more of the burst there is."""
    free = max(0.0, row.tokens(rate, now) - 1.0 - left)
    speed = rate.count / rate.seconds + free / DRAIN
    return row.refreshed_at + (1.0 + before) / speed


def _before(row: RateRow, ask: RateAsk, process: str, now: float) -> int:
    """Return how many other processes wait for a write that comes before `ask`."""
    if ask.use is Use.KEEP:
        return 0
    ours = Wish(ask.level, now - ask.age, 0.0)
    wishes = (each.wish for name, each in row.crowd.items() if name != process)
    return sum(1 for wish in wishes if wish and wish.until > now and wish < ours)


def _wished(
    row: RateRow, ask: RateAsk, process: str, now: float, wait: float
) -> RateRow:
    """Return the row with the place of a write of `process` in the order."""
    if ask.use in (Use.KEEP, Use.LOOK):
        return row
    wish = Wish(ask.level, now - ask.age, now + wait + LATE)
    ours = replace(row.crowd[process], wish=wish)
    return replace(row, crowd={**row.crowd, process: ours})


def _kept(row: RateRow, ask: RateAsk, process: str) -> float:
    """Return how many writes `ask` must leave for others."""
    rate = ask.rate
    if ask.use is Use.KEEP:
        # Those of the process itself were kept before it asked.
        others = (m.streams for name, m in row.crowd.items() if name != process)
        return float(min(ask.streams + sum(others), rate.burst - 1))
    if ask.kind in (WriteKind.CLOSE, WriteKind.APPEND) or ask.level is Level.FINAL:
        return 0.0
    if ask.level is Level.FIRST:
        # No final text is a start of a stream.
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


def _taken(row: RateRow, ask: RateAsk, process: str, now: float) -> RateRow:
    if ask.use is Use.LOOK:
        return row
    if ask.use is Use.KEEP:
        ours = row.crowd[process]
        more = Member(ours.replies, ours.streams + 1, now + STREAMING)
        return replace(row, crowd={**row.crowd, process: more})
    if ask.level is Level.REFRESH:
        due = _due(row, ask.rate, _kept(row, ask, process), 0, now)
        # A refresh that comes a little late keeps nobody back.
        row = replace(row, refreshed_at=due if now - LATE < due < now else now)
    if ask.use is Use.TAKE:
        each = ask.rate.seconds / ask.rate.count
        row = replace(row, full_at=max(row.full_at, now) + each)
    ours = replace(row.crowd[process], wish=None)
    return replace(row, crowd={**row.crowd, process: ours})
