"""The number of concurrent answers is bounded. Waiting people are told once and served
fairly, even after a restart."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import App
from bot.config import Config
from bot.conversation.dispatcher import ThreadDispatcher
from bot.conversation.stop_signal import StopSignal
from bot.conversation.waiting_signs import MOST_AT_ONCE
from bot.domain.completion import Request
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ANSWERS_AT_ONCE, Ended, TurnState, WaitingThread
from bot.errors import ConfigError
from bot.messages.answers import CROWDED
from bot.ports.store import Store
from bot.runtime.background import Background
from bot.runtime.fair_queue import FairQueue
from bot.ui.elements import Command, Response
from tests.support.deep import rounds
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import answer

# The queue, which is pure.

OWNERS = st.sampled_from("abcde")
#: An owner puts one more item, or None: one is taken.
STEPS = st.lists(st.one_of(OWNERS, st.none()), max_size=60)


@settings(max_examples=rounds(20, 5_000), deadline=None)
@given(STEPS)
def test_everything_put_is_served_once_and_oldest_first_for_its_owner(
    steps: list[str | None],
) -> None:
    queue: FairQueue[int, str] = FairQueue(1_000)
    put: dict[str, list[int]] = defaultdict(list)
    served: dict[str, list[int]] = defaultdict(list)
    for number, step in enumerate([*steps, *[None] * 60]):
        if step is not None:
            assert queue.put(number, step, number) is None
            put[step].append(number)
        elif entry := queue.take():
            served[entry.owner].append(entry.item)
    assert served == put
    assert len(queue) == 0


@settings(max_examples=rounds(20, 5_000), deadline=None)
@given(STEPS)
def test_nobody_is_served_twice_while_another_waits_from_before(
    steps: list[str | None],
) -> None:
    queue: FairQueue[int, str] = FairQueue(1_000)
    waiting: Counter[str] = Counter()
    #: Who was served since somebody began to wait, by who waits.
    since: dict[str, Counter[str]] = {}
    for number, step in enumerate([*steps, *[None] * 60]):
        if step is not None:
            queue.put(number, step, number)
            waiting[step] += 1
            since.setdefault(step, Counter())
        elif entry := queue.take():
            for owner, others in since.items():
                if owner != entry.owner:
                    others[entry.owner] += 1
                    assert others[entry.owner] <= 1, "served twice, and they waited"
            waiting[entry.owner] -= 1
            del since[entry.owner]
            if waiting[entry.owner]:
                since[entry.owner] = Counter()


def test_a_newcomer_is_served_before_who_was_just_served() -> None:
    queue: FairQueue[int, str] = FairQueue(2_000)
    for number in range(1_000):
        queue.put(number, "eve", number)
    assert [queue.take() for _ in range(100)][-1] is not None
    queue.put(5_000, "bob", 5_000)
    entry = queue.take()
    assert entry is not None
    assert entry.owner == "bob"


@settings(max_examples=rounds(20, 5_000), deadline=None)
@given(st.lists(st.tuples(OWNERS, st.integers(0, 9)), max_size=80), st.integers(1, 12))
def test_what_does_not_fit_is_the_newest_of_who_has_most(
    puts: list[tuple[str, int]], most: int
) -> None:
    queue: FairQueue[int, str] = FairQueue(most)
    for number, (owner, at) in enumerate(puts):
        left = queue.put(number, owner, at)
        assert len(queue) <= most
        assert (left is not None) == (number >= most)
        counts = Counter(entry.owner for entry in queue)
        if left is not None:
            loser, when = puts[left]
            assert counts[loser] + 1 >= max(counts.values())
            assert all(e.at <= when for e in queue if e.owner == loser)


@settings(max_examples=rounds(20, 2_000), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), OWNERS, st.integers(0, 12))))
def test_putting_taking_and_discarding_in_any_order_agree_with_a_plain_list(
    steps: list[tuple[int, str, int]],
) -> None:
    queue: FairQueue[int, str] = FairQueue(1_000)
    model: dict[int, tuple[str, int]] = {}
    for kind, owner, item in steps:
        if kind <= 1:
            queue.put(item, owner, item)
            model.setdefault(item, (owner, item))
        elif kind == 2:
            entry = queue.discard(item)
            assert (entry is not None) == (item in model)
            model.pop(item, None)
        else:
            entry = queue.take(owner.__ne__ if kind == 3 else None)
            others = [i for i, (o, _) in model.items() if kind == 4 or o != owner]
            assert (entry is None) == (others == [])
            if entry is not None:
                assert entry.item == min(
                    i for i, (o, _) in model.items() if o == entry.owner
                )
                del model[entry.item]
        assert {entry.item for entry in queue} == model.keys()
        assert all(queue.waits(o) for o, _ in model.values())


def test_comings_and_goings_leave_nothing_behind() -> None:
    queue: FairQueue[int, str] = FairQueue(100)
    for number in range(rounds(2_000, 20_000)):
        queue.put(number, f"person {number}", number)
        queue.discard(number)
    assert len(queue._order) < 100
    assert not queue._lines
    assert not queue._entries


# Lanes.


def thread(name: object) -> ThreadKey:
    return ThreadKey("fake", "w", "c", str(name))


class Site:
    """Work that is let go thread by thread."""

    def __init__(self) -> None:
        self.started: list[ThreadKey] = []
        self.running: dict[ThreadKey, asyncio.Event] = {}
        self.ended: list[tuple[ThreadKey, str]] = []
        self.at_once = 0
        self.free = False

    async def work(self, key: ThreadKey, halt: StopSignal) -> None:
        if halt.ends is not None:
            self.ended.append((key, halt.ends))
            return
        self.started.append(key)
        self.running[key] = asyncio.Event()
        self.at_once = max(self.at_once, len(self.running))
        try:
            if not self.free:
                await self.running[key].wait()
        finally:
            del self.running[key]

    async def let_go(self, key: ThreadKey) -> None:
        began = len(self.started)
        self.running[key].set()
        # Until it has ended and another has begun.
        while key in self.running or len(self.started) == began:  # noqa: ASYNC110
            await asyncio.sleep(0)

    def finish(self) -> None:
        """Let go what runs, and what comes."""
        self.free = True
        for event in self.running.values():
            event.set()


async def test_at_most_so_many_turns_run_at_once() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=3)
        for number in range(1_000):
            lanes.put(thread(number), "eve", number)
        while len(site.running) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        # Who waits is a name in a queue, and no task.
        assert len(asyncio.all_tasks()) <= 4
        site.finish()
    assert site.at_once == 3
    assert len(site.started) == 1_000


async def test_a_thousand_threads_of_one_do_not_delay_the_first_of_another() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=1)
        for number in range(1_000):
            lanes.put(thread(number), "eve", number)
        await asyncio.sleep(0)
        assert lanes.put(thread("bob"), "bob", 5_000.0)
        await site.let_go(thread(0))
        assert site.started == [thread(0), thread("bob")]
        await lanes.close(0)


async def test_who_goes_on_in_one_thread_does_not_keep_its_place() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=1)
        lanes.put(thread("eve"), "eve", 1.0)
        lanes.put(thread("bob"), "bob", 2.0)
        await asyncio.sleep(0)
        lanes.put(thread("eve"), "eve", 3.0)
        await site.let_go(thread("eve"))
        await site.let_go(thread("bob"))
        assert site.started == [thread("eve"), thread("bob"), thread("eve")]
        site.finish()


async def test_only_the_first_thing_that_waits_is_worth_a_notice() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=1)
        assert not lanes.put(thread(0), "eve", 0.0)
        assert lanes.put(thread(1), "eve", 1.0)
        assert not lanes.put(thread(2), "eve", 2.0)
        assert not lanes.put(thread(1), "eve", 3.0)
        assert lanes.put(thread(3), "bob", 3.0)
        await lanes.close(0)


class Shelf:
    """Threads with open turns, as a store has them."""

    def __init__(self) -> None:
        self.waiting: list[WaitingThread] = []
        self.fetched: list[int] = []

    async def fetch(self, most: int) -> Sequence[WaitingThread]:
        self.fetched.append(most)
        return self.waiting[:most]


async def test_what_does_not_fit_in_memory_is_fetched_when_there_is_room() -> None:
    shelf = Shelf()
    order: list[str] = []
    gate = asyncio.Event()

    async def work(key: ThreadKey, halt: StopSignal) -> None:
        await gate.wait()
        order.append(key.thread)
        shelf.waiting = [each for each in shelf.waiting if each.thread != key]

    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, work, shelf.fetch, at_once=2, most=10)
        for number in range(100):
            shelf.waiting.append(WaitingThread(thread(number), "eve", number))
            lanes.put(thread(number), "eve", number)
        shelf.waiting.append(WaitingThread(thread("bob"), "bob", 100.0))
        lanes.put(thread("bob"), "bob", 100.0)
        assert len(lanes._queue) == 10
        gate.set()
        while shelf.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert sorted(order) == sorted([*map(str, range(100)), "bob"])
    assert order.index("bob") <= 3
    assert max(shelf.fetched) <= 12


async def test_a_store_that_has_no_more_is_not_asked_again() -> None:
    shelf = Shelf()
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, shelf.fetch, at_once=1, most=2)
        shelf.waiting = [WaitingThread(thread(each), "eve", each) for each in range(2)]
        assert await lanes.resume() == 2
        await asyncio.sleep(0)
        shelf.waiting = []
        site.finish()
    # The first time it was full, so there might have been more.
    assert len(shelf.fetched) <= 2


async def test_a_waiting_thread_can_be_stopped_and_takes_no_place() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=1)
        lanes.put(thread("eve"), "eve", 1.0)
        lanes.put(thread("bob"), "bob", 2.0)
        await asyncio.sleep(0)
        assert lanes.waiting(Scope("fake", "w", "c"), "bob") == [thread("bob")]
        assert lanes.waiting(Scope("fake", "w", "d"), "bob") == []
        assert lanes.stop(thread("bob"), "its key")
        assert not lanes.stop(thread("nowhere"))
        while not site.ended:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert site.ended == [(thread("bob"), "its key")]
        assert lanes.waiting(Scope("fake", "w", "c"), "bob") == []
        site.finish()
    assert site.started == [thread("eve")]


async def test_a_platform_that_hangs_leaves_places_to_the_others() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=4, per_platform=3)
        for number in range(50):
            lanes.put(thread(number), f"eve {number}", number)
        elsewhere = ThreadKey("other", "w", "c", "1")
        lanes.put(elsewhere, "bob", 100.0)
        await asyncio.sleep(0)
        assert elsewhere in site.running
        assert len(site.running) == 4
        lanes.put(ThreadKey("other", "w", "c", "2"), "bob", 101.0)
        await site.let_go(elsewhere)
        assert len(site.running) == 4
        site.finish()


async def test_closing_begins_nothing_that_waits() -> None:
    site = Site()
    async with Background() as tasks:
        lanes = ThreadDispatcher(tasks, site.work, at_once=1)
        for number in range(50):
            lanes.put(thread(number), "eve", number)
        await asyncio.sleep(0)
        closing = asyncio.create_task(lanes.close(60))
        await asyncio.sleep(0)
        site.finish()
        await closing
        assert not lanes.stop(thread(5))
    assert site.started == [thread(0)]


def test_the_operator_says_how_many_answers_run_at_once() -> None:
    assert Config.from_env({}).answers_at_once == ANSWERS_AT_ONCE == 100
    env = {"THREADKEEP_ANSWERS_AT_ONCE": "7"}
    assert Config.from_env(env).answers_at_once == 7
    for wrong in ("0", "-1", "10001", "many", "1e3"):
        with pytest.raises(ConfigError, match="THREADKEEP_ANSWERS_AT_ONCE"):
            Config.from_env({"THREADKEEP_ANSWERS_AT_ONCE": wrong})


# The whole core.


class Claude(ScriptedModel):
    """Answers when it is let, and counts who is being answered."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.running = self.most = 0
        #: What it was asked, in that order.
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> AsyncIterator[object]:  # type: ignore[override]
        self.running += 1
        self.most = max(self.most, self.running)
        self.asked.append(request)
        try:
            await self.gate.wait()
            async for piece in super().answer(request):
                yield piece
        finally:
            self.running -= 1


