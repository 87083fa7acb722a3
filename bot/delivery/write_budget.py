"""Distributes the writes that a platform allows among all streaming replies. Pure.

Rule 1: this file never waits, never sends and never reads a clock. Callers pass the
time in and carry out the granted requests.

Rule 2: a reply has at most one pending request, which always sends the latest text. So
a stale edit cannot queue.

Rule 3: requests are granted in the order final text, first text, refresh, placeholder,
tidying. Within a priority, the reply goes first whose readers have seen nothing new for
the longest: it has the most to show, so the mean lag is the shortest. Of each burst,
one write for each streaming reply, but not the whole burst, is kept for final and first
texts. Refreshes get the rest, and they come sooner the more of it is left. So nothing
starves: final and first texts are finite, and refreshes take turns.

Rule 4: a write in progress may reach the platform at any moment. Until it completes, it
counts as made now, so that delayed writes do not arrive together with later ones.

Rule 5: after a rate limit error, its scope grants nothing until the given time. Other
kinds of writes go on.

Rule 6: `bot.delivery.stream_choice` chooses among several ways of writing a reply.

Rule 7: a stream is opened only if its stop is kept for it, so that every stop is
granted at once.

Rule 8: readers other than the asker see appended text only when the stream is stopped.
They see no less than with posts and edits alone. A stream keeps the place of its
message in the order of edits, or in the order of posts if its post would have waited,
and is stopped when its turn comes. Opening a stream also takes the token of the
replaced post, so that no other post is made earlier with less text, unless posts are as
scarce as edits. Stopping a stream takes no token of an edit.
"""

from collections.abc import Sequence

from bot.delivery.bucket import ROUNDING, Bucket
from bot.delivery.pending_writes import PendingWrites
from bot.delivery.rate_budget import Pending, RateBudget
from bot.delivery.standing import BucketUse, Spent
from bot.delivery.stream_choice import StreamChoice
from bot.delivery.write_request import PRIORITIES, Priority, WriteRequest
from bot.domain.platform import Limits, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import Use


