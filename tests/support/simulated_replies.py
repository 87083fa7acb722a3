"""Simulates growing answers and their writes, with the write budget and the limits that
the emulators enforce (platform facts A5.1, A7.2, B4). Time is simulated; only Claude
and the limits take any."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.discord.global_rate_limit import MOST, SECONDS
from adapters.slack.adapter import LIMITS as SLACK
from bot.delivery.shared_writes import SharedWrites
from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Limits, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import RateRow, answer
from tests.emulators.discord import rates as discord_rates
from tests.emulators.discord.model import Request
from tests.emulators.slack import rates as slack_rates

#: Returns a true value if a write of a reply is refused now.
Refuses = Callable[[ThreadKey, WriteKind], object]

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
    """The number of characters of an answer that somebody saw over time."""

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
    #: Whether the answer can be a stream.
    may_stream: bool = True
    limits: Limits = SLACK
    streams: bool = False
    done: bool = False
    #: Whether it was still a stream at its end.
    stopped_at_end: bool = False
    written: float = float("-inf")
    shared: float = float("-inf")
    asker: View = field(default_factory=View)
    others: View = field(default_factory=View)

    def there(self, now: float) -> int:
        """Return the number of characters that Claude has sent."""
        return int(max(0.0, min(now, self.ends) - self.begins) * SPEED)

    def lag(self, whose: "Callable[[Reply], View]") -> float:
        """Return the mean lag of its characters in seconds."""
        view, total, done = whose(self), 0.0, 0
        for when, chars in zip(view.times, view.chars, strict=True):
            middle = self.begins + (done + chars) / 2 / SPEED
            total += max(0, chars - done) * (when - middle)
            done = max(done, chars)
        return total / done

    def requests(self, now: float) -> list[WriteRequest]:
        """Return the requests of `StreamedReply`, on Slack with
        `SLACK_NATIVE_STREAMS=auto`."""
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
                pace = self.limits.paces[WriteKind.EDIT]
                earliest = self.shared + pace.interval(there)
        else:
            streams = [WriteKind.OPEN] if self.may_stream else []
            kinds = [WriteKind.POST, *streams]
            if not over:
                priority = Priority.FIRST
                earliest = self.begins + self.limits.delay(there)
        return [self._request(each, priority, earliest) for each in kinds]

    def _turn(self, there: int) -> list[WriteRequest]:
        if there - self.others.last < 8:
            return []
        pause = self.limits.paces[WriteKind.EDIT].interval(there)
        return [
            WriteRequest(
                *(self.name, self.thread, WriteKind.CLOSE, Priority.REFRESH),
                *(self.shared + pause, WriteKind.EDIT),
            )
        ]

    def _append(self, there: int) -> list[WriteRequest]:
        if there - self.asker.last < 8:
            return []
        pause = self.limits.paces[WriteKind.APPEND].interval(there)
        return [self._request(WriteKind.APPEND, Priority.REFRESH, self.written + pause)]

    def _request(
        self, kind: WriteKind, priority: Priority, earliest: float
    ) -> WriteRequest:
        return WriteRequest(self.name, self.thread, kind, priority, earliest)

    def write(self, kind: WriteKind, now: float, granted: float) -> None:
        """Record a write that the platform accepted, with the text at the time of the
        grant."""
        there = self.there(granted)
        self.written = now
        self.asker.see(now, there)
        if kind is not WriteKind.APPEND:
            self.shared = now
            self.others.see(now, there)
        self.streams = kind in (WriteKind.OPEN, WriteKind.APPEND)
        self.done = granted >= self.ends and not self.streams
        # A short answer is written completely by its first write.
        grew = len(self.asker.times) > 2
        self.stopped_at_end = self.done and grew and kind is WriteKind.CLOSE


class Process:
    """A process that writes, with its replies."""

    def __init__(
        self, name: str, budget: WriteBudget, replies: Sequence[Reply]
    ) -> None:
        self.name = name
        self.budget = budget
        self.writes = SharedWrites(budget)
        self.replies = {each.name: each for each in replies}
        self.asked: dict[str, list[WriteRequest]] = {}


def replies(
    count: int, channels: int, chars: int, apart: float, *, may_stream: bool
) -> list[Reply]:
    """Return `count` answers of about `chars` characters, which begin `apart` seconds
    apart."""
    return [
        Reply(
            str(nth),
            ThreadKey("slack", "T1", f"C{nth % channels}", str(nth)),
            nth * apart,
            nth * apart + chars / SPEED * (0.7 + nth * 7 % 10 / 15),
            may_stream=may_stream,
        )
        for nth in range(count)
    ]


@dataclass(slots=True)
class Run:
    """Replies under the limits of one platform, enforced by the meter of its
    emulator."""

    replies: list[Reply]
    limits: Limits = SLACK
    #: The step in seconds.
    tick: float = TICK
    #: How many writes of each kind were made. `refused` counts the refused ones.
    writes: dict[WriteKind, int] = field(default_factory=dict)
    refused: int = 0
    now: float = 0.0
    #: How many processes share the replies and the rows; 0 for one process without
    #: rows.
    processes: int = 0
    rows: dict[tuple[str, WriteKind], RateRow] = field(default_factory=dict)
    #: How often the rows were queried.
    asked: int = 0
    turn: int = 0
    #: On Discord: granted writes that wait for the global rate limit, each with the
    #: time of its grant. `calls` has the times of the last calls.
    held: deque[tuple[WriteRequest, float]] = field(default_factory=deque)
    calls: deque[float] = field(
        default_factory=lambda: deque([float("-inf")] * MOST, maxlen=MOST)
    )

    def play(self) -> "Run":
        """Let time pass until everybody sees every answer completely."""
        refuses = self._on_slack() if self.limits is SLACK else self._on_discord()
        count = max(1, self.processes)
        team = [
            Process(f"p{n}", WriteBudget(self.limits), self.replies[n::count])
            for n in range(count)
        ]
        while any(each.replies for each in team):
            # The order rotates, so that no process is always first.
            for process in team[self.turn :] + team[: self.turn]:
                self._step(process, refuses)
            self.turn = (self.turn + 1) % count
            self.now += self.tick
        return self

    def _step(self, process: "Process", refuses: Refuses) -> None:
        budget, asked = process.budget, process.asked
        held = {each.reply for each, _ in self.held}
        for name, reply in process.replies.items():
            if self.now < reply.begins or name in held:
                continue
            requests = reply.requests(self.now)
            if requests == asked.get(name):
                continue
            asked[name] = requests
            budget.withdraw(name)
            if requests:
                budget.ask(requests[0], self.now, *requests[1:])
        for granted, when in self._let_out(budget.grant(self.now)):
            asked.pop(granted.reply)
            kind, reply = granted.kind, process.replies[granted.reply]
            if not self._agreed(process, granted):
                budget.write_completed(reply.name)
                continue
            self.refused += bool(refuses(granted.thread, kind))
            self.writes[kind] = self.writes.get(kind, 0) + 1
            reply.write(kind, self.now, when)
            budget.write_completed(reply.name)
            if reply.done:
                budget.remove(reply.name)
                del process.replies[granted.reply]

    def _let_out(self, granted: list[WriteRequest]) -> list[tuple[WriteRequest, float]]:
        """Return the writes that the global rate limit admits now, with the times of
        their grants."""
        new = [(each, self.now) for each in granted]
        if self.limits is SLACK:
            return new
        self.held += new
        now = []
        while self.held and self.calls[0] + SECONDS[0] <= self.now + 1e-9:
            self.calls.append(self.now)
            now.append(self.held.popleft())
        return now

    def _agreed(self, process: "Process", granted: WriteRequest) -> bool:
        """Return whether the shared rows admit a write."""
        if not self.processes:
            return True
        asks = process.writes.asks(granted, self.now)
        rows = [self.rows.get((a.scope, a.kind), RateRow()) for a in asks]
        pairs = list(zip(rows, asks, strict=True))
        # The clock of the rows differs from those of the processes.
        changed, states = answer(pairs, process.name, self.now + 1_000.0)
        for ask, row in zip(asks, changed, strict=True):
            self.rows[ask.scope, ask.kind] = row
        self.asked += 1
        return process.writes.settle(granted, states, self.now)

    def _on_slack(self) -> Refuses:
        meter = slack_rates.Meter(slack_rates.RATES, lambda: self.now)
        return lambda thread, kind: meter.admit(METHODS[kind], thread.channel)

    def _on_discord(self) -> Refuses:
        meter = discord_rates.Meter(discord_rates.RATES, lambda: self.now)

        def refuses(thread: ThreadKey, kind: WriteKind) -> object:
            path = f"/channels/{thread.thread}/messages"
            edit = kind is WriteKind.EDIT
            call = Request("PATCH", f"{path}/1") if edit else Request("POST", path)
            return meter.admit(call).wait

        return refuses

    def seen_by_others(self, now: float) -> int:
        """Return the number of characters, over all answers, that everybody sees at
        `now`."""
        return sum(each.others.at(now) for each in self.replies)

    def lag(self, whose: Callable[[Reply], View]) -> float:
        """Return the mean lag of all answers in seconds."""
        lags = [each.lag(whose) for each in self.replies]
        return sum(lags) / len(lags)


def asker(reply: Reply) -> View:
    """Return the view of the asker."""
    return reply.asker


def others(reply: Reply) -> View:
    """Return the view of everybody else."""
    return reply.others
