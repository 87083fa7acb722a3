"""Rates and priorities of writes, without a clock."""

from collections import defaultdict
from functools import partial
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey

RATE = Rate(count=48, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=2)
LIMITS = Limits(part_chars=100, rates={WriteKind.EDIT: (RATE,)})


def thread(name: str, workspace: str = "T1") -> ThreadKey:
    return ThreadKey("slack", workspace, "C1", name)


def edit(
    name: str,
    priority: Priority = Priority.REFRESH,
    earliest: float = 0.0,
    workspace: str = "T1",
) -> WriteRequest:
    return WriteRequest(
        name, thread(name, workspace), WriteKind.EDIT, priority, earliest
    )


def replies(granted: list[WriteRequest]) -> list[str]:
    return [request.reply for request in granted]


class InstantWrites(WriteBudget):
    """A budget whose writes complete at once."""

    def grant(self, now: float) -> list[WriteRequest]:
        granted = super().grant(now)
        for request in granted:
            self.write_completed(request.reply)
        return granted


def test_grants_at_once_while_there_is_room() -> None:
    budget = InstantWrites(LIMITS)
    budget.ask(edit("a"), 0.0)
    assert replies(budget.grant(0.0)) == ["a"]


def test_tidying_takes_only_what_nobody_needs() -> None:
    budget = InstantWrites(LIMITS)
    budget.ask(edit("a", Priority.FINAL), 0.0)
    budget.ask(edit("old", Priority.TIDY), 0.0)
    assert replies(budget.grant(0.0)) == ["a"]
    budget.remove("a")
    # One of a burst of two is gone, which takes 60 s / 48 to come back.
    assert budget.grant(1.2) == []
    assert budget.next_grant(1.2) == 1.25
    budget.ask(edit("b", Priority.FIRST), 1.25)
    assert replies(budget.grant(1.25)) == ["b"]
    assert replies(budget.grant(2.5)) == ["old"]


def test_keeps_room_for_a_final_text() -> None:
    budget = InstantWrites(LIMITS)
    for name in "abc":
        budget.ask(edit(name), 0.0)
    budget.grant(0.0)
    budget.ask(edit("z", Priority.FINAL), 0.0)
    assert replies(budget.grant(0.0)) == ["z"]


def test_final_goes_before_first_goes_before_refresh() -> None:
    budget = InstantWrites(LIMITS)
    budget.back_off(thread("x"), WriteKind.EDIT, until=10.0, now=0.0)
    budget.ask(edit("refresh"), 0.0)
    budget.ask(edit("first", Priority.FIRST), 0.0)
    budget.ask(edit("final", Priority.FINAL), 0.0)
    order: list[str] = []
    now = 0.0
    while (later := budget.next_grant(now)) is not None:
        now = later
        order += replies(budget.grant(now))
    assert order == ["final", "first", "refresh"]


def test_refreshes_take_turns() -> None:
    budget = InstantWrites(LIMITS)
    seen: list[str] = []
    now = 0.0
    for name in "abcd":
        budget.ask(edit(name), now)
    while len(seen) < 12:
        now = budget.next_grant(now) or now
        for request in budget.grant(now):
            seen.append(request.reply)
            budget.ask(edit(request.reply), now)
    assert all(sorted(seen[i : i + 4]) == list("abcd") for i in (0, 4, 8))


def test_a_newer_wish_replaces_the_older() -> None:
    budget = InstantWrites(LIMITS)
    budget.ask(edit("a", earliest=5.0), 0.0)
    budget.ask(edit("a", Priority.FINAL), 0.0)
    assert [request.priority for request in budget.grant(0.0)] == [Priority.FINAL]
    assert budget.next_grant(0.0) is None


def test_a_burst_is_spent_on_the_beginning_but_not_at_once() -> None:
    rate = Rate(count=60, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9)
    budget = InstantWrites(Limits(part_chars=100, rates={WriteKind.EDIT: (rate,)}))
    now, times = 0.0, []
    while now < 20.0:
        budget.ask(edit("a"), now)
        now = budget.next_grant(now) or now
        times += [now] * len(budget.grant(now))
    pauses = [b - a for a, b in pairwise(times)]
    # One of nine is kept, and the more of the others are left, the sooner is the next.
    assert 0.2 <= pauses[0] <= 0.3
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 1.0