class WriteBudget:
    """Decides which replies may write now, within the `limits` of one platform."""

    def __init__(self, limits: Limits) -> None:
        self._pending = PendingWrites(limits.rates)
        self._choice = StreamChoice(self._pending)

    def ask(self, request: WriteRequest, now: float, *others: WriteRequest) -> float:
        """Replace the pending requests of a reply by `request` or one of `others`.

        Return the earliest time at which `grant` may return a request because of that.
        Other replies can write sooner only if this reply gives up a stop.
        """
        reply = request.reply
        standing = self._pending.standings.get(reply)
        kept = standing.stops if standing else None
        self._pending.ask(request, now, *others)
        if kept is not None and self._pending.standings[reply].stops is None:
            self.changed(reply)
            return now
        placed = self._pending.placed[reply]
        for budget, each in placed:
            each.refill(budget, now)
        ready = min(each.ready(budget) for budget, each in placed)
        group = self._pending.group(request.thread)
        if ready < group.soonest:
            self._pending.agenda.put(group, ready)
        return ready

    def withdraw(self, reply: str) -> None:
        """Drop the pending requests of `reply`, if there are any."""
        self._pending.withdraw(reply)

    def readers(self, thread: ThreadKey) -> set[str]:
        """Return the replies in the workspace of `thread` that are edited, or will
        be."""
        return self._pending.readers(thread)

    def write_completed(self, reply: str) -> None:
        """Record that the write last granted to `reply` was made or abandoned."""
        if standing := self._pending.standings.get(reply):
            standing.complete()
            self.changed(reply)

    def changed(self, reply: str) -> None:
        """Check the budgets of `reply` at the next grant: their tokens or users have
        changed."""
        if standing := self._pending.standings.get(reply):
            self._look_again(standing.thread)

    def _look_again(self, thread: ThreadKey) -> None:
        self._pending.agenda.look_again(self._pending.group(thread))

    def spent(self, reply: str) -> list[Spent]:
        """Return what the write last granted to `reply` uses, until the write
        completes."""
        standing = self._pending.standings.get(reply)
        return standing.spent if standing else []

    def unseen_since(self, request: WriteRequest) -> float:
        """Return since when readers have seen nothing new of a reply.

        The reply's `request` was just granted.
        """
        return self._pending.standings[request.reply].unseen_since(request.kind)

    def refuse(self, reply: str) -> None:
        """Undo the order of the write last granted to `reply`.

        Writes of other processes come first.
        """
        if standing := self._pending.standings.get(reply):
            standing.undo(reply)
            self.changed(reply)

    def remove(self, reply: str) -> None:
        """Remove `reply`, which is finished."""
        self.write_completed(reply)
        self._pending.remove(reply)

    def grant(self, now: float) -> list[WriteRequest]:
        """Return the requests to carry out now. Each of them counts as a write."""
        granted: list[WriteRequest] = []
        agenda = self._pending.agenda
        for group in agenda.take(now + ROUNDING):
            budgets = list(group.budgets.values())
            for budget in budgets:
                budget.refill(now)
            while group.waiting and (newly := self._grant_round(budgets, now)):
                # A request that was passed over for a better alternative may no longer
                # have it.
                granted += newly
            agenda.put(group, group.find_soonest())
        self._pending.forget_idle(now)
        return granted

    def _grant_round(
        self, budgets: Sequence[RateBudget], now: float
    ) -> list[WriteRequest]:
        granted = []
        self._choice.begin_round()
        due = [each for each in budgets if each.soonest() <= now + ROUNDING]
        for priority in PRIORITIES:
            for budget in due:
                if budget.requests[priority]:
                    granted += self._grant_from(budget, priority, now)
        return granted

    def next_grant(self, now: float) -> float | None:
        """Return when `grant` may next return a request; None if nothing is pending."""
        soonest = self._pending.agenda.soonest()
        return max(now, soonest) if soonest < float("inf") else None

    def in_use(self, now: float) -> list[BucketUse]:
        """Return the buckets from which writes were recently taken."""
        return [
            BucketUse(
                *(budget.kind, names, bucket.left(now), float(bucket.rate.burst)),
                closed=max(0.0, bucket.closed_until - now),
                waiting=sum(
                    pending.names[: len(names)] == names
                    for requests in budget.requests.values()
                    for pending in requests.values()
                ),
            )
            for budget in self._pending.budgets()
            for names, bucket in budget.buckets.items()
            if bucket.rate is not None
        ]

    def back_off(
        self, thread: ThreadKey, kind: WriteKind, until: float, now: float
    ) -> Bucket:
        """Grant no write of this `kind` before `until` in the exhausted scope.

        Return the bucket of that scope. Of the scopes of `thread`, that is the
        narrowest without a token, or else the scope with the fewest tokens.
        """
        budget, names = self._pending.budget(kind, thread, now)
        budget.refill(now)
        scopes = budget.within(names)
        empty = (bucket for bucket in reversed(scopes) if bucket.tokens < 1.0)
        fewest = min(scopes, key=lambda bucket: bucket.tokens)
        exhausted = next(empty, fewest)
        exhausted.back_off(until)
        self._look_again(thread)
        return exhausted

    def _grant_from(
        self, budget: RateBudget, priority: Priority, now: float
    ) -> list[WriteRequest]:
        granted = []
        requests = budget.requests[priority].values()
        for pending in self._pending.in_order(requests, budget.kind):
            if budget.soonest_of(priority, pending.names[:1]) > now + ROUNDING:
                break
            if pending.ready(budget) > now + ROUNDING:
                continue
            # Take the write at once: the next requests get what it leaves.
            best = self._choice.better(pending, now) or (budget, pending)
            granted.append(self._take(*best, now))
        return granted

    def _take(self, budget: RateBudget, pending: Pending, now: float) -> WriteRequest:
        request = pending.request
        reply, kind = request.reply, request.kind
        self.write_completed(reply)
        standing = self._pending.standings[reply]
        standing.begin()
        looks = self._choice.looks(request, now)
        if request.turn is WriteKind.EDIT:
            # A stop is not an edit: the next request may have the edit.
            budget.pace(pending.names, now)
            standing.spend(budget, budget.within(pending.names), Use.TURN)
        else:
            standing.spend(budget, budget.take(pending.names, request.priority, now))
        if kind is WriteKind.OPEN:
            if post := self._pending.alternative(reply, WriteKind.POST):
                posts, instead = post
                standing.owes_post = instead.ready(posts) > now + ROUNDING
                if not standing.owes_post and not self._pending.is_crowded(
                    request.thread, now
                ):
                    taken = posts.take(instead.names, request.priority, now)
                    standing.spend(posts, taken)
            assert pending.stops is not None
            standing.keep_stop(reply, *pending.stops)
        elif kind is not WriteKind.APPEND:
            standing.owes_post = False
            standing.release_stop(reply)
            if request.turn and pending.stops:
                stops, names = pending.stops
                standing.spend(stops, stops.take(names, request.priority, now))
        standing.look(looks)
        self._pending.withdraw(reply)
        standing.granted = now
        if kind is not WriteKind.APPEND and not standing.owes_post:
            standing.shared = now
        return request
