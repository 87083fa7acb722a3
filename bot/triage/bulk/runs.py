"""A run: the classification of one file.

Rule: everything that is needed to resume a run is in the archive, so that the run
survives any end of the process.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.claude.batches import Batches
from bot.claude.client import ClaudeClient
from bot.errors import StorageError
from bot.ports.archive import Row, Run, RunnerStore, RunStore, Tally, every
from bot.schemes.scheme import Scheme, read
from bot.triage.answer import EMPTY, FREE, PAID, Answer, digest
from bot.triage.bulk.batches import BatchClassifier
from bot.triage.bulk.concurrent import AT_ONCE, ConcurrentClassifier, Question
from bot.triage.bulk.reader import Findings, Source
from bot.triage.bulk.spend_limit import SpendLimit
from bot.triage.bulk.ticket_text import text_of


async def begin(
    archive: RunStore,
    source: Source,
    *,
    scheme: str,
    model: str,
    batched: bool,
    outputs: Sequence[tuple[str, str]],
    budget: float | None = None,
    again: bool = False,
    found: Findings | None = None,
    now: Callable[[], float] = time.time,
) -> Run:
    """Store all rows of `source` as a run, and count in `found`; no call is made yet.

    Answers of earlier runs are reused. Marked tickets that cost nothing are tried
    again, and with `again` all marked tickets. Raises ConfigError for a row that cannot
    be read.
    """
    scheme_digest = read(scheme).digest
    run = Run(
        id=secrets.token_hex(3),
        at=now(),
        source=source.name,
        columns=source.columns,
        texts=source.texts,
        id_column=source.id,
        scheme=scheme,
        model=model,
        batched=batched,
        outputs=tuple(outputs),
        budget=budget,
    )

    def rows() -> Iterator[tuple[Row, Answer | None]]:
        for ticket in source.tickets(found):
            said = f"{ticket.problem}\0{ticket.text}" if ticket.problem else ticket.text
            name = digest(said, scheme_digest, model)
            reason = ticket.problem or ("" if ticket.text else EMPTY)
            answer = Answer(reason=reason) if reason else None
            yield Row(ticket.position, name, ticket.row), answer

    run = await archive.begin(run, rows())
    await refresh(archive, run, again=again)
    return run


async def refresh(archive: RunStore, run: Run, *, again: bool = False) -> None:
    """Reopen marked rows that cost nothing, and with `again` all marked rows."""
    await archive.again(run.id, (*FREE, *PAID) if again else FREE)


@dataclass
class Progress:
    """The progress of a run, for display."""

    #: Questions, not rows: tickets with the same text are one question.
    total: int = 0
    done: int = 0
    marked: int = 0
    #: The number of rows of these questions.
    rows: int = 0
    #: Answers since this process began, and their cost in USD.
    fresh: int = 0
    cost: float = 0.0
    #: Results in open batches that are not stored yet.
    waiting: int = 0

    def begin(self, tally: Tally) -> None:
        """Start from the stored answers."""
        self.total, self.done = tally.questions, tally.settled
        self.rows, self.marked = tally.rows, tally.given_up

    @property
    def expected(self) -> float | None:
        """The expected cost of this process in USD; None without new answers to derive
        it from."""
        if not self.fresh:
            return self.cost if self.done >= self.total else None
        return self.cost + (self.total - self.done) * self.cost / self.fresh


@dataclass
class Runner:
    """Classifies the rest of a run."""

    archive: RunnerStore
    run: Run
    client: ClaudeClient
    at_once: int = AT_ONCE
    clock: Callable[[], float] = time.time
    #: Called after each answer.
    on_progress: Callable[[Progress], None] = lambda progress: None
    #: Called with the reason when calls begin to fail.
    on_trouble: Callable[[str], None] = lambda why: None
    progress: Progress = field(default_factory=Progress)
    #: When set, no new call is made; running calls are finished.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def classify(self) -> None:
        """Classify the remaining tickets. Raises the exceptions of
        `ConcurrentClassifier.classify` and `BatchClassifier.classify`, with all answers
        so far stored."""
        tally = await self.archive.tally(self.run.id)
        self.progress.begin(tally)
        scheme = read(self.run.scheme)
        if self.run.batched:
            await self._classify_in_batches(scheme, tally)
        else:
            await self._classify_concurrently(scheme, tally)

    async def _classify_in_batches(self, scheme: Scheme, tally: Tally) -> None:
        run = self.run
        classifier = BatchClassifier(
            Batches(self.client),
            scheme,
            run.model,
            self.archive,
            run.id,
            # Without `record`: a batch is stored with its maximum cost before it is
            # sent.
            SpendLimit(run.budget, tally.cost),
            on_processed=self._count_processed,
            on_answer=self._count,
            now=self.clock,
            on_trouble=self.on_trouble,
        )
        await classifier.classify(self._questions)

    async def _classify_concurrently(self, scheme: Scheme, tally: Tally) -> None:
        run = self.run
        limit = SpendLimit(run.budget, tally.cost, partial(self.archive.lose, run.id))
        classifier = ConcurrentClassifier(
            self.client,
            scheme,
            run.model,
            at_once=self.at_once,
            spend_limit=limit,
            now=self.clock,
            stopping=self.stopping,
            on_trouble=self.on_trouble,
        )
        try:
            await classifier.classify(self._questions(), self._store)
        finally:
            # A record that cannot be corrected stays too high, never too low.
            with contextlib.suppress(StorageError):
                await limit.close()

    async def _questions(self) -> AsyncIterator[Question]:
        async for row in every(partial(self.archive.pending, self.run.id)):
            tries = row.answer.tries if row.answer else 0
            yield Question(row.digest, text_of(row.row, self.run.texts), tries)

    async def _store(self, question: Question, answer: Answer) -> None:
        await self.archive.put(
            [(question.name, answer)], self.run.model, self.clock(), 0
        )
        self._count(answer)

    def _count(self, answer: Answer) -> None:
        progress = self.progress
        progress.cost += answer.cost or 0.0
        if answer.done:
            progress.done += 1
            progress.fresh += 1
            progress.marked += answer.values is None
        self.on_progress(progress)

    def _count_processed(self, count: int) -> None:
        self.progress.waiting = count
        self.on_progress(self.progress)