def test_more_replies_than_a_burst_keep_all_of_it_but_one_for_final_texts() -> None:
    rate = Rate(count=60, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9)
    budget = InstantWrites(Limits(part_chars=100, rates={WriteKind.EDIT: (rate,)}))
    for name in "abcdefghijkl":
        budget.ask(edit(name), 0.0)
    assert replies(budget.grant(0.0)) == ["a"]
    for name in "abcdefghijkl":
        budget.ask(edit(name, Priority.FINAL), 0.9)
    assert len(budget.grant(0.9)) == 8


def test_a_message_keeps_its_own_interval() -> None:
    budget = InstantWrites(LIMITS)
    budget.ask(edit("a", earliest=3.0), 0.0)
    assert budget.grant(2.9) == []
    assert budget.next_grant(2.9) == 3.0
    assert replies(budget.grant(3.0)) == ["a"]


def test_a_throttled_scope_cools_and_others_do_not() -> None:
    budget = InstantWrites(LIMITS)
    budget.back_off(thread("a"), WriteKind.EDIT, until=30.0, now=0.0)
    budget.ask(edit("a", Priority.FINAL), 0.0)
    budget.ask(edit("b", Priority.FINAL, workspace="T2"), 0.0)
    assert replies(budget.grant(29.0)) == ["b"]
    assert replies(budget.grant(30.0)) == ["a"]


def test_a_platform_that_does_not_count_grants_everything() -> None:
    budget = InstantWrites(Limits(part_chars=100))
    for name in "abcdefgh":
        budget.ask(edit(name), 0.0)
    assert len(budget.grant(0.0)) == 8


def test_final_texts_go_in_the_order_in_which_the_answers_ended() -> None:
    budget = InstantWrites(LIMITS)
    budget.back_off(thread("x"), WriteKind.EDIT, until=10.0, now=0.0)
    for now, name in enumerate("cab"):
        budget.ask(edit(name, Priority.FINAL), float(now))
    # One with two messages to finish is not sent to the end of the line.
    budget.ask(edit("c", Priority.FINAL), 5.0)
    order: list[str] = []
    at = 5.0
    while (later := budget.next_grant(at)) is not None:
        at = later
        order += replies(budget.grant(at))
    assert order == ["c", "a", "b"]


POSTS = Limits(
    part_chars=100,
    rates={
        WriteKind.POST: (
            Rate(count=60, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=3),
            Rate(count=6, seconds=60.0, scope=RateLimitScope.CHANNEL, burst=2),
        )
    },
)


def post(name: str, channel: str = "C1") -> WriteRequest:
    where = ThreadKey("slack", "T1", channel, name)
    return WriteRequest(name, where, WriteKind.POST, Priority.FIRST)


def test_a_write_is_counted_in_every_scope() -> None:
    budget = InstantWrites(POSTS)
    for name in "abc":
        budget.ask(post(name), 0.0)
    assert replies(budget.grant(0.0)) == ["a", "b"]
    # The channel is used up, the workspace is not.
    for name in "de":
        budget.ask(post(name, "C2"), 0.0)
    assert replies(budget.grant(0.0)) == ["d"]
    assert replies(budget.grant(1.0)) == ["e"]
    assert replies(budget.grant(9.9)) == []
    assert replies(budget.grant(10.0)) == ["c"]


def test_a_429_cools_the_scope_that_is_used_up_and_no_wider_one() -> None:
    budget = InstantWrites(POSTS)
    for name in "ab":
        budget.ask(post(name), 0.0)
    budget.grant(0.0)
    budget.back_off(post("a").thread, WriteKind.POST, until=30.0, now=0.0)
    budget.ask(post("c"), 0.0)
    budget.ask(post("d", "C2"), 0.0)
    assert replies(budget.grant(0.0)) == ["d"]
    assert replies(budget.grant(29.9)) == []
    assert replies(budget.grant(30.0)) == ["c"]


def test_what_is_under_way_counts_as_made_just_now() -> None:
    budget = WriteBudget(
        Limits(100, rates={WriteKind.EDIT: (Rate(60, 60.0, RATE.scope, 3),)})
    )
    for name in "abc":
        budget.ask(edit(name, Priority.FINAL), 0.0)
    assert replies(budget.grant(0.0)) == ["a", "b", "c"]
    # All three may arrive only now, so none is added to them.
    for name in "def":
        budget.ask(edit(name, Priority.FINAL), 9.0)
    assert budget.grant(9.0) == []
    assert budget.next_grant(9.0) is None
    for name in "abc":
        budget.write_completed(name)
    assert replies(budget.grant(9.0)) == []
    assert replies(budget.grant(10.0)) == ["d"]


