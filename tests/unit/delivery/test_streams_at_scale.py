"""Streams in channels beside posts and edits, in simulated time, against meters that
enforce Slack's limits (platform facts A5.1, A7.2): the asker sees answers sooner, and
nobody else sees less of them."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from adapters.slack.adapter import LIMITS
from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import WriteKind
from bot.domain.scope import ThreadKey
from tests.emulators.slack import rates

# Characters a second, and the step of the simulation in seconds.
SPEED = 240.0
TICK = 0.05

METHODS = {
    WriteKind.POST: "chat.postMessage",
    WriteKind.EDIT: "chat.update",
    WriteKind.OPEN: "chat.startStream",
    WriteKind.APPEND: "chat.appendStream",
    WriteKind.CLOSE: "chat.stopStream",
}


@dataclass(slots=True)
class View:
    """What somebody saw of an answer: how many characters, from when on."""

    times: list[float] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)

    def see(self, now: float, chars: int) -> None:
        self.times.append(now)
        self.chars.append(chars)

    @property
    def last(self) -> int:
        return self.chars[-1] if self.chars else 0

    def at(self, now: float) -> int:
        seen = bisect_right(self.times, now)
        return self.chars[seen - 1] if seen else 0


@dataclass(slots=True)
class Reply:
    """An answer that Claude writes from `begins` to `ends`."""

    name: str
    thread: ThreadKey
    begins: float
    ends: float
    #: Whether its message can be a stream.
    may_stream: bool = True
    streams: bool = False
    done: bool = False
    #: Whether it was a stream until its last word.
    stopped_at_end: bool = False
    written: float = float("-inf")
    shared: float = float("-inf")
    asker: View = field(default_factory=View)
    others: View = field(default_factory=View)

    def there(self, now: float) -> int:
        """How many characters Claude has sent."""
        return int(max(0.0, min(now, self.ends) - self.begins) * SPEED)

    def lag(self, whose: "Callable[[Reply], View]") -> float:
        """The mean lag of its characters."""
        view, total, done = whose(self), 0.0, 0
        for when, chars in zip(view.times, view.chars, strict=True):
            middle = self.begins + (done + chars) / 2 / SPEED
            total += max(0, chars - done) * (when - middle)
            done = max(done, chars)
        return total / done

    def requests(self, now: float) -> list[WriteRequest]:
        """What `StreamedReply` asks for on Slack, with `SLACK_NATIVE_STREAMS=auto`."""
        there, over = self.there(now), now >= self.ends
        if self.streams and not over:
            return [*self._turn(there), *self._append(there)]
        if not over and there - self.asker.last < 8:
            return []
        priority, earliest = Priority.FINAL, 0.0
        if self.streams:
            kinds = [WriteKind.CLOSE]
        elif self.asker.times:
            kinds = [WriteKind.EDIT]
            if not over:
                priority = Priority.REFRESH
                pace = LIMITS.paces[WriteKind.EDIT]
                earliest = self.shared + pace.interval(there)
        else:
            streams = [WriteKind.OPEN] if self.may_stream else []
            kinds = [WriteKind.POST, *streams]
            if not over:
                priority, earliest = Priority.FIRST, self.begins + LIMITS.settle
        return [self._request(each, priority, earliest) for each in kinds]

    def _turn(self, there: int) -> list[WriteRequest]:
        if there - self.others.last < 8:
            return []
        pause = LIMITS.paces[WriteKind.EDIT].interval(there)
        return [
            WriteRequest(
                *(self.name, self.thread, WriteKind.CLOSE, Priority.REFRESH),
                *(self.shared + pause, WriteKind.EDIT),
            )
        ]

    def _append(self, there: int) -> list[WriteRequest]:
        if there - self.asker.last < 8:
            return []
        pause = LIMITS.paces[WriteKind.APPEND].interval(there)
        return [self._request(WriteKind.APPEND, Priority.REFRESH, self.written + pause)]

    def _request(
        self, kind: WriteKind, priority: Priority, earliest: float
    ) -> WriteRequest:
        return WriteRequest(self.name, self.thread, kind, priority, earliest)

    def write(self, kind: WriteKind, now: float) -> None:
        """Record that the platform took a write."""
        there = self.there(now)
        self.written = now
        self.asker.see(now, there)
        if kind is not WriteKind.APPEND:
            self.shared = now
            self.others.see(now, there)
        self.streams = kind in (WriteKind.OPEN, WriteKind.APPEND)
        self.done = now >= self.ends and not self.streams
        # What was short enough is written whole by its start.
        grew = len(self.asker.times) > 2
        self.stopped_at_end = self.done and grew and kind is WriteKind.CLOSE


@dataclass(slots=True)
class Run:
    """Replies in one workspace, written with all methods or without streams."""

    replies: list[Reply]
    #: How many writes of each kind were made, and how many were refused.
    writes: dict[WriteKind, int] = field(default_factory=dict)
    refused: int = 0
    now: float = 0.0

    def play(self) -> "Run":
        """Let time pass until all is seen by all."""
        budget = WriteBudget(LIMITS)
        meter = rates.Meter(rates.RATES, lambda: self.now)
        open_ = {each.name: each for each in self.replies}
        asked: dict[str, list[WriteRequest]] = {}
        while open_:
            for name, reply in open_.items():
                if self.now < reply.begins:
                    continue
                requests = reply.requests(self.now)
                if requests == asked.get(name):
                    continue
                asked[name] = requests
                budget.withdraw(name)
                if requests:
                    budget.ask(requests[0], self.now, *requests[1:])
            for granted in budget.grant(self.now):
                asked.pop(granted.reply)
                kind, reply = granted.kind, open_[granted.reply]
                channel = granted.thread.channel
                self.refused += bool(meter.admit(METHODS[kind], channel))
                self.writes[kind] = self.writes.get(kind, 0) + 1
                reply.write(kind, self.now)
                budget.write_completed(reply.name)
                if reply.done:
                    budget.remove(reply.name)
                    del open_[reply.name]
            self.now += TICK
        return self

    def seen_by_others(self, now: float) -> int:
        """How many characters of all answers everybody could see at a time."""
        return sum(each.others.at(now) for each in self.replies)

    def lag(self, whose: Callable[[Reply], View]) -> float:
        """The mean lag of all answers."""
        lags = [each.lag(whose) for each in self.replies]
        return sum(lags) / len(lags)


def play(
    count: int, channels: int, chars: int, apart: float = 0.01, *, streams: bool
) -> Run:
    """Let so many answers of about so many characters be written, each begun some time
    after the one before."""
    return Run(
        [
            Reply(
                str(nth),
                ThreadKey("slack", "T1", f"C{nth % channels}", str(nth)),
                nth * apart,
                nth * apart + chars / SPEED * (0.7 + nth * 7 % 10 / 15),
                may_stream=streams,
            )
            for nth in range(count)
        ]
    ).play()


def asker(reply: Reply) -> View:
    return reply.asker


def others(reply: Reply) -> View:
    return reply.others


# So many answers, in so many channels, of so many characters, begun so far apart.
LOADS = [
    (1, 1, 1_500, 0.01),
    (5, 5, 1_500, 0.01),
    (20, 5, 1_500, 0.01),
    (20, 1, 200, 0.01),
    (50, 5, 1_500, 0.01),
    (100, 5, 1_500, 0.01),
    (20, 5, 6_000, 0.01),
    (60, 5, 1_500, 1.0),
    (30, 5, 1_500, 2.0),
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
        assert streamed.others.times[-1] <= edited.others.times[-1] + TICK
        # Edits that streams leave to others come sooner, and then those after them at
        # other moments, of which one interval is the most.
        latest = LIMITS.paces[WriteKind.EDIT].interval(chars)
        assert streamed.lag(others) <= edited.lag(others) + latest / 2
    assert both.lag(others) <= alone.lag(others) + 1e-9
    assert both.lag(asker) <= alone.lag(asker) + 1e-9


@pytest.mark.parametrize("count", [10, 20, 50, 100])
def test_answers_that_begin_at_once_are_seen_at_no_moment_less(count: int) -> None:
    alone = play(count, 5, 1_500, streams=False)
    both = play(count, 5, 1_500, streams=True)
    for nth in range(int(alone.now / TICK)):
        now = nth * TICK
        assert both.seen_by_others(now) >= alone.seen_by_others(now)


@pytest.mark.parametrize(
    ("count", "channels", "chars", "share"),
    [(10, 5, 1_500, 0.6), (20, 5, 1_500, 0.4), (20, 1, 200, 0.3), (50, 5, 1_500, 0.65)],
)
def test_askers_wait_less_where_edits_do_not_suffice(
    count: int, channels: int, chars: int, share: float
) -> None:
    alone = play(count, channels, chars, streams=False)
    both = play(count, channels, chars, streams=True)
    assert both.lag(asker) <= share * alone.lag(asker)


@pytest.mark.parametrize(("count", "apart"), [(1, 0.01), (5, 0.01), (30, 20.0)])
def test_while_edits_suffice_nothing_is_a_stream(count: int, apart: float) -> None:
    run = play(count, 5, 1_500, apart, streams=True)
    assert run.writes.get(WriteKind.OPEN) is None


def test_every_stop_is_granted_at_once() -> None:
    run = play(100, 5, 1_500, streams=True)
    assert run.writes[WriteKind.OPEN] == run.writes[WriteKind.CLOSE] > 8
    ended = [each for each in run.replies if each.stopped_at_end]
    assert ended
    for reply in ended:
        assert reply.others.times[-1] <= reply.ends + TICK
