"""Many replies at once, in simulated time, against meters that enforce what the
platforms allow (platform facts A5.1, B4)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from adapters.discord.adapter import LIMITS as DISCORD
from adapters.slack.adapter import LIMITS as SLACK
from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Limits, WriteKind
from bot.domain.scope import ThreadKey
from tests.emulators.discord import rates as discord_rates
from tests.emulators.discord.model import Request
from tests.emulators.slack import rates as slack_rates
from tests.support.deep import deep_only

#: Whether a write of a reply is refused now.
Refuses = Callable[[ThreadKey, WriteKind], object]

# A Sonnet's pace, in characters a second, and how often Claude sends some.
SPEED = 240.0
TICK = 0.05


@dataclass(slots=True)
class Reply:
    """An answer that Claude writes from `begins` to `ends`, and what of it shows."""

    thread: ThreadKey
    begins: float
    ends: float
    shown: int = 0
    written: float = float("-inf")
    #: When its first text, and all of it, could be seen.
    first: float | None = None
    whole: float | None = None

    def there(self, now: float) -> int:
        """Return the number of characters that Claude has sent."""
        return int(max(0.0, min(now, self.ends) - self.begins) * SPEED)


@dataclass(slots=True)
class Run:
    """A simulation: replies that share one workspace, or one channel."""

    limits: Limits
    refuses: Refuses
    replies: list[Reply]
    now: float = 0.0
    writes: list[float] = field(default_factory=list)
    #: How long some text was due, and not allowed.
    starved: float = 0.0
    while_starved: int = 0
    refused: int = 0
    #: What is granted within so many seconds reaches the platform at their end, as of a
    #: process that has no time.
    holds: float = 0.0
    under_way: dict[str, WriteRequest] = field(default_factory=dict)

    def play(self) -> None:
        """Let time pass until all of it is seen."""
        budget = WriteBudget(self.limits)
        open_ = {str(nth): reply for nth, reply in enumerate(self.replies)}
        while open_:
            waiting = list[WriteRequest]()
            for name, reply in open_.items():
                if name in self.under_way:
                    continue
                if request := self._request(name, reply):
                    budget.ask(request, self.now)
                    waiting.append(request)
                else:
                    budget.withdraw(name)
            granted = budget.grant(self.now)
            waits = (budget.next_grant(self.now) or 1e9) > self.now + TICK
            served = {each.reply for each in granted}
            if waits and any(
                each.earliest <= self.now and each.reply not in served
                for each in waiting
            ):
                self.starved += TICK
                self.while_starved += len(granted)
            self.under_way |= {request.reply: request for request in granted}
            if self.holds and self.now % self.holds > TICK:
                granted = []
            else:
                granted = list(self.under_way.values())
                self.under_way.clear()
            for request in granted:
                self._write(request, open_[request.reply])
                budget.write_completed(request.reply)
                if open_[request.reply].whole is not None:
                    budget.remove(request.reply)
                    del open_[request.reply]
            self.now += TICK

    def _request(self, name: str, reply: Reply) -> WriteRequest | None:
        there, over = reply.there(self.now), self.now >= reply.ends
        pace = self.limits.paces[WriteKind.EDIT]
        if not over and there - reply.shown < pace.fewest:
            return None
        kind = WriteKind.EDIT if reply.shown else WriteKind.POST
        priority = Priority.REFRESH if reply.shown else Priority.FIRST
        earliest = reply.written + pace.interval(there) if reply.shown else 0.0
        if over:
            priority, earliest = Priority.FINAL, 0.0
        return WriteRequest(name, reply.thread, kind, priority, earliest)

    def _write(self, request: WriteRequest, reply: Reply) -> None:
        self.refused += bool(self.refuses(reply.thread, request.kind))
        if request.kind is WriteKind.EDIT:
            self.writes.append(self.now)
        reply.shown, reply.written = reply.there(self.now), self.now
        reply.first = self.now if reply.first is None else reply.first
        if self.now >= reply.ends:
            reply.whole = self.now


def on_slack(replies: int, channels: int, seconds: float) -> Run:
    threads = [
        ThreadKey("slack", "T1", f"C{nth % channels}", str(nth))
        for nth in range(replies)
    ]
    run = Run(SLACK, lambda thread, kind: None, began(threads, seconds))
    meter = slack_rates.Meter(slack_rates.RATES, lambda: run.now)
    methods = {WriteKind.POST: "chat.postMessage", WriteKind.EDIT: "chat.update"}
    run.refuses = lambda thread, kind: meter.admit(methods[kind], thread.channel)
    return run


def on_discord(replies: int, seconds: float) -> Run:
    # A thread is a channel of its own (facts B4).
    threads = [
        ThreadKey("discord", "G1", "C1", str(100 + nth)) for nth in range(replies)
    ]
    run = Run(DISCORD, lambda thread, kind: None, began(threads, seconds))
    # The bot's 50 calls a second in all are kept by the adapter's GlobalRateLimiter.
    per_second = discord_rates.RATES
    meter = discord_rates.Meter(per_second, lambda: run.now)

    def refuses(thread: ThreadKey, kind: WriteKind) -> object:
        messages = f"/channels/{thread.thread}/messages"
        request = (
            Request("POST", messages)
            if kind is WriteKind.POST
            else Request("PATCH", f"{messages}/1")
        )
        return meter.admit(request).wait

    run.refuses = refuses
    return run


def began(threads: list[ThreadKey], seconds: float) -> list[Reply]:
    """Return one answer in each thread, all asked within a second, of different
    lengths."""
    return [
        Reply(thread, nth / len(threads), seconds * (0.5 + (nth * 7 % 10) / 10))
        for nth, thread in enumerate(threads)
    ]


@pytest.mark.parametrize(
    ("replies", "channels"), [(1, 1), (20, 5), *deep_only((5, 1), (20, 1), (100, 5))]
)
def test_on_slack_nothing_is_refused_and_last_words_wait_for_last_words_alone(
    replies: int, channels: int
) -> None:
    run = on_slack(replies, channels, seconds=60)
    run.play()
    assert run.refused == 0
    if run.starved > 60:
        allowed = run.starved * 50 / 60
        assert run.while_starved >= 0.95 * allowed
    # Nobody's last words wait for more than those that come before, and one write.
    write, free = 60 / 49 + 2 * TICK, 0.0
    for reply in sorted(run.replies, key=lambda each: each.whole or 0.0):
        assert reply.whole is not None
        assert reply.first is not None
        if reply.first < reply.ends:
            assert reply.whole <= max(reply.ends, free) + write
            free = reply.whole


@pytest.mark.parametrize("replies", [1, 5, *deep_only(20)])
def test_on_discord_nothing_is_refused_and_last_words_wait_for_one_write(
    replies: int,
) -> None:
    run = on_discord(replies, seconds=30)
    run.play()
    assert run.refused == 0
    for reply in run.replies:
        assert reply.whole is not None
        assert reply.whole <= reply.ends + 20 / 19 + 2 * TICK


def test_of_twenty_short_answers_those_that_wait_are_one_post() -> None:
    run = on_slack(20, 1, seconds=1)
    run.play()
    # Those that could be posted at once were not whole by then, and were edited.
    assert run.refused == 0
    assert len(run.writes) <= 2 * 4
    whole = sorted(each.whole or 0.0 for each in run.replies)
    # As soon as a post a second allows, of which some may come at once.
    assert whole[-1] <= 20 - 4 + 1.5


@pytest.mark.parametrize("holds", [3.0, *deep_only(1.0, 8.0)])
@pytest.mark.parametrize(("replies", "channels"), [(20, 1), *deep_only((100, 5))])
def test_what_is_held_up_on_its_way_is_not_refused_when_it_arrives_together(
    replies: int, channels: int, holds: float
) -> None:
    run = on_slack(replies, channels, seconds=20)
    run.holds = holds
    run.play()
    assert run.refused == 0
    assert all(reply.whole is not None for reply in run.replies)