def test_the_best_way_that_is_free_is_chosen() -> None:
    rates = {WriteKind.OPEN: (Rate(1, 60.0, RateLimitScope.WORKSPACE),), **POSTS.rates}
    budget = InstantWrites(Limits(part_chars=100, rates=rates))
    stream, post = (
        WriteRequest("a", thread("a"), kind, Priority.FIRST)
        for kind in (WriteKind.OPEN, WriteKind.POST)
    )

    def granted(now: float) -> list[WriteKind]:
        budget.ask(stream, now, post)
        return [each.kind for each in budget.grant(now)]

    assert granted(0.0) == [WriteKind.OPEN]
    assert granted(0.0) == [WriteKind.POST]
    budget.back_off(thread("a"), WriteKind.POST, until=90.0, now=0.0)
    assert granted(0.0) == []
    assert budget.next_grant(0.0) == 60.0
    assert granted(60.0) == [WriteKind.OPEN]


def test_a_stream_is_started_only_if_its_stop_is_kept() -> None:
    stop = Rate(count=6, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=2)
    budget = InstantWrites(Limits(part_chars=100, rates={WriteKind.CLOSE: (stop,)}))

    def ask(name: str, kind: WriteKind, now: float) -> list[str]:
        budget.ask(WriteRequest(name, thread(name), kind, Priority.FIRST), now)
        return replies(budget.grant(now))

    assert ask("a", WriteKind.OPEN, 0.0) == ["a"]
    assert ask("b", WriteKind.OPEN, 0.0) == ["b"]
    assert ask("c", WriteKind.OPEN, 9.0) == []
    # Both are stopped at once, whoever else waits.
    assert ask("b", WriteKind.CLOSE, 9.0) == ["b"]
    assert ask("a", WriteKind.CLOSE, 9.0) == ["a"]
    assert replies(budget.grant(18.9)) == []
    assert replies(budget.grant(19.0)) == ["c"]
    assert ask("d", WriteKind.OPEN, 19.0) == []
    # One that could not begin needs no stop.
    assert ask("c", WriteKind.POST, 19.0) == ["d", "c"]


def test_stops_go_on_one_by_one_after_a_429() -> None:
    stop = Rate(count=6, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=3)
    budget = InstantWrites(Limits(part_chars=100, rates={WriteKind.CLOSE: (stop,)}))
    for kind, priority in (
        (WriteKind.OPEN, Priority.FIRST),
        (WriteKind.CLOSE, Priority.FINAL),
    ):
        for name in "abc":
            budget.ask(WriteRequest(name, thread(name), kind, priority), 0.0)
        if kind is WriteKind.CLOSE:
            budget.back_off(thread("a"), kind, until=5.0, now=0.0)
        budget.grant(0.0)
    granted = [(now, replies(budget.grant(now))) for now in (5.0, 15.0, 25.0)]
    assert granted == [(5.0, ["a"]), (15.0, ["b"]), (25.0, ["c"])]


def test_a_stream_is_stopped_in_the_turn_of_its_edit_and_leaves_it_to_others() -> None:
    budget = InstantWrites(LIMITS)
    budget.ask(WriteRequest("a", thread("a"), WriteKind.OPEN, Priority.FIRST), 0.0)
    budget.grant(0.0)
    for name in "xyz":
        budget.ask(edit(name, Priority.FINAL), 0.0)
    budget.grant(0.0)

    def asked(now: float) -> list[WriteKind]:
        turn, append = (
            WriteRequest("a", thread("a"), kind, Priority.REFRESH, 0.0, turn)
            for kind, turn in (
                (WriteKind.CLOSE, WriteKind.EDIT),
                (WriteKind.APPEND, None),
            )
        )
        budget.ask(turn, now, append)
        return [each.kind for each in budget.grant(now) if each.reply == "a"]

    for name in "xyz":
        budget.remove(name)
    assert asked(0.0) == [WriteKind.APPEND]
    # Two of the burst took 2.5 s, of which one is kept for a final text.
    assert asked(3.8) == [WriteKind.CLOSE]
    budget.ask(edit("b"), 3.8)
    for name in "cde":
        budget.ask(edit(name, Priority.FINAL), 3.8)
    assert replies(budget.grant(3.8)) == ["c", "d"]