class ActiveReplies:
    """Threadkeep with few places, and many people."""

    def __init__(self, store: Store | None = None, places: int = 5) -> None:
        self.adapter = FakeAdapter()
        self.claude = Claude()
        self.store = store or MemoryStore()
        self.places = places

    @contextlib.asynccontextmanager
    async def open(self, grace: float = 5.0) -> AsyncIterator[App]:
        stopping = asyncio.Event()
        app = App(
            store=self.store,
            model=self.claude,  # type: ignore[arg-type]
            adapters=[self.adapter],
            operator=OPERATOR,
            grace=grace,
            at_once=self.places,
        )
        task = asyncio.create_task(app.run(stopping))
        await asyncio.shield(self.adapter.listening)
        try:
            yield app
        finally:
            stopping.set()
            await task

    async def mention(self, author: str, name: str, at: float = 0.0) -> None:
        await self.adapter.receive(mention(author, name, at))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def all_answered(self, count: int) -> None:
        await self.until(lambda: self.adapter.closed == count and not self.adapter.open)

    def askers(self) -> list[str]:
        """Return who asked, in the order of the requests, by the names of their
        threads."""
        return [
            request.messages[-1].content.split("from ")[1].split("<")[0].strip()
            for request in self.claude.asked
        ]


def mention(author: str, name: str, at: float = 0.0) -> Message:
    return Message(
        thread=thread(name),
        message=f"m-{name}-{at}",
        at=time.time() - 100 + at,
        author=author,
        text=f"A question from {name}",
        addressed=True,
        opens=True,
    )


