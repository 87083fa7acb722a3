"""The story of a turn, told with fakes that behave."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.claude.catalog import DEFAULT_MODEL, ModelAvailability, find
from bot.claude.client import connect
from bot.context.long_threads import note
from bot.conversation.outcomes import UNFINISHED
from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.completion import Report
from bot.domain.message import Message
from bot.domain.reply import Part, PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended, Outcome, Turn
from bot.errors import (
    DeliveryError,
    ModelBusy,
    ModelCut,
    StorageFull,
    ThreadGone,
    Throttled,
)
from bot.messages.answers import EMPTY, GO_ON, LEFT_OUT, STOPPED, TOO_LONG
from bot.ports.model import Model
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support import store_helpers
from tests.support.fakes import FakeAdapter, show
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import USAGE, ScriptedModel

FACTS = find(DEFAULT_MODEL)
assert FACTS
MIN_CACHE = FACTS.min_cache

HERE = ThreadKey("fake", "w", "c", "here")
THERE = ThreadKey("fake", "w", "c", "there")


class Desk:
    """Threadkeep between a fake platform, a scripted model and a store."""

    def __init__(
        self, store: MemoryStore | None = None, claude: Model | None = None
    ) -> None:
        self.adapter = FakeAdapter()
        self.model = ScriptedModel()
        self._claude = claude
        self.store = store or MemoryStore()
        self._numbers = iter(range(1, 1000))
        self.began = time.time()
        #: What the API says of the models.
        self.found: ModelAvailability | None = None

    async def _look(self) -> ModelAvailability | None:
        return self.found

    @contextlib.asynccontextmanager
    async def open(self, grace: float = 5.0) -> AsyncIterator[App]:
        stopping = asyncio.Event()
        app = App(
            store=self.store,
            model=self._claude or self.model,
            adapters=[self.adapter],
            operator=OPERATOR,
            grace=grace,
            survey=self._look,
        )
        task = asyncio.create_task(app.run(stopping))
        await asyncio.shield(self.adapter.listening)
        try:
            yield app
        finally:
            stopping.set()
            await task

    def said(
        self,
        text: str,
        thread: ThreadKey = HERE,
        *,
        author: str = "alice",
        addressed: bool = True,
        opens: bool = True,
    ) -> Message:
        number = next(self._numbers)
        return Message(
            thread=thread,
            message=f"m{number:03}",
            at=self.began + number / 1000,
            author=author,
            text=text,
            addressed=addressed,
            opens=opens,
        )

    async def ask(self, text: str, thread: ThreadKey = HERE) -> None:
        await self.adapter.receive(self.said(text, thread))

    async def answered(self, *texts: str, thread: ThreadKey = HERE) -> None:
        """Wait until the thread reads exactly `texts`, and nothing is open."""
        await self.adapter.until(
            lambda: self.adapter.texts(thread) == list(texts) and not self.adapter.open
        )

    async def closed(self, count: int) -> None:
        """Wait until `count` replies are complete."""
        await self.adapter.until(lambda: self.adapter.closed == count)

    async def left(self, text: str, *, attempts: int = 1, ago: float = 0.0) -> Turn:
        """Leave a turn in HERE as a process does that is killed while it answers:
        `text` was shown, after `attempts`, `ago` seconds back."""
        then = time.time() - ago
        await self.store.receive(self.said("?"), store_helpers.answer)
        turn = await self.turn()
        for _ in range(attempts):
            await self.store.begin_turn(turn, then)
        await self.store.store_prompt(turn, "", {"m001": "?"})
        await self.store.store_part(turn, PostedPart(0, None, text), text, then)
        async with self.adapter.surface(turn) as surface:
            message = await show(surface, Part(0, text))
        await self.store.store_part(turn, PostedPart(0, message, text), text, then)
        return turn

    async def turn(self, thread: ThreadKey = HERE) -> Turn:
        turn = await self.store.next_turn(thread)
        assert turn is not None
        return turn


async def test_an_answer_is_shown_remembered_and_paid() -> None:
    desk = Desk()
    desk.model.script("The capital ", "is Paris.")
    async with desk.open():
        await desk.ask("?")
        await desk.answered("The capital is Paris.")
    assert await desk.store.open_threads() == []
    [spent] = await desk.store.spending(0)
    assert (spent.usage, spent.turns, spent.unpriced) == (USAGE, 1, 0)
    assert [said.content for said in await desk.store.conversation(HERE)][1] == (
        "The capital is Paris."
    )


async def test_the_next_turn_reads_the_last_byte_for_byte() -> None:
    desk = Desk()
    async with desk.open():
        for number in (1, 2, 3):
            await desk.ask(f"question {number}")
            await desk.closed(number)
    first, second, third = (each.messages for each in desk.model.requests)
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert len({each.system for each in desk.model.requests}) == 1


async def test_ten_turns_are_read_from_the_cache() -> None:
    async with (
        ClaudeEmulator() as claude,
        connect(claude.api_key, claude.base_url) as model,
    ):
        claude.always("A sentence for the record. " * 12)
        desk = Desk(claude=model)
        async with desk.open():
            for number in range(1, 11):
                await desk.ask(f"question {number}")
                await desk.closed(number)
    used = [asked.usage for asked in claude.requests if asked.usage]
    assert len(used) == 10
    for before, after in itertools.pairwise(used):
        if before.prompt >= MIN_CACHE:
            assert after.cache_read >= before.prompt - before.input
        else:
            assert after.cache_read == 0
    assert sum(each.cache_read > 0 for each in used) >= 5
    [spent] = await desk.store.spending(0)
    assert spent.usage.cache_read == sum(each.cache_read for each in used)
    assert 0 < spent.cost < 0.1
    assert spent.unpriced == 0


async def test_a_placeholder_stands_in_until_the_first_word() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script(gate, "Paris.")
    async with desk.open():
        await desk.ask("?")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == [""])
        gate.set()
        await desk.answered("Paris.")


async def test_an_outage_in_the_middle_keeps_what_was_said() -> None:
    desk = Desk()
    desk.model.script("The capital of ", ModelCut("eof"))
    async with desk.open():
        await desk.ask("?")
        await desk.closed(1)
    [text] = desk.adapter.texts(HERE)
    assert text.startswith("The capital of ")
    assert ModelCut.user_text in text
    assert (await desk.store.conversation(HERE))[-1].content.endswith(UNFINISHED)


async def test_a_busy_model_is_said_politely() -> None:
    desk = Desk()
    desk.model.script(ModelBusy("529 overloaded"))
    async with desk.open():
        await desk.ask("?")
        await desk.answered(f"⚠️ _{ModelBusy.user_text}_")


async def test_an_empty_answer_is_explained() -> None:
    desk = Desk()
    desk.model.script()
    async with desk.open():
        await desk.ask("?")
        await desk.answered(f"⚠️ _{EMPTY}_")


async def test_a_refused_turn_leaves_the_conversation() -> None:
    desk = Desk()
    desk.model.script("I ", Report("m", "req", USAGE, "refusal"))
    async with desk.open():
        await desk.ask("something bad")
        await desk.closed(1)
        await desk.ask("something good")
        await desk.closed(2)
    assert len(desk.model.requests[1].messages) == 1
    assert "something good" in desk.model.requests[1].messages[0].content


async def test_stop_hangs_up_and_keeps_what_was_shown() -> None:
    desk = Desk()
    desk.model.script("The capital", asyncio.Event(), "never")
    async with desk.open() as app:
        await desk.ask("?")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["The capital"])
        assert await app.host.conversations.stop(HERE)
        await desk.answered(f"The capital\n\n_{STOPPED}_")
        assert not await app.host.conversations.stop(THERE)
    assert len(desk.model.hung_up) == 1


async def test_the_next_turn_is_looked_for_with_the_end_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, found = Desk(), list[bool]()
    next_turn = desk.store.next_turn

    async def look(thread: ThreadKey) -> Turn | None:
        turn = await next_turn(thread)
        found.append(turn is not None)
        return turn

    monkeypatch.setattr(desk.store, "next_turn", look)
    desk.model.script("One.")
    async with desk.open():
        await desk.ask("first")
        await desk.answered("One.")
    assert found == [True]


async def test_what_is_said_meanwhile_becomes_one_next_turn() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script(gate, "One.")
    desk.model.script("Two.")
    async with desk.open():
        await desk.ask("first")
        await desk.adapter.until(lambda: bool(desk.model.requests))
        await desk.ask("second")
        await desk.ask("third")
        gate.set()
        await desk.answered("One.", "Two.")
    newest = desk.model.requests[1].messages[-1].content
    assert newest.index("second") < newest.index("third")


async def test_called_late_it_reads_the_thread_once() -> None:
    desk = Desk()
    desk.adapter.past = [
        desk.said("it fails", author="bob", addressed=False),
        desk.said("since when?", addressed=False, opens=False),
    ]
    async with desk.open():
        await desk.adapter.receive(desk.said("", opens=False))
        await desk.closed(1)
        desk.adapter.past = []
        await desk.adapter.receive(desk.said("and?", opens=False))
        await desk.closed(2)
    first = desk.model.requests[0].messages[0].content
    assert first.index("it fails") < first.index("since when?")
    assert desk.model.requests[1].messages[0].content == first


@pytest.mark.parametrize("after", ["history", "prompt"])
async def test_what_is_missing_is_said_after_a_restart_too(after: str) -> None:
    desk, never = Desk(), asyncio.Event()
    desk.adapter.past = [
        desk.said("it fails", author="bob", addressed=False),
        desk.said("since when?", addressed=False, opens=False),
    ]
    desk.adapter.past_missing, desk.adapter.past_gap = 981, 1
    question = desk.said("help", opens=False)
    if after == "history":
        await desk.store.receive(question, store_helpers.answer)
        turn = await desk.turn()
        await desk.store.begin_turn(turn, turn.touched)
        await desk.store.backfill(turn, desk.adapter.past)
    else:
        desk.model.script(never, "never")
        async with desk.open(grace=0.0):
            await desk.adapter.receive(question)
            await desk.adapter.until(lambda: bool(desk.model.requests))
    desk.model.script("Well.")
    async with desk.open():
        await desk.adapter.until(lambda: "Well." in str(desk.adapter.texts(HERE)))
        await desk.closed(1 if after == "history" else 2)
    [answer] = desk.adapter.texts(HERE)
    assert answer == f"Well.\n\n_{LEFT_OUT.format(980)}_"
    content = desk.model.requests[-1].messages[0].content
    assert content.count(note(981)) == 1
    assert content.index("it fails") < content.index(note(981))
    assert content.index(note(981)) < content.index("since when?")


async def test_a_platform_without_history_and_messenger_is_answered() -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.adapter.history = desk.adapter.messenger = None
    desk.model.script("One", gate, ".")
    desk.model.script("Two.")
    async with desk.open():
        await desk.adapter.receive(desk.said("first", opens=False))
        await desk.adapter.until(lambda: bool(desk.model.requests))
        await desk.adapter.receive(desk.said("second", opens=False))
        gate.set()
        await desk.answered("One.", "Two.")
    assert desk.adapter.noticed == []


@pytest.mark.parametrize("has_buttons", [True, False])
async def test_only_without_buttons_a_cut_answer_says_how_to_have_the_rest(
    has_buttons: bool,
) -> None:
    desk = Desk()
    if not has_buttons:
        desk.adapter.messenger = None
    desk.model.script("Half", Report("claude-x", "req", USAGE, "max_tokens"))
    await desk.left("Half", attempts=2)
    async with desk.open():
        await desk.closed(1)
        assert (GO_ON in desk.adapter.texts(HERE)[0]) != has_buttons
        await desk.ask("more")
        await desk.closed(2)
    last = desk.adapter.texts(HERE)[-1]
    assert TOO_LONG in last
    assert (GO_ON in last) != has_buttons


async def test_a_throttled_write_is_made_again_with_the_newest_text() -> None:
    desk = Desk()
    desk.adapter.troubles = [None, Throttled("429", 0.02), DeliveryError("500")]
    desk.model.script("Paris.")
    async with desk.open():
        await desk.ask("?")
        await desk.answered("Paris.")


async def test_a_gone_thread_ends_the_turn_and_hangs_up() -> None:
    desk = Desk()
    desk.adapter.troubles = [ThreadGone("is_archived")]
    desk.model.script("Paris", asyncio.Event())
    async with desk.open():
        await desk.ask("?")
        await desk.adapter.until(lambda: len(desk.model.hung_up) == 1)
        await desk.ask("elsewhere", THERE)
        await desk.answered("Understood.", thread=THERE)
    assert await desk.store.open_threads() == []
    spent = {each.place.key: each.usage for each in await desk.store.spending(0)}
    assert spent[HERE].input == 10


async def test_told_to_stop_it_hands_over_what_takes_too_long() -> None:
    desk = Desk()
    desk.model.script("The capital", asyncio.Event())
    desk.model.script("The capital is Paris.")
    async with desk.open(grace=0.0):
        await desk.ask("?")
        await desk.adapter.until(lambda: desk.adapter.texts(HERE) == ["The capital"])
    desk.adapter = again(desk.adapter)
    async with desk.open():
        await desk.answered("The capital is Paris.")
    assert len(desk.model.requests) == 2


async def test_a_crashed_answer_is_begun_again_in_the_same_message() -> None:
    desk = Desk()
    await desk.left("The capital of Fr")
    desk.model.script("Paris.")
    async with desk.open():
        await desk.answered("Paris.")


async def test_after_a_second_crash_it_keeps_what_was_shown() -> None:
    desk = Desk()
    await desk.left("The capital of Fr", attempts=2)
    async with desk.open():
        await desk.adapter.until(lambda: "interrupted" in desk.adapter.texts(HERE)[0])
    assert desk.adapter.texts(HERE)[0].startswith("The capital of Fr\n\n⚠️ _")
    assert desk.model.requests == []


async def test_long_after_a_crash_it_keeps_what_was_shown() -> None:
    desk = Desk()
    await desk.left("The capital of Fr", ago=600)
    async with desk.open():
        await desk.adapter.until(lambda: "interrupted" in desk.adapter.texts(HERE)[0])
    assert desk.model.requests == []


async def test_long_after_a_crash_a_placeholder_is_still_answered() -> None:
    desk = Desk()
    await desk.left("", ago=6000)
    async with desk.open():
        await desk.answered("Understood.")


async def test_a_finished_answer_is_delivered_and_not_asked_for_again() -> None:
    desk = Desk()
    turn = await desk.left("The capital of Fr")
    outcome = Outcome(Ended.DONE, "It is Paris.", replay="It is Paris.", note="_Note._")
    await desk.store.finish_turn(turn, outcome, time.time())
    async with desk.open():
        await desk.answered("It is Paris.\n\n_Note._")
    assert desk.model.requests == []


async def test_a_shorter_second_attempt_takes_left_over_messages_back() -> None:
    desk = Desk()
    turn = await desk.left("x" * 200)
    async with desk.adapter.surface(turn) as surface:
        message = await show(surface, Part(1, "y" * 50))
    shown = PostedPart(1, message, "y" * 50)
    await desk.store.store_part(turn, shown, "x" * 200 + "y" * 50, time.time())
    desk.model.script("Short.")
    async with desk.open():
        await desk.answered("Short.")


async def test_a_full_disk_delays_an_answer_and_does_not_lose_it() -> None:
    class FullForAWhile(MemoryStore):
        tries = 0

        async def finish_turn(
            self,
            turn: Turn,
            outcome: Outcome,
            now: float,
            caps: BudgetLimits = NO_LIMITS,
        ) -> list[Alert]:
            self.tries += 1
            if self.tries == 1:
                raise StorageFull("the disk is full")
            return await super().finish_turn(turn, outcome, now, caps)

    desk = Desk(FullForAWhile())
    async with desk.open():
        await desk.ask("?")
        await desk.answered("Understood.")
    assert len(desk.model.requests) == 1


def again(adapter: FakeAdapter) -> FakeAdapter:
    """Return the platform of `adapter`, as a new process meets it."""
    new = FakeAdapter()
    new.seen = adapter.seen
    return new
