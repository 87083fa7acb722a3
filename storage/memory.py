"""Threads remembered for as long as the program runs, for tests and for trying out.

Rule: every promise of `bot.ports.platform.Store` but that of durability. No verb awaits
anything, so each one happens at once, as a transaction would.
"""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, filterfalse
from operator import attrgetter
from typing import TypeVar

from sqlite_utils import Database

from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.completion import ChatMessage
from bot.domain.message import Disposition, Message
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.turn import (
    Ended,
    Outcome,
    ThreadSummary,
    Turn,
    TurnFacts,
    TurnMessage,
    TurnState,
    WaitingThread,
)
from bot.ports.store import Judge, Serves, all_threads
from storage import ledger, settings, tombstones, triage_cases
from storage.blank import empty_tables
from storage.books import Books
from storage.records import Line, ThreadRecord, TurnRecord
from storage.waiting import fairly

T = TypeVar("T")


class MemoryStore(Books):
    """A Store without a file."""

    def __init__(self) -> None:
        self._db = empty_tables()
        super().__init__(read=self._at_once, write=self._at_once)
        self._threads: dict[ThreadKey, ThreadRecord] = {}
        self._turns: dict[int, tuple[ThreadRecord, TurnRecord]] = {}
        self._ids = count(1)

    async def hear(self, heard: Message, judge: Judge) -> Disposition:
        thread = self._threads.get(heard.thread)
        if thread and heard.message in thread.known:
            return Disposition.IGNORE
        if tombstones.taken_back(self._db, heard):
            return Disposition.IGNORE
        heard = self._left(heard)
        facts = thread.facts(heard.at) if thread else None
        verdict = judge(heard, facts)
        if verdict is Disposition.ANSWER:
            if thread is None:
                thread = ThreadRecord(heard.thread, unread=not heard.opens)
                self._threads[heard.thread] = thread
            thread.remember(heard, self._wait(thread, heard), asks=True)
        elif verdict is Disposition.KEEP:
            if thread is None:
                return Disposition.IGNORE
            thread.remember(heard)
        return verdict

    async def move(self, thread: ThreadKey, to: ThreadKey) -> None:
        if to in self._threads or thread not in self._threads:
            return

        def relocate(db: Database) -> None:
            settings.move(db, Scope.of(thread), to=Scope.of(to))
            ledger.move(db, Scope.of(thread), to=Scope.of(to))

        await self._write(relocate)
        # Each keeps its place among the others.
        self._threads = {
            to if key == thread else key: known for key, known in self._threads.items()
        }
        if to in self._threads:
            self._threads[to].key = to

    async def recall(self, thread: ThreadKey, message: str) -> str | None:
        line = self._of(thread).known.get(message)
        return line.heard.text if line and line.heard and not line.erased else None

    async def amend(self, heard: Message, content: str, now: float) -> None:
        key = heard.thread
        for line in self._meant(
            key.platform, key.workspace, key.channel, heard.message
        ):
            assert line.heard
            line.heard = replace(line.heard, text=heard.text, files=heard.files)
            answering = line.turn and line.turn.value.state is TurnState.ANSWERING
            if line.content is not None or answering:
                line.content = content

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None,
        now: float,
    ) -> None:
        for message in messages:
            place = Scope(platform, workspace, channel or "")
            tombstones.note(self._db, place, message, now=now)
            for key, thread in self._threads.items():
                if place.holds(Scope.of(key)):
                    thread.erase(message)
                elif channel is None and key.platform == platform:
                    thread.erase_held(message)
            triage_cases.erase(self._db, message, within=place)

    async def hold(self, heard: Message, holder: str, now: float) -> None:
        place = Scope.of(heard.thread).at(ScopeLevel.CHANNEL)
        for line in self._meant(
            *(place.platform, place.workspace, place.channel), heard.message
        ):
            assert line.heard
            line.heard = replace(line.heard, holds=(*line.heard.holds, holder))
            if tombstones.is_erased(self._db, place, [holder]):
                line.erase()

    async def forget(self, place: Scope, now: float) -> None:
        tombstones.note(self._db, place, "", now=now)
        for key, thread in self._threads.items():
            if place.holds(Scope.of(key)):
                thread.forget()
        triage_cases.erase_in(self._db, place)
        settings.forget_drafts(self._db, place)

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        deleted = dict(await super().clean_up(retention, now))
        kept = retention.threads
        old = [
            key
            for key, thread in self._threads.items()
            if kept is not None and thread.ended_before(now - kept)
        ]
        for key in old:
            del self._threads[key]
            settings.forget_kept(self._db, Scope.of(key))
        return {**deleted, "threads": len(old)}

    async def renew(self, thread: ThreadKey) -> bool:
        known = self._of(thread)
        known.unread = False
        for line in known.lines:
            line.past = True
        # It begins anew with what applies now.
        settings.forget_kept(self._db, Scope.of(thread))
        return thread in self._threads

    async def askers(self, thread: ThreadKey) -> frozenset[str]:
        lines = self._of(thread).lines
        return frozenset(s.heard.author for s in lines if s.asks and s.heard)

    async def facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        known = self._of(thread)
        for each in reversed(known.turns):
            if turn in ("", each.value.key):
                return known.turn_facts(each)
        return None

    async def repeat(self, thread: ThreadKey, turn: str, now: float) -> bool:
        known = self._of(thread)
        if not known.turns or any(turn.open for turn in known.turns):
            return False
        last = known.turns[-1]
        if last.value.key != turn or not known.spoken(last):
            return False
        again = self._add_turn(known, asked_at=last.asked_at, now=now)
        again.value = replace(again.value, shown=last.value.shown)
        again.preface, again.given = last.preface, last.given
        last.value, last.given = replace(last.value, shown=()), []
        for line in known.lines:
            if line.turn is last:
                if line.heard:
                    line.turn = again
                else:
                    line.erased = True
        return True

    async def backfill(
        self, turn: Turn, history: Sequence[Message]
    ) -> list[TurnMessage]:
        thread, ours = self._turns[turn.id]
        if thread.unread:
            for heard in history:
                if not heard.echo and not tombstones.taken_back(self._db, heard):
                    thread.remember(self._left(heard), None if ours.over else ours)
            thread.unread = False
        return thread.spoken(ours)

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

    async def waiting_threads(
        self, platforms: Collection[str], most: int, serves: Serves = all_threads
    ) -> list[WaitingThread]:
        found = (
            thread.waits()
            for thread in self._threads.values()
            if thread.key.platform in platforms and serves(thread.key)
        )
        return fairly(filter(None, found), most)

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        return self._of(thread).next_turn()

    async def begin(self, turn: Turn, now: float) -> list[TurnMessage]:
        thread, ours = self._turns[turn.id]
        if not ours.over:
            ledger.give_up(self._db, turn, now=now)
            ours.value = replace(
                ours.value,
                state=TurnState.ANSWERING,
                attempts=ours.value.attempts + 1,
                touched=now,
            )
            if thread.spoken(ours):
                for line in thread.lines:
                    line.turn = line.turn or ours
        return thread.spoken(ours)

    async def freeze(
        self, turn: Turn, preface: str, contents: Mapping[str, str]
    ) -> None:
        thread, ours = self._turns[turn.id]
        if ours.over:
            return
        if ours.preface is None:
            ours.preface = preface
        for message in (each.heard.message for each in thread.spoken(ours)):
            line = thread.known[message]
            if line not in ours.given and message in contents:
                # `contents` may be older than what it was meanwhile edited to read.
                if line.content is None:
                    line.content = contents[message]
                ours.given.append(line)

    async def conversation(self, thread: ThreadKey) -> list[ChatMessage]:
        turns = self._of(thread).turns
        return [said for turn in turns for said in turn.entries()]

    async def show(self, turn: Turn, shown: PostedPart, text: str, now: float) -> None:
        _, ours = self._turns[turn.id]
        if shown.message is not None:
            ours.value = replace(ours.value, touched=now)
        before = {each.index: each.message for each in ours.value.shown}
        message = shown.message or before.get(shown.index)
        ours.put(replace(shown, message=message))
        if not ours.over:
            ours.value = replace(ours.value, text=text)

    async def unshow(self, turn: Turn, index: int) -> None:
        _, ours = self._turns[turn.id]
        left = tuple(each for each in ours.value.shown if each.index != index)
        ours.value = replace(ours.value, shown=left)

    async def finish(
        self, turn: Turn, outcome: Outcome, now: float, caps: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        thread, ours = self._turns[turn.id]
        if ours.over:
            return []
        ours.outcome, ours.ended_at = outcome, now
        ours.value = replace(
            ours.value,
            state=TurnState.UNDELIVERED,
            touched=ours.value.touched if ours.unsure else now,
            text=outcome.text,
            ended=outcome.ended,
            note=outcome.note,
            stop_reason=outcome.stop_reason,
            calls=outcome.calls,
        )
        if outcome.text or outcome.replay:
            thread.add_answer(ours)
        return await self._write(
            lambda db: ledger.settle(db, turn, outcome=outcome, now=now, caps=caps)
        )

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        for record in self._of(thread).turns:
            if record.value.key == turn and record.outcome:
                record.feedback = good
                return True
        return False

    async def delivered(self, turn: Turn, now: float) -> None:
        thread, ours = self._turns[turn.id]
        if ours.open:
            ours.value = replace(ours.value, state=TurnState.DELIVERED, touched=now)
        shown = [each.message for each in ours.value.shown if each.message]
        if tombstones.is_erased(self._db, Scope.of(turn.thread), ["", *shown]):
            thread.forget_answer(ours)

    async def hand_over(self, turn: Turn) -> None:
        _, ours = self._turns[turn.id]
        if ours.value.state is TurnState.ANSWERING:
            ours.value = replace(ours.value, state=TurnState.WAITING)
        elif ours.value.state is TurnState.UNDELIVERED:
            ours.failures = max(ours.failures - 1, 0)

    async def record_failure(self, turn: Turn, weight: int = 1) -> int:
        _, ours = self._turns[turn.id]
        ours.failures += weight
        return ours.failures

    async def abandon(self, turn: Turn, reason: str, now: float) -> None:
        _, ours = self._turns[turn.id]
        ended = ours.value.ended or Ended.FAILED
        ours.value = replace(ours.value, state=TurnState.DELIVERED, ended=ended)
        ledger.forfeit(self._db, turn, now=now)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        found = [
            thread.summary()
            for key, thread in reversed(self._threads.items())
            if (key.platform, key.channel) == (platform, channel)
        ]
        return sorted(found, key=attrgetter("last"), reverse=True)

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        last = [
            (heard, key)
            for key, thread in self._threads.items()
            if key.platform == platform and (heard := thread.newest())
        ]
        last.sort(key=lambda each: each[0].at)
        return [(key, heard.message) for heard, key in last if heard.at >= since]

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        return self._of(thread).transcript()

    async def _at_once(self, work: Callable[[Database], T], /) -> T:
        with self._db.atomic():
            return work(self._db)

    def _of(self, key: ThreadKey) -> ThreadRecord:
        return self._threads.get(key) or ThreadRecord(key, unread=False)

    def _meant(
        self, platform: str, workspace: str, channel: str | None, message: str
    ) -> Iterator[Line]:
        """Where `message` is remembered: where it was said, and where quoted."""
        for key, thread in self._threads.items():
            here = (key.platform, key.workspace) == (platform, workspace)
            line = thread.known.get(message)
            if here and channel in (None, key.channel) and line and not line.erased:
                yield line

    def _left(self, heard: Message) -> Message:
        """`heard` without those quotes that people have deleted."""
        taken_back = partial(tombstones.taken_back, self._db)
        return replace(heard, quotes=tuple(filterfalse(taken_back, heard.quotes)))

    def _wait(self, thread: ThreadRecord, heard: Message) -> TurnRecord:
        """The turn that waits to answer `heard`: the newest that waits, or a new
        one."""
        for turn in reversed(thread.turns):
            if turn.value.state is TurnState.WAITING:
                turn.asked_at = min(turn.asked_at, heard.at)
                return turn
        return self._add_turn(thread, asked_at=heard.at, now=heard.at)

    def _add_turn(
        self, thread: ThreadRecord, *, asked_at: float, now: float
    ) -> TurnRecord:
        value = Turn(
            id=next(self._ids),
            key=secrets.token_hex(8),
            thread=thread.key,
            state=TurnState.WAITING,
            attempts=0,
            touched=now,
        )
        turn = TurnRecord(value, asked_at)
        thread.turns.append(turn)
        self._turns[value.id] = (thread, turn)
        return turn