async def test_a_thousand_mentions_at_once_are_so_many_answers_at_a_time() -> None:
    crowd = ActiveReplies(places=5)
    count = rounds(15, 1_000)
    async with crowd.open():
        await asyncio.gather(
            *(crowd.mention("eve", f"eve-{each}") for each in range(count))
        )
        await crowd.until(lambda: crowd.claude.running == 5)
        await crowd.mention("bob", "bob-1", 50.0)
        crowd.claude.gate.set()
        await crowd.all_answered(count + 1)
    assert crowd.claude.most == 5
    assert crowd.askers().index("bob-1") <= 6
    assert await crowd.store.open_threads() == []
    # Each is told once, however much of theirs waits.
    assert Counter(crowd.adapter.noticed) == {("eve", CROWDED): 1, ("bob", CROWDED): 1}


async def test_each_of_many_people_is_told_but_not_all_at_once() -> None:
    crowd = ActiveReplies(places=1)
    held = asyncio.Event()
    told: list[str] = []

    async def notice(
        message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        told.append(message.author)
        await held.wait()

    crowd.adapter.notice = notice  # type: ignore[method-assign]
    async with crowd.open(grace=0):
        for each in range(2 * MOST_AT_ONCE):
            await crowd.mention(f"person {each}", f"thread-{each}")
        await crowd.until(lambda: len(told) >= MOST_AT_ONCE)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(told) == MOST_AT_ONCE
        held.set()


async def test_a_restart_keeps_the_order_and_the_fairness() -> None:
    store = MemoryStore()
    for each in range(8):
        await store.receive(mention("eve", f"eve-{each:02}", each), answer)
    for each in range(3):
        await store.receive(mention("bob", f"bob-{each}", 30 + each), answer)
    crowd = ActiveReplies(store, places=1)
    crowd.claude.gate.set()
    async with crowd.open():
        await crowd.all_answered(11)
    names = crowd.askers()
    assert names[:6] == ["eve-00", "bob-0", "eve-01", "bob-1", "eve-02", "bob-2"]
    assert names[6:] == [f"eve-{each:02}" for each in range(3, 8)]


async def test_stop_ends_a_question_that_waits_at_once() -> None:
    crowd = ActiveReplies(places=1)
    async with crowd.open() as app:
        await crowd.mention("eve", "eve-1")
        await crowd.until(lambda: crowd.claude.running == 1)
        await crowd.mention("bob", "bob-1", 1.0)
        place, bob = Scope.of(thread("bob-1")), Person("bob", "Bob")
        told = await app.host.commands.run(
            Command("stop"), place, Person("mallory", "Mallory")
        )
        assert told.text != "Stopping."  # type: ignore[union-attr]
        told = await app.host.commands.run(Command("stop"), place, bob)
        assert told.text == "Stopping."  # type: ignore[union-attr]
        # Eve's answer goes on, so no place has become free.
        async with asyncio.timeout(60):
            while await crowd.store.next_turn(thread("bob-1")):  # noqa: ASYNC110
                await asyncio.sleep(0)
        facts = await crowd.store.turn_facts(thread("bob-1"))
        assert facts is not None
        assert (facts.state, facts.ended) == (TurnState.DELIVERED, Ended.STOPPED)
        crowd.claude.gate.set()
        await crowd.all_answered(1)
        # What is asked in that thread from now on is answered.
        await crowd.mention("bob", "bob-1", 2.0)
        await crowd.all_answered(2)
    assert crowd.askers()[0] == "eve-1"
    assert len(crowd.claude.requests) == 2


async def test_stop_in_the_channel_ends_all_that_waits_of_who_says_it() -> None:
    crowd = ActiveReplies(places=1)
    async with crowd.open() as app:
        for each in range(9):
            await crowd.mention("eve", f"eve-{each}", each)
        await crowd.mention("bob", "bob-1", 50.0)
        await crowd.until(lambda: crowd.claude.running == 1)
        told = await app.host.commands.run(
            Command("stop"), Scope("fake", "w", "c"), Person("eve", "Eve")
        )
        assert told.text == "Stopping."  # type: ignore[union-attr]
        crowd.claude.gate.set()
        await crowd.until(lambda: crowd.adapter.closed >= 2)
        await crowd.all_answered(2)
        assert await crowd.store.open_threads() == []
    assert crowd.askers() == ["eve-0", "bob-1"]


async def test_what_waits_at_shutdown_is_answered_by_the_next_process() -> None:
    store = MemoryStore()
    first = ActiveReplies(store, places=2)
    async with first.open(grace=0):
        for each in range(5):
            await first.mention("eve", f"eve-{each}", each)
        await first.until(lambda: first.claude.running == 2)
    assert len(await store.open_threads()) == 5
    second = ActiveReplies(store, places=2)
    second.claude.gate.set()
    async with second.open():
        await second.all_answered(5)
    assert sorted(second.askers()) == sorted(f"eve-{each}" for each in range(5))


async def test_a_thread_keeps_its_order_while_others_wait() -> None:
    crowd = ActiveReplies(places=1)
    async with crowd.open():
        await crowd.mention("eve", "eve-1", 1.0)
        await crowd.until(lambda: crowd.claude.running == 1)
        await crowd.mention("eve", "eve-1", 2.0)
        assert crowd.adapter.noticed == []
        await crowd.mention("bob", "bob-1", 3.0)
        crowd.claude.gate.set()
        await crowd.all_answered(3)
    assert crowd.askers() == ["eve-1", "bob-1", "eve-1"]
    assert crowd.claude.most == 1
