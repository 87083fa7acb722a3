"""Threads remembered for as long as the program runs, for tests and for trying out.

Rule: every promise of `bot.ports.Store` but that of durability. No verb awaits
anything, so each one happens at once, as a transaction would.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, groupby
from operator import attrgetter

from bot.ports import Judge
from bot.values import (
    Ended,
    Heard,
    Outcome,
    Said,
    Shown,
    Spending,
    Spoken,
    State,
    ThreadFacts,
    ThreadKey,
    ThreadSummary,
    Turn,
    Usage,
    Verdict,
)
from storage.queries import title


@dataclass(slots=True)
class _Turn:
    """A turn, and what only the store knows of it."""

    value: Turn
    asked_at: float
    preface: str | None = None
    #: What Claude was given, by message id, in the order in which it was given.
    contents: dict[str, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    ended_at: float = 0.0

    @property
    def open(self) -> bool:
        return self.value.state is not State.DELIVERED

    @property
    def over(self) -> bool:
        """Its words are final, and it reads no more."""
        return self.value.state not in (State.WAITING, State.ANSWERING)


@dataclass(slots=True)
class _Line:
    """Something said: by a person where there is a `heard`, else in answer."""

    at: float
    heard: Heard | None
    turn: _Turn | None


@dataclass(slots=True)
class _Thread:
    key: ThreadKey
    unread: bool
    follows: bool = False
    #: In order of arrival.
    lines: list[_Line] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    turns: list[_Turn] = field(default_factory=list)

    def remember(self, heard: Heard, turn: _Turn | None = None) -> None:
        if heard.message not in self.known:
            self.known.add(heard.message)
            self.lines.append(_Line(heard.at, heard, turn))
        self.follows |= heard.opens and heard.addressed

    def in_order(self) -> list[_Line]:
        return sorted(self.lines, key=attrgetter("at"))


class MemoryStore:
    """A Store without a file."""

    def __init__(self) -> None:
        self._threads: dict[ThreadKey, _Thread] = {}
        self._turns: dict[int, tuple[_Thread, _Turn]] = {}
        self._ids = count(1)

    async def hear(self, heard: Heard, judge: Judge) -> Verdict:
        thread = self._threads.get(heard.thread)
        if thread and heard.message in thread.known:
            return Verdict.IGNORE
        facts = ThreadFacts(follows=thread.follows) if thread else None
        verdict = judge(heard, facts)
        if verdict is Verdict.ANSWER:
            if thread is None:
                thread = _Thread(heard.thread, unread=not heard.opens)
                self._threads[heard.thread] = thread
            thread.remember(heard, self._wait(thread, heard))
        elif verdict is Verdict.KEEP:
            if thread is None:
                return Verdict.IGNORE
            thread.remember(heard)
        return verdict

    async def backfill(self, turn: Turn, history: Sequence[Heard]) -> list[Spoken]:
        thread, ours = self._turns[turn.id]
        for heard in history:
            if not heard.echo:
                thread.remember(heard, None if ours.over else ours)
        thread.unread = False
        return _spoken(thread, ours)

    async def unread(self, thread: ThreadKey) -> bool:
        known = self._threads.get(thread)
        return known is not None and known.unread

    async def open_threads(self) -> list[ThreadKey]:
        waiting = [
            (min(asked), thread.key)
            for thread in self._threads.values()
            if (asked := [turn.asked_at for turn in thread.turns if turn.open])
        ]
        return [key for _, key in sorted(waiting, key=lambda each: each[0])]

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        turns = self._of(thread).turns
        return next((turn.value for turn in turns if turn.open), None)

    async def begin(self, turn: Turn, now: float) -> list[Spoken]:
        thread, ours = self._turns[turn.id]
        if not ours.over:
            ours.value = replace(
                ours.value,
                state=State.ANSWERING,
                attempts=ours.value.attempts + 1,
                touched=now,
            )
            for line in thread.lines:
                line.turn = line.turn or ours
        return _spoken(thread, ours)

    async def freeze(
        self, turn: Turn, preface: str, contents: Mapping[str, str]
    ) -> None:
        thread, ours = self._turns[turn.id]
        if ours.over:
            return
        if ours.preface is None:
            ours.preface = preface
        for heard in (each.heard for each in _spoken(thread, ours)):
            if heard.message in contents:
                ours.contents.setdefault(heard.message, contents[heard.message])

    async def conversation(self, thread: ThreadKey) -> list[Said]:
        said = []
        for turn in self._of(thread).turns:
            if turn.value.ended is Ended.REFUSED:
                continue
            if turn.contents:
                preface = [turn.preface] if turn.preface else []
                content = "\n".join([*preface, *turn.contents.values()])
                said.append(Said("user", content))
            if turn.outcome and turn.outcome.replay:
                said.append(Said("assistant", turn.outcome.replay))
        return said

    async def intend(self, turn: Turn, index: int) -> None:
        _, ours = self._turns[turn.id]
        shown = {each.index: each for each in ours.value.shown}
        _put(ours, shown.get(index, Shown(index, None)))

    async def show(self, turn: Turn, shown: Shown, text: str, now: float) -> None:
        _, ours = self._turns[turn.id]
        if shown.message is None:
            before = {each.index: each.message for each in ours.value.shown}
            shown = replace(shown, message=before.get(shown.index))
        _put(ours, shown)
        if not ours.over:
            ours.value = replace(ours.value, text=text)
        ours.value = replace(ours.value, touched=now)

    async def unshow(self, turn: Turn, index: int) -> None:
        _, ours = self._turns[turn.id]
        left = tuple(each for each in ours.value.shown if each.index != index)
        ours.value = replace(ours.value, shown=left)

    async def finish(self, turn: Turn, outcome: Outcome, now: float) -> None:
        thread, ours = self._turns[turn.id]
        if ours.over:
            return
        ours.outcome, ours.ended_at = outcome, now
        ours.value = replace(
            ours.value,
            state=State.UNDELIVERED,
            touched=now,
            text=outcome.text,
            ended=outcome.ended,
            note=outcome.note,
        )
        if outcome.text or outcome.replay:
            # Behind the last message that it or an earlier one answers.
            answered = [
                line.at
                for line in thread.lines
                if line.turn and line.turn.value.id <= turn.id
            ]
            at = max(answered, default=ours.asked_at)
            thread.lines.append(_Line(at, None, ours))

    async def delivered(self, turn: Turn, now: float) -> None:
        _, ours = self._turns[turn.id]
        if ours.open:
            ours.value = replace(ours.value, state=State.DELIVERED, touched=now)

    async def hand_over(self, turn: Turn) -> None:
        _, ours = self._turns[turn.id]
        if ours.value.state is State.ANSWERING:
            ours.value = replace(ours.value, state=State.WAITING)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        found = [
            _summary(thread)
            for key, thread in reversed(self._threads.items())
            if (key.platform, key.channel) == (platform, channel)
        ]
        return sorted(found, key=attrgetter("last"), reverse=True)

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        said = []
        for line in self._of(thread).in_order():
            if line.heard:
                said.append((line.heard.author, line.heard.text))
            elif line.turn and line.turn.value.text:
                said.append(("", line.turn.value.text))
        return said

    async def spending(self, since: float) -> list[Spending]:
        ended = [
            (_day(turn.ended_at), order, turn.outcome.model, turn.outcome)
            for order, thread in enumerate(self._threads.values())
            for turn in thread.turns
            if turn.outcome and turn.ended_at >= since
        ]
        keys = list(self._threads)
        ended.sort(key=lambda each: each[:3])
        return [
            _spending(day, keys[order], model, [outcome for *_, outcome in group])
            for (day, order, model), group in groupby(ended, lambda each: each[:3])
        ]

    def _of(self, key: ThreadKey) -> _Thread:
        return self._threads.get(key) or _Thread(key, unread=False)

    def _wait(self, thread: _Thread, heard: Heard) -> _Turn:
        """The turn that waits to answer `heard`: the newest that waits, or a new
        one."""
        for turn in reversed(thread.turns):
            if turn.value.state is State.WAITING:
                turn.asked_at = min(turn.asked_at, heard.at)
                return turn
        value = Turn(
            id=next(self._ids),
            key=secrets.token_hex(8),
            thread=thread.key,
            state=State.WAITING,
            attempts=0,
            touched=heard.at,
        )
        turn = _Turn(value, asked_at=heard.at)
        thread.turns.append(turn)
        self._turns[value.id] = (thread, turn)
        return turn


def _spoken(thread: _Thread, turn: _Turn) -> list[Spoken]:
    return [
        Spoken(line.heard, turn.contents.get(line.heard.message))
        for line in thread.in_order()
        if line.heard and line.turn is turn
    ]


def _put(turn: _Turn, shown: Shown) -> None:
    parts = {each.index: each for each in turn.value.shown} | {shown.index: shown}
    turn.value = replace(
        turn.value, shown=tuple(parts[index] for index in sorted(parts))
    )


def _summary(thread: _Thread) -> ThreadSummary:
    lines = thread.in_order()
    first = lines[0].heard
    ended = (turn.ended_at for turn in thread.turns)
    return ThreadSummary(
        thread=thread.key,
        title=title(first.text if first else ""),
        turns=len(thread.turns),
        last=max(lines[-1].at, *ended),
    )


def _spending(
    day: str, thread: ThreadKey, model: str, outcomes: list[Outcome]
) -> Spending:
    def total(kind: str) -> int:
        return sum(getattr(outcome.usage, kind) for outcome in outcomes)

    costs = [outcome.cost for outcome in outcomes]
    return Spending(
        day=day,
        thread=thread,
        model=model,
        turns=len(outcomes),
        usage=Usage(
            input=total("input"),
            cache_write_5m=total("cache_write_5m"),
            cache_write_1h=total("cache_write_1h"),
            cache_read=total("cache_read"),
            output=total("output"),
        ),
        cost=sum((cost for cost in costs if cost is not None), 0.0),
        unpriced=costs.count(None),
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
