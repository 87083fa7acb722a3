"""One file, from its first row to its last answer.

Rule: everything that a run needs to go on is in the archive, so that it survives
whatever ends the process.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import anthropic

from bot.errors import StorageError
from bot.ports.archive import Archive, Row, Run, Tally, every
from bot.schemes.scheme import read
from bot.triage.answer import EMPTY, FREE, PAID, Answer, digest
from bot.triage.bulk import batches, concurrent
from bot.triage.bulk.concurrent import Question
from bot.triage.bulk.reader import Source, text_of
from bot.triage.bulk.spend_limit import SpendLimit


async def begin(
    archive: Archive,
    source: Source,
    *,
    scheme: str,
    model: str,
    batched: bool,
    outputs: Sequence[tuple[str, str]],
    budget: float | None = None,
    again: bool = False,
    now: Callable[[], float] = time.time,
) -> Run:
    """Take in all of `source`; nobody is asked yet.

    What an earlier run has answered is answered; what was marked and cost nothing is
    to be asked about again, and with `again` whatever was marked. Raises ConfigError
    for a row that cannot be read.
    """
    sorted_by = read(scheme).digest
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
        for ticket in source.tickets():
            name = digest(ticket.text, sorted_by, model)
            answer = None if ticket.text else Answer(reason=EMPTY)
            yield Row(ticket.position, name, ticket.row), answer

    run = await archive.begin(run, rows())
    await refresh(archive, run, again=again)
    return run


async def refresh(archive: Archive, run: Run, *, again: bool = False) -> None:
    """Let rows be asked about that were marked before: those that cost nothing, and
    with `again` all of them."""
    await archive.again(run.id, (*FREE, *PAID) if again else FREE)


@dataclass
class Progress:
    """How far a run is, for whoever shows it."""

    #: Questions, not rows: those that read the same are asked once.
    total: int = 0
    done: int = 0
    marked: int = 0
    #: In USD, of this run's questions, answers from before included.
    cost: float = 0.0
    #: Answers that came, and what they cost, since this process began.
    fresh: int = 0
    fresh_cost: float = 0.0
    #: Requests that a batch has answered and that are not read yet.
    waiting: int = 0

    def begin(self, tally: Tally) -> None:
        """Start from what is there already."""
        self.total, self.done = tally.questions, tally.settled
        self.marked, self.cost = tally.given_up, tally.cost

    @property
    def expected(self) -> float | None:
        """What all of it will cost, in USD; None where nothing tells yet."""
        if not self.fresh:
            return self.cost if self.done >= self.total else None
        return self.cost + (self.total - self.done) * self.fresh_cost / self.fresh


@dataclass
class Runner:
    """Has the rest of a run asked about."""

    archive: Archive
    run: Run
    client: anthropic.AsyncAnthropic
    at_once: int = concurrent.AT_ONCE
    clock: Callable[[], float] = time.time
    #: Told after each answer.
    told: Callable[[Progress], None] = lambda progress: None
    #: Told why nothing is answered, when that begins.
    troubled: Callable[[str], None] = lambda why: None
    progress: Progress = field(default_factory=Progress)
    #: Set it, and nothing more is asked; what is under way is waited for.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def sort(self) -> None:
        """Ask until nothing is left. Raises what `now.Direct.sort` and
        `batches.Batched.sort` do, with all that came so far kept."""
        run, scheme = self.run, read(self.run.scheme)
        tally = await self.archive.tally(run.id)
        self.progress.begin(tally)
        purse = SpendLimit(run.budget, tally.cost, partial(self.archive.lose, run.id))
        if run.batched:
            # A batch is noted with what it may cost before it is sent.
            purse = SpendLimit(run.budget, tally.cost)
            batched = batches.BatchClassifier(
                self.client,
                scheme,
                run.model,
                self.archive,
                run.id,
                purse,
                moved=self._moved,
                noted=self._noted,
                now=self.clock,
                troubled=self.troubled,
            )
            await batched.sort(self._questions)
            return
        direct = concurrent.ConcurrentClassifier(
            self.client,
            scheme,
            run.model,
            at_once=self.at_once,
            purse=purse,
            now=self.clock,
            stopping=self.stopping,
            troubled=self.troubled,
        )
        try:
            await direct.sort(self._questions(), self._keep)
        finally:
            # What cannot be taken back now counts as spent, which is never too little.
            with contextlib.suppress(StorageError):
                await purse.close()

    async def _questions(self) -> AsyncIterator[Question]:
        async for row in every(partial(self.archive.pending, self.run.id)):
            tries = row.answer.tries if row.answer else 0
            yield Question(row.digest, text_of(row.row, self.run.texts), tries)

    async def _keep(self, question: Question, answer: Answer) -> None:
        await self.archive.put(
            [(question.name, answer)], self.run.model, self.clock(), 0
        )
        self._noted(answer)

    def _noted(self, answer: Answer) -> None:
        said = self.progress
        said.cost += answer.cost or 0.0
        said.fresh_cost += answer.cost or 0.0
        if answer.done:
            said.done += 1
            said.fresh += 1
            said.marked += answer.values is None
        self.told(said)

    def _moved(self, done: int) -> None:
        self.progress.waiting = done
        self.told(self.progress)
