"""Threads remembered in one SQLite file.

Rule: a verb here only says what is done and on which thread it runs; what it means
for the tables is in `changes`, `corrections` and `queries`. The promises are those
of `bot.ports.platform.Store`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.domain.budget import NO_LIMITS, Alert, Balance, Budget, BudgetLimits, Spending
from bot.domain.completion import ChatMessage
from bot.domain.message import Disposition, Message
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.triage_case import TriageCase
from bot.domain.turn import (
    Opinion,
    Outcome,
    ThreadSummary,
    Turn,
    TurnFacts,
    TurnMessage,
    WaitingThread,
)
from bot.errors import ConfigError
from bot.ports.store import Judge, Serves, all_threads
from storage import (
    erasures,
    expiry,
    ledger,
    message_edits,
    spending,
    thread_queries,
    triage_cases,
    turns,
    waiting,
)
from storage.books import Access, Books
from storage.database import (
    empty_log,
    make_directory,
    open_beside,
    open_beside_to_write,
    open_for_reading,
    open_for_writing,
)
from storage.lock import locked
from storage.mending import mend
from storage.reader import Reader
from storage.writer import Writer


@asynccontextmanager
async def open_store(
    path: Path, *, clock: Callable[[], float] = time.time
) -> AsyncIterator["SqliteStore"]:
    """Open the database at `path`, created if it is new, for this process alone.

    Raises ConfigError when it cannot be used. Leaving waits for what is still
    being written. `clock` says when a row was made, in seconds since 1970.
    """
    make_directory(path)
    with ExitStack() as stack:
        stack.enter_context(locked(path))
        writer = stack.enter_context(closing(Writer(open_for_writing(path))))
        reader = stack.enter_context(closing(Reader(open_for_reading(path))))
        now = clock()
        await writer.write(lambda db: mend(db, now=now))
        yield SqliteStore(reader.read, writer.write, path, clock=clock)


async def read_spending(path: Path, since: float) -> list[Spending]:
    """What `Store.spending` says, also while another process has the database.

    Raises ConfigError when there is no database of ours at `path`.
    """
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(
            lambda db: spending.spending(db, since=since, within=EVERYWHERE, person="")
        )


async def read_balances(
    path: Path, budgets: Sequence[Budget], now: float
) -> list[tuple[Budget, Balance]]:
    """How `budgets` stand, also while another process has the database; without one,
    nothing was spent."""
    try:
        opened = open_beside(path)
    except ConfigError:
        return [(cap, Balance()) for cap in budgets]
    with closing(Reader(opened)) as reader:
        return await reader.read(lambda db: ledger.standing(db, budgets, now=now))


async def read_opinions(path: Path, since: float) -> list[Opinion]:
    """How good readers found the answers that ended at or after `since`, oldest first;
    also while another process has the database.

    Raises ConfigError when there is no database of ours at `path`.
    """
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: thread_queries.opinions(db, since))


async def read_corrections(path: Path, since: float) -> list[TriageCase]:
    """Messages that were sorted, and that people corrected at or after `since`; also
    while another process has the database.

    Raises ConfigError when there is no database of ours at `path`.
    """
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: triage_cases.corrections(db, since))


@asynccontextmanager
async def open_rulebook(path: Path) -> AsyncIterator["SqliteStore"]:
    """Open the settings in the database at `path` to read and change them, also while
    another process has it.

    Raises ConfigError when there is no database of ours at `path`, or one whose
    tables are of another version.
    """
    with ExitStack() as stack:
        writer = stack.enter_context(closing(Writer(open_beside_to_write(path))))
        reader = stack.enter_context(closing(Reader(open_beside(path))))
        yield SqliteStore(reader.read, writer.write, path, clock=time.time)


class SqliteStore(Books):
    """A Store in a file; made by `open_store`. A database in memory has no `path`."""

    def __init__(
        self,
        read: Access,
        write: Access,
        path: Path | None,
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(read=read, write=write)
        self._path = path
        self._clock = clock

    async def hear(self, heard: Message, judge: Judge) -> Disposition:
        now = self._clock()
        return await self._write(lambda db: turns.hear(db, heard, judge=judge, now=now))

    async def move(self, thread: ThreadKey, to: ThreadKey) -> None:
        await self._write(lambda db: message_edits.move(db, thread, to=to))

    async def recall(self, thread: ThreadKey, message: str) -> str | None:
        return await self._read(lambda db: thread_queries.recall(db, thread, message))

    async def amend(self, heard: Message, content: str, now: float) -> None:
        await self._write(
            lambda db: message_edits.amend(db, heard, content=content, now=now)
        )

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None,
        now: float,
    ) -> None:
        await self._write(
            lambda db: erasures.erase(
                db,
                messages,
                platform=platform,
                workspace=workspace,
                channel=channel,
                now=now,
            )
        )

    async def hold(self, heard: Message, holder: str, now: float) -> None:
        await self._write(
            lambda db: erasures.hold(
                db,
                Scope.of(heard.thread).at(ScopeLevel.CHANNEL),
                heard.message,
                holder,
                now=now,
            )
        )

    async def forget(self, place: Scope, now: float) -> None:
        await self._write(lambda db: erasures.forget(db, place, now=now))

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        deleted = {**await super().clean_up(retention, now), "threads": 0}
        after: int | None = None if retention.threads is None else 0
        while after is not None:
            before, begin = now - (retention.threads or 0.0), after
            count, after = await self._write(
                partial(expiry.threads, before=before, after=begin)
            )
            deleted["threads"] += count
        if self._path is not None:
            await asyncio.to_thread(empty_log, self._path)
        return deleted

    async def renew(self, thread: ThreadKey) -> bool:
        return await self._write(lambda db: message_edits.renew(db, thread))

    async def askers(self, thread: ThreadKey) -> frozenset[str]:
        return await self._read(lambda db: thread_queries.askers(db, thread))

    async def facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        return await self._read(lambda db: thread_queries.facts(db, thread, turn))

    async def repeat(self, thread: ThreadKey, turn: str, now: float) -> bool:
        return await self._write(
            lambda db: message_edits.repeat(db, thread, turn=turn, now=now)
        )

    async def backfill(
        self, turn: Turn, history: Sequence[Message]
    ) -> list[TurnMessage]:
        return await self._write(lambda db: turns.backfill(db, turn, history=history))

    async def unread(self, thread: ThreadKey) -> bool:
        return await self._read(lambda db: thread_queries.unread(db, thread))

    async def open_threads(self) -> list[ThreadKey]:
        return await self._read(thread_queries.open_threads)

    async def waiting_threads(
        self, platforms: Collection[str], most: int, serves: Serves = all_threads
    ) -> list[WaitingThread]:
        return await self._read(lambda db: waiting.threads(db, platforms, most, serves))

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        return await self._read(lambda db: thread_queries.next_turn(db, thread))

    async def begin(self, turn: Turn, now: float) -> list[TurnMessage]:
        def write(db: Database) -> list[TurnMessage]:
            ledger.give_up(db, turn, now=now)
            return turns.begin(db, turn, now=now)

        return await self._write(write)

    async def freeze(
        self, turn: Turn, preface: str, contents: Mapping[str, str]
    ) -> None:
        await self._write(
            lambda db: turns.freeze(db, turn, preface=preface, contents=contents)
        )

    async def conversation(self, thread: ThreadKey) -> list[ChatMessage]:
        return await self._read(lambda db: thread_queries.conversation(db, thread))

    async def show(self, turn: Turn, shown: PostedPart, text: str, now: float) -> None:
        await self._write(
            lambda db: turns.show(db, turn, shown=shown, text=text, now=now)
        )

    async def unshow(self, turn: Turn, index: int) -> None:
        await self._write(lambda db: turns.unshow(db, turn, index=index))

    async def finish(
        self, turn: Turn, outcome: Outcome, now: float, caps: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        def write(db: Database) -> list[Alert]:
            if not turns.finish(db, turn, outcome=outcome, now=now):
                return []
            return ledger.settle(db, turn, outcome=outcome, now=now, caps=caps)

        return await self._write(write)

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        return await self._write(
            lambda db: turns.feedback(db, thread, turn=turn, good=good)
        )

    async def delivered(self, turn: Turn, now: float) -> None:
        await self._write(lambda db: turns.delivered(db, turn, now=now))

    async def hand_over(self, turn: Turn) -> None:
        await self._write(lambda db: turns.hand_over(db, turn))

    async def record_failure(self, turn: Turn, weight: int = 1) -> int:
        return await self._write(
            lambda db: turns.record_failure(db, turn, weight=weight)
        )

    async def abandon(self, turn: Turn, reason: str, now: float) -> None:
        def write(db: Database) -> None:
            turns.abandon(db, turn, reason=reason, now=now)
            ledger.forfeit(db, turn, now=now)

        await self._write(write)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        return await self._read(
            lambda db: thread_queries.threads(db, platform, channel)
        )

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        return await self._read(lambda db: thread_queries.newest(db, platform, since))

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        return await self._read(lambda db: thread_queries.transcript(db, thread))
