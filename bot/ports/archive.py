"""Ports of the archive of bulk triage: runs, their rows, answers and batches.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.completion import Usage
from bot.triage.answer import Answer

# The number of rows that `every` reads per query.
_PAGE = 1_000

#: States of a run.
OPEN, DONE = "open", "done"


@dataclass(frozen=True, slots=True)
class Run:
    """The classification of one file."""

    id: str
    #: Start, in seconds since 1970.
    at: float
    #: The file as it was given.
    source: str
    columns: tuple[str, ...]
    #: The columns that form the text of a ticket.
    texts: tuple[str, ...]
    #: The column with the row ids, or "" for none.
    id_column: str
    #: The scheme as YAML.
    scheme: str
    model: str
    #: Whether the run uses the batch API.
    batched: bool
    #: (path or "-", format) of each output.
    outputs: tuple[tuple[str, str], ...]
    #: In USD; None for no limit.
    budget: float | None = None
    state: str = OPEN
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a run, with its answer so far."""

    position: int
    digest: str
    row: Mapping[str, Any]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The state of a run, in rows; identical rows count separately."""

    rows: int = 0
    #: Rows with values.
    sorted: int = 0
    #: Rows without values, by reason.
    marked: Mapping[str, int] = field(default_factory=dict)
    #: Distinct tickets, and those that need no further call.
    questions: int = 0
    settled: int = 0
    #: In USD: the cost of the calls for these tickets, in this run or an earlier one,
    #: plus `lost`.
    cost: float = 0.0
    #: In USD: an upper bound on the cost of calls that got no answer.
    lost: float = 0.0
    #: Number of calls whose cost is unknown.
    unpriced: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def given_up(self) -> int:
        """Number of rows without values that need no further call."""
        return sum(self.marked.values())

    @property
    def left(self) -> int:
        """Number of rows that need a call."""
        return self.rows - self.sorted - self.given_up


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch of requests, stored before it is sent."""

    key: int
    run: str
    #: The API's id; "" until it is known whether the batch arrived.
    batch: str
    #: Time before sending, in seconds since 1970.
    at: float
    requests: int
    #: Upper bound on the cost of the batch, in USD.
    most: float
    collected: bool = False


async def every(page: Callable[[int, int], Awaitable[list[Row]]]) -> AsyncIterator[Row]:
    """Yield all rows. `page(after, most)` returns at most `most` rows after position
    `after`."""
    after = 0
    while found := await page(after, _PAGE):
        for row in found:
            yield row
        after = found[-1].position


class RunStore(Protocol):
    """Runs, from the first row read to the last written."""

    async def begin(self, run: Run, rows: Iterable[tuple[Row, Answer | None]]) -> Run:
        """Store `run` with `rows`, and the answers of those rows that need no call.

        If an open run with the same rows and model exists, update its outputs and
        budget from `run` and return the existing run.
        """
        ...

    async def run(self, id: str) -> Run | None:
        """Return the run with this id."""
        ...

    async def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        ...

    async def finish(self, run: str) -> None:
        """Mark the run as done. Deletes the rows of the run and keeps its answers."""

    async def again(self, run: str, reasons: Sequence[str]) -> int:
        """Reset the attempts of the run's tickets whose reason begins with one of
        `reasons`.

        These tickets are then asked again. Returns their number.
        """
        ...


class AnswerStore(Protocol):
    """Answers, keyed by the digest of the question."""

    async def pending(self, run: str, after: int, most: int) -> list[Row]:
        """Return at most `most` rows after position `after` that need a call.

        Of identical rows, only the first is returned.
        """
        ...

    async def put(
        self, answers: Sequence[tuple[str, Answer]], model: str, at: float, batch: int
    ) -> None:
        """Store the result of one more attempt at each ticket, as (digest, answer).

        Costs are added up. The results of the batch with the key `batch` (0 for none)
        count once, however often they arrive. Existing values are never replaced.
        """

    async def tally(self, run: str) -> Tally:
        """Return the state of a run."""
        ...

    async def lose(self, run: str, usd: float) -> None:
        """Add `usd` to the amount that a run may be billed beyond the cost of its
        answers.

        The amount counts as spent. A negative `usd` takes back an earlier amount.
        """


class ResultStore(Protocol):
    """The rows of a run with their answers, for its output."""

    async def rows(self, run: str, after: int, most: int) -> list[Row]:
        """Return at most `most` rows after position `after` with their answers."""
        ...

    async def duplicates(self, run: str, column: str) -> list[str]:
        """Return a few non-blank values that occur in `column` in more than one row."""
        ...

    async def counts(self, run: str, field: str) -> dict[str, int]:
        """Return the number of rows by value of `field`."""
        ...


class BatchStore(Protocol):
    """Batches that were sent to the API."""

    async def send(self, sent: Sent) -> Sent:
        """Store a batch before it is sent, and return it with its key."""
        ...

    async def sent(self, run: str | None) -> list[Sent]:
        """Return the batches of a run, or of all runs if it is None, in order."""
        ...

    async def arrived(self, key: int, batch: str) -> None:
        """Store the API's id of a batch, or delete the batch if the id is "": it never
        arrived."""

    async def collected(self, key: int) -> None:
        """Record that all results of a batch are stored."""


class RunnerStore(AnswerStore, BatchStore, Protocol):
    """The part of the archive that the execution of a run uses."""


class Archive(RunStore, AnswerStore, ResultStore, BatchStore, Protocol):
    """All ports of the archive, for code that handles a run from start to finish."""
