"""What triage remembers, as it asks for it.

Every verb is one transaction, durable on return, and may raise StorageError.
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

# How many rows are in memory at once, of those that are walked through.
_PAGE = 1_000

#: States of a run.
OPEN, DONE = "open", "done"


@dataclass(frozen=True, slots=True)
class Run:
    """One file that is sorted, from the first row read to the last written."""

    id: str
    #: In seconds since 1970.
    at: float
    #: What people called the file.
    source: str
    columns: tuple[str, ...]
    #: Those of `columns` that make up the ticket.
    texts: tuple[str, ...]
    #: The one that names a row; "" for none.
    id_column: str
    #: The scheme as YAML.
    scheme: str
    model: str
    #: Whether through batches.
    batched: bool
    #: Where it goes: (a path or "-", the form).
    outputs: tuple[tuple[str, str], ...]
    #: In USD; None for any.
    budget: float | None = None
    state: str = OPEN
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a run, and what became of it so far."""

    position: int
    digest: str
    row: Mapping[str, Any]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a run is, in rows; rows that read the same count each."""

    rows: int = 0
    #: With values.
    sorted: int = 0
    #: By reason.
    marked: Mapping[str, int] = field(default_factory=dict)
    #: Tickets, those that read the same counted once: in all, and those of which
    #: nothing more is to be asked.
    questions: int = 0
    settled: int = 0
    #: What they were asked cost, in this run or an earlier one; with what is `lost`.
    cost: float = 0.0
    #: In USD: what calls may be billed at of which no answer came.
    lost: float = 0.0
    #: How many of them cost what nobody knows.
    unpriced: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def given_up(self) -> int:
        """Rows that are marked."""
        return sum(self.marked.values())

    @property
    def left(self) -> int:
        """Rows that are still to be asked about."""
        return self.rows - self.sorted - self.given_up


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, as it was or is about to be sent."""

    key: int
    run: str
    #: Claude's id of it; "" while nobody knows whether it arrived.
    batch: str
    #: When it was about to be sent, in seconds since 1970.
    at: float
    requests: int
    #: In USD: the most that it can cost.
    most: float
    collected: bool = False


async def every(page: Callable[[int, int], Awaitable[list[Row]]]) -> AsyncIterator[Row]:
    """All rows of which `page` gives those behind a position, at most so many."""
    after = 0
    while found := await page(after, _PAGE):
        for row in found:
            yield row
        after = found[-1].position


class Archive(Protocol):
    """Runs, their rows, answers and batches."""

    async def begin(self, run: Run, rows: Iterable[tuple[Row, Answer | None]]) -> Run:
        """Keep all of `rows`, and the answers of those that need no asking.

        Comes to the open run of the same rows and way instead, if there is one, with
        what `run` says of outputs and budget.
        """
        ...

    async def run(self, id: str) -> Run | None: ...

    async def runs(self) -> list[Run]:
        """The newest first."""
        ...

    async def finish(self, run: str) -> None:
        """The run is over: forget its rows, and keep its answers."""

    async def pending(self, run: str, after: int, most: int) -> list[Row]:
        """Rows behind position `after` that are to be asked about, at most so many;
        of those that read the same the first only."""
        ...

    async def rows(self, run: str, after: int, most: int) -> list[Row]:
        """Rows behind position `after` with their answers, at most so many."""
        ...

    async def put(
        self, answers: Sequence[tuple[str, Answer]], model: str, at: float, batch: int
    ) -> None:
        """Keep what one more try at each of some tickets came to, by their digests.

        What they cost is added up. The results of a batch, which is named by its key
        (0 for none), count once however often they come. Values stay as they are.
        """

    async def again(self, run: str, reasons: Sequence[str]) -> int:
        """Let those tickets of a run be asked about once more that are marked with one
        of `reasons`, or what begins with one; say how many there are."""
        ...

    async def tally(self, run: str) -> Tally: ...

    async def duplicates(self, run: str, column: str) -> list[str]:
        """What more than one row has in `column`, a few of them."""
        ...

    async def counts(self, run: str, field: str) -> dict[str, int]:
        """How often each value of `field` was chosen."""
        ...

    async def send(self, sent: Sent) -> Sent:
        """Note that a batch is about to be sent; its key is given here."""
        ...

    async def sent(self, run: str | None) -> list[Sent]:
        """All batches of a run, or of all runs, in order."""
        ...

    async def arrived(self, key: int, batch: str) -> None:
        """Note Claude's id of a batch; "" as an id drops one that never arrived."""

    async def collected(self, key: int) -> None:
        """All that a batch has is kept."""

    async def lose(self, run: str, usd: float) -> None:
        """Add `usd` to what a run may be billed beyond what its answers say, which
        counts as spent; below 0, take back what was added before."""
