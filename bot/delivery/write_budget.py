"""Distributes the writes that a platform allows among all streaming replies. Pure.

Rule 1: this file never waits, never sends and never reads a clock. Callers pass the
time in and carry out what is granted.
Rule 2: a reply has at most one pending request, which always sends the latest text. So
a stale edit cannot queue.
Rule 3: requests are granted in the order final text, first text, refresh, placeholder,
tidying.
Final texts go in the order in which the answers ended; others in the order of their
last grant, the oldest first. Of each burst, one write for each streaming reply, but not
all of it, is kept for final and first texts; refreshes get the rest, the sooner the
more of it is left. So nothing starves: those two are finite, and refreshes take turns.
Rule 4: a write in progress may reach the platform at any moment. Until it completes it
counts as made now, so that delayed writes do not arrive together with later ones.
Rule 5: after a rate limit error, its scope grants nothing until the given time; other
kinds of writes go on.
Rule 6: a reply may ask for one of several writes, the preferred first. It gets the
first that could be granted now, but rather a stream than a post if its first edit would
have to wait, and longer than others wait for their posts.
Rule 7: a stream is started only if its stop is kept for it, so that every stop is
granted at once.
Rule 8: readers who are not the asker see what is appended to a stream only when it is
stopped. They see no less than with posts and edits alone: a stream keeps the place that
its message would have in the order of edits, or of posts if the post would have waited,
and when its turn comes, it is stopped. It takes that post from the budget, so that none
is made earlier, with less text in it; an edit it leaves to the others.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.delivery.rate_budget import ROUNDING, SOON, Bucket, Names, Pending, RateBudget
from bot.delivery.standing import BucketUse, Crowd, Spent, Standing
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Limits, Rate, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import Use


class WriteBudget:
    """Decides which replies may write now, within the `limits` of one platform."""

    def __init__(self, limits: Limits) -> None:
        self._rates = limits.rates
        self._budgets: dict[tuple[WriteKind, str], RateBudget] = {}
        #: By reply: where its alternatives wait, the preferred first.
        self._placed: dict[str, list[tuple[RateBudget, Pending]]] = {}
        self._standings: dict[str, Standing] = {}
        #: The number of replies so far.
        self._asked = 0
        #: By workspace, as at the beginning of a round of grants.
        self._crowds: dict[str, Crowd] = {}

    def ask(self, request: WriteRequest, now: float, *others: WriteRequest) -> None:
        """Add `request`, or `others` that would do as well, in place of the earlier
        ones of the same reply."""
        reply = request.reply
        self.withdraw(reply)
        standing = self._standings.get(reply)
        if standing is None:
            self._asked += 1
            standing = self._standings[reply] = Standing(self._asked, now)
        if request.priority is Priority.FINAL and standing.ended is None:
            standing.ended = now
        if request.kind not in (WriteKind.APPEND, WriteKind.CLOSE):
            # It has no open stream.
            standing.release_stop(reply)
        for each in (request, *others):
            self._place(each, standing, now)

    def _place(self, request: WriteRequest, standing: Standing, now: float) -> None:
        if request.turn and standing.owes_post:
            request = replace(
                request,
                turn=WriteKind.POST,
                priority=Priority.FIRST,
                earliest=float("-inf"),
            )
        kind, thread = request.turn or request.kind, request.thread
        budget, names = self._budget(kind, thread, now)
        starts = request.kind is WriteKind.OPEN
        stops = (
            self._budget(WriteKind.CLOSE, thread, now)
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
        self._placed.setdefault(request.reply, []).append((budget, pending))

    def withdraw(self, reply: str) -> None:
        """Drop the pending requests of `reply`, if there are any."""
        for budget, pending in self._placed.pop(reply, ()):
            del budget.requests[pending.request.priority][reply]
            if pending.stops is not None:
                pending.stops[0].awaited.discard(reply)

    def write_completed(self, reply: str) -> None:
        """Record that the write last granted to `reply` was made or abandoned."""
        if standing := self._standings.get(reply):
            standing.complete()

    def spent(self, reply: str) -> list[Spent]:
        """Return what the write last granted to `reply` takes, until it completes."""
        standing = self._standings.get(reply)
        return standing.spent if standing else []

    def unseen_since(self, request: WriteRequest) -> float:
        """Return since when readers have seen nothing new of a reply, whose `request`
        was just granted."""
        return self._standings[request.reply].unseen_since(request.kind)

    def readers(self, thread: ThreadKey, now: float) -> set[str]:
        """Return the replies in the workspace of `thread` that are edited, or will
        be."""
        edits, _ = self._budget(WriteKind.EDIT, thread, now)
        posts, _ = self._budget(WriteKind.POST, thread, now)
        stops, _ = self._budget(WriteKind.CLOSE, thread, now)
        # Streams that nobody else reads wait for no edit.
        return edits.replies | (posts.replies - stops.streaming)

    def refuse(self, reply: str) -> None:
        """Undo the order of the write last granted to `reply`, which other processes
        are before."""
        if standing := self._standings.get(reply):
            standing.undo(reply)

    def remove(self, reply: str) -> None:
        """Remove `reply`, which is finished."""
        self.withdraw(reply)
        self.write_completed(reply)
        if standing := self._standings.pop(reply, None):
            standing.release_stop(reply)
            for budget in standing.budgets:
                budget.replies.discard(reply)

    def grant(self, now: float) -> list[WriteRequest]:
        """Return the requests to carry out now; each of them counts as a write."""
        granted: list[WriteRequest] = []
        for budget in self._budgets.values():
            budget.refill(now)
        while newly := self._grant_round(now):
            # What was passed over for a better alternative may have lost that.
            granted += newly
        for place, budget in list(self._budgets.items()):
            if budget.forget_idle(now):
                del self._budgets[place]
        return granted

    def _grant_round(self, now: float) -> list[WriteRequest]:
        granted = []
        self._crowds.clear()
        for budget in list(self._budgets.values()):
            if budget.soonest() <= now + ROUNDING:
                granted += self._grant_from(budget, now)
        return granted

    def next_grant(self, now: float) -> float | None:
        """Return when `grant` may next return a request; None if nothing is pending."""
        soonest = min(
            (budget.soonest() for budget in self._budgets.values()),
            default=float("inf"),
        )
        return max(now, soonest) if soonest < float("inf") else None

    def in_use(self, now: float) -> list[BucketUse]:
        """Return the buckets that writes were lately taken from."""
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
            for budget in self._budgets.values()
            for names, bucket in budget.buckets.items()
            if bucket.rate is not None
        ]

    def back_off(
        self, thread: ThreadKey, kind: WriteKind, until: float, now: float
    ) -> Bucket:
        """Grant no write of this `kind` before `until` in the exhausted scope: of those
        that `thread` counts in, the narrowest without a token, or else the one with the
        fewest. Return that."""
        budget, names = self._budget(kind, thread, now)
        budget.refill(now)
        scopes = list(budget.within(names))
        empty = (bucket for bucket in reversed(scopes) if bucket.tokens < 1.0)
        fewest = min(scopes, key=lambda bucket: bucket.tokens)
        exhausted = next(empty, fewest)
        exhausted.back_off(until)
        return exhausted

    def _grant_from(self, budget: RateBudget, now: float) -> list[WriteRequest]:
        granted = []
        for priority, requests in budget.requests.items():
            order = self._order_of_appends if _appends(budget) else self._order
            for pending in sorted(requests.values(), key=order):
                if budget.soonest_of(priority, pending.names[:1]) > now + ROUNDING:
                    break
                if pending.ready(budget) > now + ROUNDING:
                    continue
                # At once, for what others get is what this leaves.
                best = self._better(pending, now) or (budget, pending)
                granted.append(self._take(*best, now))
        return granted

    def _take(self, budget: RateBudget, pending: Pending, now: float) -> WriteRequest:
        request = pending.request
        reply, kind = request.reply, request.kind
        self.write_completed(reply)
        standing = self._standings[reply]
        standing.begin()
        looks = self._looks(request, now)
        if request.turn is WriteKind.EDIT:
            # A stop is no edit: that is left to the next.
            budget.pace(pending.names, now)
            standing.spend(budget, budget.within(pending.names), Use.TURN)
        else:
            standing.spend(budget, budget.take(pending.names, request.priority, now))
        if kind is WriteKind.OPEN:
            if post := self._alternative(reply, WriteKind.POST):
                posts, instead = post
                standing.owes_post = instead.ready(posts) > now + ROUNDING
                if not standing.owes_post:
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
        self.withdraw(reply)
        standing.granted = now
        if kind is not WriteKind.APPEND and not standing.owes_post:
            standing.shared = now
        return request

    def _better(
        self, pending: Pending, now: float
    ) -> tuple[RateBudget, Pending] | None:
        """Return the alternative that is preferred to `pending`, of those that could be
        granted now; None if it is the best."""
        placed = self._placed[pending.request.reply]
        if len(placed) > 1 and self._should_stream(pending.request, now):
            placed = sorted(
                placed, key=lambda each: each[1].request.kind is not WriteKind.OPEN
            )
        for budget, each in placed:
            if each is pending:
                return None
            if each.ready(budget) <= now + ROUNDING:
                return budget, each
        return None

    def _looks(self, request: WriteRequest, now: float) -> list[Spent]:
        """Return the looks at the rows of all processes, by which `request` was chosen
        among a post and a stream."""
        reply = request.reply
        kinds = WriteKind.POST, WriteKind.OPEN
        if request.priority is not Priority.FIRST or not all(
            self._alternative(reply, kind) for kind in kinds
        ):
            return []
        looks = []
        for kind in (WriteKind.EDIT, WriteKind.POST):
            budget, names = self._budget(kind, request.thread, now)
            bucket = budget.buckets[names[:1]]
            known = None if self._standings[reply].refused else bucket.others
            looks.append(Spent(bucket, budget, Use.LOOK, known))
        return looks

    def _should_stream(self, request: WriteRequest, now: float) -> bool:
        """Return whether a first text is rather streamed than posted, since an edit of
        the post would have to wait."""
        if request.priority is not Priority.FIRST:
            return False
        edits, names = self._budget(WriteKind.EDIT, request.thread, now)
        bucket = edits.buckets[names[:1]]
        if bucket.rate is None:
            return False
        crowd = self._crowds.get(names[0]) or self._crowd(request, now)
        if request.reply not in crowd.streams:
            return False
        posts, channel = self._budget(WriteKind.POST, request.thread, now)
        before = self._before(request.reply, crowd, bucket.others, posts)
        wait = bucket.waits(before, len(crowd.turns) + bucket.others, now)
        if wait < SOON:
            return False
        # Starts of streams are rather for those that would wait longer for their posts:
        # until then nothing of an answer is seen, until an edit only the rest is not.
        narrow = posts.buckets[channel]
        waiting = crowd.waiting[channel] + narrow.others
        rate, short = narrow.rate, waiting - narrow.tokens
        post_wait = short * rate.seconds / rate.count if rate else 0.0
        return wait >= max(0.0, post_wait)

    def _before(
        self, reply: str, crowd: Crowd, others: int, posts: RateBudget
    ) -> float:
        """Return how many replies of all processes, of which others have so many, are
        edited before `reply`, which is new."""
        before = bisect_left(crowd.turns, self._turn_of(reply))
        if not others:
            return before
        # Posts of other processes come later as often as this one's; and one more
        # reply may have begun that nobody has told of.
        new = bisect_left(crowd.turns, (True, float("-inf"), 0))
        later = 1.0 - (before - new + 0.5) / max(1, len(crowd.turns) - new)
        return before + 1 + others - posts.others * later

    def _crowd(self, request: WriteRequest, now: float) -> Crowd:
        posts, _ = self._budget(WriteKind.POST, request.thread, now)
        starts, _ = self._budget(WriteKind.OPEN, request.thread, now)
        stops, names = self._budget(WriteKind.CLOSE, request.thread, now)
        replies = self.readers(request.thread, now)
        left = min(
            starts.buckets[names].tokens,
            stops.buckets[names].tokens - len(stops.streaming),
        )
        firsts = self._postable(posts)
        # Nobody knows which of those of several processes are the last.
        most = len(firsts) if posts.others else int(left + ROUNDING)
        crowd = self._crowds[names[0]] = Crowd(
            sorted(map(self._turn_of, replies)),
            frozenset(firsts[max(0, len(firsts) - most) :]),
            posts.waiting(),
        )
        return crowd

    def _postable(self, posts: RateBudget) -> list[str]:
        """Return the replies whose first texts there are enough posts for, in their
        order."""
        found: list[str] = []
        taken: Counter[Names] = Counter()
        pending = posts.requests[Priority.FIRST]
        for each in sorted(pending.values(), key=self._order):
            scopes = [each.names[:n] for n in range(1, len(each.names) + 1)]
            if all(posts.buckets[s].tokens >= taken[s] + 1 - ROUNDING for s in scopes):
                taken.update(scopes)
                found.append(each.request.reply)
        return found

    def _turn_of(self, reply: str) -> tuple[bool, float, int]:
        """Return the place of `reply` in the order of edits: after all that was posted,
        if it is not yet."""
        standing = self._standings[reply]
        is_new = standing.shared == float("-inf")
        return is_new, standing.shared, standing.asked

    def _alternative(
        self, reply: str, kind: WriteKind
    ) -> tuple[RateBudget, Pending] | None:
        """Return where `reply` waits for a write of this `kind`, if it does."""
        placed = self._placed[reply]
        return next((each for each in placed if each[1].request.kind is kind), None)

    def _order(self, pending: Pending) -> tuple[float, int]:
        request = pending.request
        standing = self._standings[request.reply]
        if request.priority is Priority.FINAL and standing.ended is not None:
            return standing.ended, standing.asked
        return standing.shared, standing.asked

    def _order_of_appends(self, pending: Pending) -> tuple[float, int]:
        standing = self._standings[pending.request.reply]
        return standing.granted, standing.asked

    def _budget(
        self, kind: WriteKind, thread: ThreadKey, now: float
    ) -> tuple[RateBudget, Names]:
        rates: Sequence[Rate | None] = self._rates.get(kind) or (None,)
        names = tuple(rate.scope.of(thread) if rate else str(thread) for rate in rates)
        budget = self._budgets.setdefault((kind, names[0]), RateBudget(kind))
        for length, rate in enumerate(rates, start=1):
            bucket = Bucket(rate, now, kind=kind, name=names[length - 1])
            budget.buckets.setdefault(names[:length], bucket)
        return budget, names


def _appends(budget: RateBudget) -> bool:
    return budget.kind is WriteKind.APPEND