def test_a_stream_in_place_of_a_post_is_stopped_when_that_would_be_made() -> None:
    budget = InstantWrites(POSTS)
    for name in "ab":
        budget.ask(post(name), 0.0)
    budget.grant(0.0)
    here = post("s").thread
    budget.ask(post("s"), 0.0, WriteRequest("s", here, WriteKind.OPEN, Priority.FIRST))
    assert [each.kind for each in budget.grant(0.0)] == [WriteKind.OPEN]
    stop = WriteRequest(
        *("s", here, WriteKind.CLOSE, Priority.REFRESH), turn=WriteKind.EDIT
    )
    budget.ask(stop, 1.0)
    budget.ask(post("c"), 1.0)
    assert budget.grant(9.9) == []
    # It keeps its place before what was asked later.
    assert replies(budget.grant(10.0)) == ["s"]
    assert replies(budget.grant(19.9)) == []
    assert replies(budget.grant(20.0)) == ["c"]


def test_a_429_of_one_kind_of_write_delays_no_other() -> None:
    budget = InstantWrites(LIMITS)
    budget.back_off(thread("a"), WriteKind.APPEND, until=30.0, now=0.0)
    append = WriteRequest("a", thread("a"), WriteKind.APPEND, Priority.REFRESH)
    budget.ask(append, 0.0)
    budget.ask(edit("b"), 0.0)
    assert replies(budget.grant(0.0)) == ["b"]
    assert replies(budget.grant(29.9)) == []
    assert replies(budget.grant(30.0)) == ["a"]


def test_forgets_budgets_that_are_full_again() -> None:
    budget = InstantWrites(LIMITS)
    for name in "abcdefgh":
        budget.ask(edit(name, workspace=f"T{name}"), 0.0)
    budget.grant(0.0)
    for _ in "abcdefgh":
        budget.grant(60.0)
    assert budget.next_grant(60.0) is None
    assert not list(budget._pending.budgets())


def test_forgets_workspaces_one_after_the_other_while_others_write() -> None:
    budget = InstantWrites(LIMITS)
    for name in "abcdefgh":
        budget.ask(edit(name, workspace=f"T{name}"), 0.0)
    budget.grant(0.0)
    for name in "abcdefgh":
        budget.remove(name)
    for nth in range(20):
        budget.ask(edit("z", workspace="Tz"), 60.0 + nth)
        budget.grant(60.0 + nth)
    assert [names for each in budget._pending.budgets() for names in each.buckets] == [
        ("slack:Tz",)
    ]


def test_looks_at_no_workspace_in_which_nothing_can_have_changed() -> None:
    budget = WriteBudget(LIMITS)
    for number in range(50):
        for name in ("first", "second", "third"):
            budget.ask(edit(f"{name} {number}", workspace=f"T{number}"), 0.0)
    budget.grant(0.0)
    budget.write_completed("first 7")
    budget.grant(0.1)
    refilled = [
        names
        for each in budget._pending.budgets()
        for names, bucket in each.buckets.items()
        if bucket.refilled == 0.1
    ]
    assert refilled == [("slack:T7",)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(["ask", "complete", "remove", "back off", "grant"]),
            st.sampled_from(list(Priority)),
            st.sampled_from([0.0, 0.1, 0.7, 2.0]),
        ),
        max_size=100,
    )
)
def test_a_workspace_gets_what_it_would_get_alone(
    steps: list[tuple[str, str, Priority, float]],
) -> None:
    """Three write in one workspace, three in another one."""
    together = WriteBudget(LIMITS)
    alone = defaultdict[str, WriteBudget](partial(WriteBudget, LIMITS))
    now = 0.0
    for name, step, priority, pause in steps:
        now += pause
        workspace = "T1" if name < "d" else "T2"
        for budget in (together, alone[workspace]):
            match step:
                case "ask":
                    budget.ask(edit(name, priority, workspace=workspace), now)
                case "complete":
                    budget.write_completed(name)
                case "remove":
                    budget.remove(name)
                case "back off":
                    place = thread(name, workspace)
                    budget.back_off(place, WriteKind.EDIT, now + 1.0, now)
        apart = [each for one in alone.values() for each in one.grant(now)]
        assert set(replies(together.grant(now))) == set(replies(apart))
        nexts = [one.next_grant(now) for one in alone.values()]
        soonest = min((each for each in nexts if each is not None), default=None)
        assert together.next_grant(now) == soonest


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdefghij"),
            st.sampled_from(list(Priority)),
            st.floats(0.0, 3.0),
        ),
        min_size=1,
        max_size=200,
    )
)
def test_never_more_than_the_platform_allows_in_any_minute(
    steps: list[tuple[str, Priority, float]],
) -> None:
    budget = InstantWrites(LIMITS)
    now, writes = 0.0, []
    for name, priority, pause in steps:
        budget.ask(edit(name, priority), now)
        now += pause
        writes += [now] * len(budget.grant(now))
    for start in writes:
        assert sum(start <= at < start + 60.0 for at in writes) <= 50


