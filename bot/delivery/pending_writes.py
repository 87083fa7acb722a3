"""Holds the pending requests of replies, and the budgets that they count in. Pure.

`bot.delivery.write_budget` decides which requests are granted.
`bot.delivery.stream_choice` chooses one of several ways of writing a reply.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.delivery.agenda import Agenda, Group
from bot.delivery.bucket import Bucket, SlidingBucket
from bot.delivery.rate_budget import Names, Pending, RateBudget
from bot.delivery.standing import Standing
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey


class PendingWrites:
    """The requests of each reply, by the budgets of `rates`."""

    def __init__(self, rates: Mapping[WriteKind, Sequence[Rate]]) -> None:
        self._rates = rates
        scopes = [rate.scope for kind in rates.values() for rate in kind]
        self._is_one = RateLimitScope.BOT in scopes
        #: By workspace. `forget_idle` checks the first group next.
        self._groups: OrderedDict[str, Group] = OrderedDict()
        self.agenda = Agenda()
        #: By reply: its pending alternatives, the preferred one first.
        self.placed: dict[str, list[tuple[RateBudget, Pending]]] = {}
        self.standings: dict[str, Standing] = {}
        #: The buckets in which all kinds of writes count, by name.
        self._of_all: dict[str, Bucket] = {}
        #: The number of replies so far.
        self._asked = 0

    def group(self, thread: ThreadKey) -> Group:
        """Return the budgets that writes into `thread` depend on."""
        name = "" if self._is_one else RateLimitScope.WORKSPACE.of(thread)
        found = self._groups.get(name)
        if found is None:
            found = self._groups[name] = Group()
        return found

    def budgets(self) -> Iterator[RateBudget]:
        """Yield all budgets."""
        for group in self._groups.values():
            yield from group.budgets.values()

    def forget_idle(self, now: float) -> None:
        """Drop the full and unused budgets of one group.

        Each call checks another group.
        """
        if self._groups:
            name = next(iter(self._groups))
            self._groups[name].forget_idle(now)
            if self._groups[name].budgets:
                self._groups.move_to_end(name)
            else:
                del self._groups[name]

    def ask(self, request: WriteRequest, now: float, *others: WriteRequest) -> None:
        """Replace the pending requests of a reply by `request` or one of `others`."""
        reply = request.reply
        self.withdraw(reply)
        standing = self.standings.get(reply)
        if standing is None:
            self._asked += 1
            standing = self.standings[reply] = Standing(
                self._asked, now, request.thread
            )
        if request.kind not in (WriteKind.APPEND, WriteKind.CLOSE):
            # A reply that asks for another kind of write has no open stream.
            standing.release_stop(reply)
        for each in (request, *others):
            self._place(each, standing, now)
        self.group(request.thread).waiting += 1

    def _place(self, request: WriteRequest, standing: Standing, now: float) -> None:
        if request.turn and standing.owes_post:
            request = replace(
                request,
                turn=WriteKind.POST,
                priority=Priority.FIRST,
                earliest=float("-inf"),
            )
        kind, thread = request.turn or request.kind, request.thread
        budget, names = self.budget(kind, thread, now)
        starts = request.kind is WriteKind.OPEN
        stops = (
            self.budget(WriteKind.CLOSE, thread, now)
            if starts or request.turn
            else None
        )
        if stops is not None:
            stops[0].awaited.add(request.reply)
        pending = Pending(request, names, stops)
        budget.requests[request.priority][request.reply] = pending
        if request.reply not in budget.replies:
            budget.replies.add(request.reply)
            standing.budgets.append(budget)
        self.placed.setdefault(request.reply, []).append((budget, pending))

    def withdraw(self, reply: str) -> None:
        """Drop the pending requests of `reply`, if there are any."""
        placed = self.placed.pop(reply, None)
        if placed is None:
            return
        for budget, pending in placed:
            del budget.requests[pending.request.priority][reply]
            if pending.stops is not None:
                pending.stops[0].awaited.discard(reply)
        self.group(placed[0][1].request.thread).waiting -= 1

    def remove(self, reply: str) -> None:
        """Remove `reply`, which is finished and has no write in progress."""
        self.withdraw(reply)
        if standing := self.standings.pop(reply, None):
            standing.release_stop(reply)
            for budget in standing.budgets:
                budget.replies.discard(reply)

    def readers(self, thread: ThreadKey) -> set[str]:
        """Return the replies in the workspace of `thread` that are edited, or will
        be."""
        edits, posts, stops = (
            self._find_budget(kind, thread)
            for kind in (WriteKind.EDIT, WriteKind.POST, WriteKind.CLOSE)
        )
        readers = set(edits.replies) if edits else set()
        if posts:
            # Streams that nobody else reads do not wait for edits.
            readers |= posts.replies - (stops.streaming if stops else set())
        return readers

    def is_crowded(self, thread: ThreadKey, now: float) -> bool:
        """Return whether posts in the channel of `thread` are about as scarce as edits.

        They are if posting one message for each reply in the channel takes at least
        half as long as editing each reply in the workspace once.
        """
        posts, channel = self.budget(WriteKind.POST, thread, now)
        edits, workspace = self.budget(WriteKind.EDIT, thread, now)
        post, edit = posts.buckets[channel].rate, edits.buckets[workspace].rate
        if post is None or edit is None:
            return False
        threads = [each.thread for each in self.standings.values()]
        here = sum(post.scope.of(each) == channel[-1] for each in threads)
        all_ = sum(edit.scope.of(each) == workspace[-1] for each in threads)
        take = here * post.seconds / post.count
        # A single reply here says nothing about the replies of other processes.
        return here > 1 and take >= all_ * edit.seconds / edit.count / 2

    def alternative(
        self, reply: str, kind: WriteKind
    ) -> tuple[RateBudget, Pending] | None:
        """Return the pending request of `reply` for a write of this `kind`, or None."""
        placed = self.placed[reply]
        return next((each for each in placed if each[1].request.kind is kind), None)

    def turn_of(self, reply: str) -> tuple[bool, float, int]:
        """Return the position of `reply` in the order of edits.

        Replies that were not posted yet come after all others.
        """
        standing = self.standings[reply]
        is_new = standing.shared == float("-inf")
        return is_new, standing.shared, standing.asked

    def in_order(self, requests: Iterable[Pending], kind: WriteKind) -> list[Pending]:
        """Sort requests of one priority for writes of this `kind`, the first to grant
        first."""
        appends = kind is WriteKind.APPEND
        return sorted(requests, key=self._order_of_appends if appends else self._order)

    def _order(self, pending: Pending) -> tuple[float, int]:
        standing = self.standings[pending.request.reply]
        return standing.shared, standing.asked

    def _order_of_appends(self, pending: Pending) -> tuple[float, int]:
        standing = self.standings[pending.request.reply]
        return standing.granted, standing.asked

    def budget(
        self, kind: WriteKind, thread: ThreadKey, now: float
    ) -> tuple[RateBudget, Names]:
        """Return the budget and the scopes in which a write into `thread` counts."""
        rates: Sequence[Rate | None] = self._rates.get(kind) or (None,)
        names = tuple([r.scope.of(thread) if r else str(thread) for r in rates])
        budgets = self.group(thread).budgets
        budget = budgets.get((kind, names[0]))
        if budget is None:
            budget = budgets[kind, names[0]] = RateBudget(kind)
        for length, rate in enumerate(rates, start=1):
            if names[:length] not in budget.buckets:
                bucket = self._bucket(rate, kind, names[length - 1], now)
                budget.buckets[names[:length]] = bucket
        return budget, names

    def _find_budget(self, kind: WriteKind, thread: ThreadKey) -> RateBudget | None:
        """Return the budget in which a write into `thread` counts, or None if it is
        unknown."""
        rates = self._rates.get(kind)
        widest = rates[0].scope.of(thread) if rates else str(thread)
        return self.group(thread).budgets.get((kind, widest))

    def _bucket(
        self, rate: Rate | None, kind: WriteKind, name: str, now: float
    ) -> Bucket:
        type_ = SlidingBucket if rate and rate.slides else Bucket
        bucket = type_(rate, now, kind=kind, name=name)
        if rate and rate.scope is RateLimitScope.BOT:
            return self._of_all.setdefault(name, bucket)
        return bucket
