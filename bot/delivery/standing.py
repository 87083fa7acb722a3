"""The values by which `bot.delivery.write_budget` orders the writes of replies."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.delivery.bucket import Bucket
from bot.delivery.rate_budget import Names, RateBudget
from bot.domain.platform import WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import Use


@dataclass(frozen=True, slots=True)
class Spent:
    """The use of `bucket` of `budget` for a write."""

    bucket: Bucket
    budget: RateBudget
    use: Use = Use.TAKE
    #: As in `bot.domain.shared_rate.RateAsk`.
    known: int | None = None

    @property
    def takes(self) -> bool:
        """True if the write counts in the bucket."""
        return self.use is Use.TAKE


@dataclass(slots=True)
class Standing:
    """The values that order a reply among requests of the same priority."""

    #: The reply's place in the order of first requests.
    asked: int
    asked_at: float
    thread: ThreadKey
    granted: float = float("-inf")
    #: The last time at which all readers could see what the reply wrote.
    shared: float = float("-inf")
    #: Whether the reply streams in place of a post that would have waited.
    owes_post: bool = False
    #: The budget of stops, while a stop is kept for the reply's stream.
    stops: RateBudget | None = None
    budgets: list[RateBudget] = field(default_factory=list)
    #: Whether other processes came first; if so, the chosen way of a first text stays.
    refused: bool = False
    #: The tokens that the reply's write in progress took.
    spent: list[Spent] = field(default_factory=list)
    #: The values of `granted`, `shared`, `owes_post` and `stops` before the last grant.
    before: tuple[float, float, bool, RateBudget | None] = (0.0, 0.0, False, None)

    def unseen_since(self, kind: WriteKind) -> float:
        """Return since when readers had seen nothing new, before the write in progress.

        The readers are those who see a write of this `kind`. If they had seen nothing
        at all, return the time of the reply's first request.
        """
        granted, shared, _, _ = self.before
        if kind is WriteKind.APPEND and granted > float("-inf"):
            return granted
        return shared if shared > float("-inf") else self.asked_at

    def begin(self) -> None:
        """Save the values that `undo` restores, before a write is granted."""
        self.before = (self.granted, self.shared, self.owes_post, self.stops)

    def spend(
        self, budget: RateBudget, buckets: Iterable[Bucket], use: Use = Use.TAKE
    ) -> None:
        """Count a write of `budget` that uses `buckets`."""
        self.note(*(Spent(each, budget, use) for each in buckets))

    def note(self, *spent: Spent) -> None:
        """Record the uses in `spent` until the write completes."""
        for each in spent:
            each.bucket.looked_at += not each.takes
        self.spent += spent

    def look(self, looks: Iterable[Spent]) -> None:
        """Record the `looks` at shared rows by which the write in progress was
        chosen."""
        taken = {id(each.bucket): nth for nth, each in enumerate(self.spent)}
        for look in looks:
            if (nth := taken.get(id(look.bucket))) is not None:
                self.spent[nth] = replace(self.spent[nth], known=look.known)
            else:
                self.note(look)

    def complete(self) -> None:
        """Stop counting the write in progress."""
        for each in self.spent:
            each.bucket.in_progress -= each.takes
            each.bucket.looked_at -= not each.takes
        self.spent.clear()

    def undo(self, reply: str) -> None:
        """Restore the values from before the last write was granted."""
        self.refused = True
        for each in self.spent:
            if each.takes:
                each.bucket.give_back()
        self.release_stop(reply)
        self.granted, self.shared, self.owes_post, self.stops = self.before
        if self.stops is not None:
            self.stops.streaming.add(reply)

    def keep_stop(self, reply: str, stops: RateBudget, names: Names) -> None:
        """Keep a stop for the stream that `reply` opens."""
        self.spend(stops, stops.within(names), Use.KEEP)
        self.stops = stops
        stops.streaming.add(reply)

    def release_stop(self, reply: str) -> None:
        """Release the stop that is kept for the stream of `reply`."""
        if self.stops is not None:
            self.stops.streaming.discard(reply)
            self.stops = None


@dataclass(frozen=True, slots=True)
class BucketUse:
    """The remaining writes of one kind in one scope."""

    kind: WriteKind
    names: Names
    #: How many are allowed at once: now, and at most.
    left: float
    most: float
    #: Seconds until the platform allows any again.
    closed: float
    #: How many replies wait for such a write.
    waiting: int


@dataclass(frozen=True, slots=True)
class ActiveReplies:
    """The replies of one workspace that are being written."""

    #: Their positions in the order of edits, sorted.
    turns: list[tuple[bool, float, int]]
    #: The last of the replies that may be posted now, as many as streams may be opened:
    #: the later a reply's edit, the longer the reply can be a stream.
    streams: frozenset[str]
    #: How many replies wait for a post, by the scopes that the post counts in.
    waiting: Counter[Names]