@given(st.integers(1, 60))
def test_everyone_is_served_and_the_budget_is_used(replies_at_once: int) -> None:
    budget = InstantWrites(LIMITS)
    now, count = 0.0, 0
    served: set[str] = set()
    for n in range(replies_at_once):
        budget.ask(edit(str(n)), now)
    while now < 120.0:
        for request in budget.grant(now):
            count += 1
            served.add(request.reply)
            budget.ask(edit(request.reply), now)
        now = max(now + 1e-3, budget.next_grant(now) or now)
    assert len(served) == replies_at_once
    assert count >= 0.95 * 48 / 60 * 120


STREAMS = Limits(
    part_chars=100,
    rates={
        **LIMITS.rates,
        **POSTS.rates,
        WriteKind.CLOSE: (Rate(12, 60.0, RateLimitScope.WORKSPACE, burst=3),),
    },
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(list(WriteKind)),
            st.sampled_from([Priority.FINAL, Priority.FIRST, Priority.REFRESH]),
            st.floats(0.0, 5.0),
            st.sampled_from(["", *"abcdef"]),
        ),
        max_size=60,
    )
)
def test_a_request_lets_nothing_be_granted_before_it_says(
    steps: list[tuple[str, WriteKind, Priority, float, str]],
) -> None:
    budget, now = WriteBudget(STREAMS), 0.0
    for name, kind, priority, pause, completed in steps:
        now += pause
        budget.write_completed(completed)
        budget.grant(now)
        before = budget.next_grant(now) or float("inf")
        soonest = budget.ask(WriteRequest(name, thread(name), kind, priority), now)
        after = budget.next_grant(now) or float("inf")
        assert min(before, soonest) <= after
        assert soonest <= now or not budget.grant(now)


SLIDING = Rate(4, 1.0, RateLimitScope.BOT, burst=4, slides=True)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from([WriteKind.POST, WriteKind.EDIT]),
            st.floats(0.0, 0.6),
        ),
        min_size=1,
        max_size=100,
    )
)
def test_what_slides_counts_all_kinds_of_writes_in_any_span(
    steps: list[tuple[str, WriteKind, float]],
) -> None:
    kinds = {WriteKind.POST: (SLIDING,), WriteKind.EDIT: (SLIDING,)}
    budget = InstantWrites(Limits(part_chars=100, rates=kinds))
    now, writes = 0.0, []
    for name, kind, pause in steps:
        budget.ask(WriteRequest(name, thread(name), kind, Priority.REFRESH), now)
        writes += [now] * len(budget.grant(now))
        now = min(now + pause, budget.next_grant(now) or float("inf"))
    # All that may come at once does, and never more.
    writes += [now + 9.0] * len(budget.grant(now + 9.0))
    for start in writes:
        assert sum(start <= at < start + 0.999 for at in writes) <= 4
    assert budget.next_grant(now + 9.0) in (None, now + 10.0)


def test_first_words_come_before_refreshes_that_count_with_them() -> None:
    kinds = {WriteKind.POST: (SLIDING,), WriteKind.EDIT: (SLIDING,)}
    budget = InstantWrites(Limits(part_chars=100, rates=kinds))
    for name in "abcd":
        budget.ask(edit(name), 0.0)
    new = WriteRequest("new", thread("new"), WriteKind.POST, Priority.FIRST)
    budget.ask(new, 0.0)
    assert replies(budget.grant(0.0)) == ["new", "a", "b", "c"]
