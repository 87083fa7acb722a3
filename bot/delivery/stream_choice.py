"""Chooses whether the first text of a reply is posted or streamed. Pure.

Rule 1: a reply may ask for one of several writes, the preferred first. It gets the
first that could be granted now, but rather a stream than a post if its first edit would
have to wait, and longer than others wait for their posts.
Rule 2: starts of streams go to those whose edit would come last, since those can be
streams for the longest time.
"""

from bisect import bisect_left
from collections import Counter

from bot.delivery.bucket import ROUNDING, SOON
from bot.delivery.pending_writes import PendingWrites
from bot.delivery.rate_budget import Names, Pending, RateBudget
from bot.delivery.standing import Crowd, Spent
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import WriteKind
from bot.domain.shared_rate import Use


class StreamChoice:
    """The ways in which the replies of `pending` are written."""

    def __init__(self, pending: PendingWrites) -> None:
        self._pending = pending
        #: By workspace, as at the beginning of a round of grants.
        self._crowds: dict[str, Crowd] = {}

    def begin_round(self) -> None:
        """Look at all replies anew."""
        self._crowds.clear()

    def better(self, pending: Pending, now: float) -> tuple[RateBudget, Pending] | None:
        """Return the alternative that is preferred to `pending`, of those that could be
        granted now; None if it is the best."""
        placed = self._pending.placed[pending.request.reply]
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

    def looks(self, request: WriteRequest, now: float) -> list[Spent]:
        """Return the looks at the rows of all processes, by which `request` was chosen
        among a post and a stream."""
        reply = request.reply
        kinds = WriteKind.POST, WriteKind.OPEN
        if request.priority is not Priority.FIRST or not all(
            self._pending.alternative(reply, kind) for kind in kinds
        ):
            return []
        looks = []
        for kind in (WriteKind.EDIT, WriteKind.POST):
            budget, names = self._pending.budget(kind, request.thread, now)
            bucket = budget.buckets[names[:1]]
            known = None if self._pending.standings[reply].refused else bucket.others
            looks.append(Spent(bucket, budget, Use.LOOK, known))
        return looks

    def _should_stream(self, request: WriteRequest, now: float) -> bool:
        """Return whether a first text is rather streamed than posted, since an edit of
        the post would have to wait."""
        if request.priority is not Priority.FIRST:
            return False
        edits, names = self._pending.budget(WriteKind.EDIT, request.thread, now)
        bucket = edits.buckets[names[:1]]
        if bucket.rate is None:
            return False
        crowd = self._crowds.get(names[0]) or self._crowd(request, now)
        if request.reply not in crowd.streams:
            return False
        posts, channel = self._pending.budget(WriteKind.POST, request.thread, now)
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
        before = bisect_left(crowd.turns, self._pending.turn_of(reply))
        if not others:
            return before
        # Posts of other processes come later as often as this one's; and one more
        # reply may have begun that nobody has told of.
        new = bisect_left(crowd.turns, (True, float("-inf"), 0))
        later = 1.0 - (before - new + 0.5) / max(1, len(crowd.turns) - new)
        return before + 1 + others - posts.others * later

    def _crowd(self, request: WriteRequest, now: float) -> Crowd:
        posts, _ = self._pending.budget(WriteKind.POST, request.thread, now)
        starts, _ = self._pending.budget(WriteKind.OPEN, request.thread, now)
        stops, names = self._pending.budget(WriteKind.CLOSE, request.thread, now)
        replies = self._pending.readers(request.thread)
        left = min(
            starts.buckets[names].tokens,
            stops.buckets[names].tokens - len(stops.streaming),
        )
        firsts = self._postable(posts)
        # Nobody knows which of those of several processes are the last.
        most = len(firsts) if posts.others else int(left + ROUNDING)
        crowd = self._crowds[names[0]] = Crowd(
            sorted(map(self._pending.turn_of, replies)),
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
        for each in self._pending.in_order(pending.values(), WriteKind.POST):
            scopes = [each.names[:n] for n in range(1, len(each.names) + 1)]
            if all(posts.buckets[s].tokens >= taken[s] + 1 - ROUNDING for s in scopes):
                taken.update(scopes)
                found.append(each.request.reply)
        return found
