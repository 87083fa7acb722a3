"""Chooses whether the first text of a reply is posted or streamed. Pure.

Rule 1: a reply may ask for one of several writes, the preferred one first. It gets the
first that could be granted now. But it gets a stream instead of a post if the first
edit of the post would have to wait, and longer than other replies wait for posts.

Rule 2: streams go to the replies whose edits would come last, since these replies can
be streams for the longest time.
"""

from bisect import bisect_left
from collections import Counter

from bot.delivery.bucket import ROUNDING, SOON
from bot.delivery.pending_writes import PendingWrites
from bot.delivery.rate_budget import Names, Pending, RateBudget
from bot.delivery.standing import ActiveReplies, Spent
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import WriteKind
from bot.domain.shared_rate import Use


class StreamChoice:
    """Chooses among the ways of writing the replies of `pending`."""

    def __init__(self, pending: PendingWrites) -> None:
        self._pending = pending
        #: By workspace, as of the beginning of a round of grants.
        self._crowds: dict[str, ActiveReplies] = {}

    def begin_round(self) -> None:
        """Forget the state of the last round."""
        self._crowds.clear()

    def better(self, pending: Pending, now: float) -> tuple[RateBudget, Pending] | None:
        """Return a better alternative to `pending` that could be granted now, or
        None."""
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
        """Return the looks at shared rows by which `request` was chosen.

        The choice was between a post and a stream.
        """
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
        """Return whether to stream a first text, since an edit of its post would have
        to wait."""
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
        # Replies that would wait longer for their posts take precedence: until its
        # post, nothing of an answer is visible; until its edit, only the rest is
        # missing.
        narrow = posts.buckets[channel]
        waiting = crowd.waiting[channel] + narrow.others
        rate, short = narrow.rate, waiting - narrow.tokens
        post_wait = short * rate.seconds / rate.count if rate else 0.0
        return wait >= max(0.0, post_wait)

    def _before(
        self, reply: str, crowd: ActiveReplies, others: int, posts: RateBudget
    ) -> float:
        """Return how many replies of all processes are edited before the new `reply`.

        `others` is the number of replies of other processes.
        """
        before = bisect_left(crowd.turns, self._pending.turn_of(reply))
        if not others:
            return before
        # The posts of other processes come later as often as this process's posts. One
        # more reply may have begun that is not yet reported.
        new = bisect_left(crowd.turns, (True, float("-inf"), 0))
        later = 1.0 - (before - new + 0.5) / max(1, len(crowd.turns) - new)
        return before + 1 + others - posts.others * later

    def _crowd(self, request: WriteRequest, now: float) -> ActiveReplies:
        posts, _ = self._pending.budget(WriteKind.POST, request.thread, now)
        starts, _ = self._pending.budget(WriteKind.OPEN, request.thread, now)
        stops, names = self._pending.budget(WriteKind.CLOSE, request.thread, now)
        replies = self._pending.readers(request.thread)
        left = min(
            starts.buckets[names].tokens,
            stops.buckets[names].tokens - len(stops.streaming),
        )
        firsts = self._postable(posts)
        # With several processes, it is unknown which of their replies are the last.
        most = len(firsts) if posts.others else int(left + ROUNDING)
        crowd = self._crowds[names[0]] = ActiveReplies(
            sorted(map(self._pending.turn_of, replies)),
            frozenset(firsts[max(0, len(firsts) - most) :]),
            posts.waiting(),
        )
        return crowd

    def _postable(self, posts: RateBudget) -> list[str]:
        """Return, in order, the replies whose first texts may be posted with the tokens
        left."""
        found: list[str] = []
        taken: Counter[Names] = Counter()
        pending = posts.requests[Priority.FIRST]
        for each in self._pending.in_order(pending.values(), WriteKind.POST):
            scopes = [each.names[:n] for n in range(1, len(each.names) + 1)]
            if all(posts.buckets[s].tokens >= taken[s] + 1 - ROUNDING for s in scopes):
                taken.update(scopes)
                found.append(each.request.reply)
        return found
