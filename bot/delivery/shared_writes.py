"""One process's part in the writes that all processes share. Pure.

The process decides among its own replies with its `WriteBudget`, as if it were alone.
For each write that the budget grants, it asks the rows of `bot.domain.shared_rate`,
takes over the state that they return, and retries later if they refuse the write.

Rule: a thread has one process at a time, so limits within a thread are not shared.
Limits for the whole bot are shared where their calls are made.
"""

from collections.abc import Sequence

from bot.delivery.bucket import Bucket
from bot.delivery.standing import Spent
from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Rate, RateLimitScope, WriteKind
from bot.domain.shared_rate import Level, RateAsk, RateState, Use

SHARED = (RateLimitScope.WORKSPACE, RateLimitScope.CHANNEL)

LEVELS = {
    Priority.FINAL: Level.FINAL,
    Priority.FIRST: Level.FIRST,
    Priority.TIDY: Level.TIDY,
}


#: A scope, the kind of write there, and the allowed rate.
Closed = tuple[str, WriteKind, Rate]


class SharedWrites:
    """The writes of `budget` that other processes agree to."""

    def __init__(self, budget: WriteBudget) -> None:
        self._budget = budget
        #: The last known number of processes.
        self._processes = 1

    def asks(self, request: WriteRequest, now: float) -> tuple[RateAsk, ...]:
        """Return the questions to the shared rows about `request`, which was
        granted."""
        age = now - self._budget.unseen_since(request)
        level = LEVELS.get(request.priority, Level.REFRESH)
        return tuple(
            RateAsk(
                *(each.bucket.name, each.bucket.kind, rate, level),
                use=each.use,
                replies=self._replies(each, request, level, now),
                streams=_streams(each),
                age=age,
                known=each.known,
            )
            for each in self._shared_uses(request.reply)
            if (rate := each.bucket.whole) is not None
        )

    def settle(
        self, request: WriteRequest, states: Sequence[RateState] | None, now: float
    ) -> bool:
        """Return whether `request` may be written, after its questions were answered.

        `states` are the answers. None means that the rows could not be asked, so the
        process keeps to its share.
        """
        spent = self._shared_uses(request.reply)
        self._budget.changed(request.reply)
        if states is None:
            for each in spent:
                each.bucket.keep_to_share(self._processes, now)
            return True
        wait = max((each.wait for each in states), default=0.0)
        if wait:
            self._budget.refuse(request.reply)
        for each, state in zip(spent, states, strict=True):
            each.bucket.agree(state, now)
            self._processes = max(1, state.processes)
            if state.wait and each.use in (Use.TAKE, Use.TURN):
                each.bucket.held = request.priority, now + state.wait
        return not wait

    def closed(self, bucket: Bucket) -> Closed | None:
        """Return the report of a bucket that the platform closed; None if it is not
        shared."""
        if bucket.whole is None or bucket.whole.scope not in SHARED:
            return None
        return bucket.name, bucket.kind, bucket.whole

    def _shared_uses(self, reply: str) -> list[Spent]:
        """Return the shared uses of the write granted to `reply`.

        They are in the order in which every process locks the rows.
        """
        spent = [
            each
            for each in self._budget.spent(reply)
            if each.bucket.whole is not None and each.bucket.whole.scope in SHARED
        ]
        return sorted(spent, key=lambda e: (e.bucket.name, e.bucket.kind.value))

    def _replies(
        self, spent: Spent, request: WriteRequest, level: Level, now: float
    ) -> int:
        if spent.bucket.kind is WriteKind.POST:
            waiting = spent.budget.waiting()
            return sum(
                n for names, n in waiting.items() if names[-1] == spent.bucket.name
            )
        if spent.bucket.kind is WriteKind.EDIT:
            replies = len(self._budget.readers(request.thread))
        else:
            replies = len(spent.budget.replies)
        # A reply that ends no longer streams.
        return replies - (level is Level.FINAL)


def _streams(spent: Spent) -> int:
    """Return how many streams of this process have a stop kept for them.

    A stream that is being opened is not counted.
    """
    if spent.bucket.kind is not WriteKind.CLOSE:
        return 0
    return len(spent.budget.streaming) - (not spent.takes)
