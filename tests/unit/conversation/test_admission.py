"""Turns under settings: what Claude is asked, for whom, and at what cost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from bot.app import App
from bot.claude.catalog import ModelAvailability, cost
from bot.domain.budget import Period
from bot.domain.completion import Activity, Report, Usage
from bot.domain.message import Message, Origin
from bot.domain.person import Person
from bot.domain.reply import Control
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.messages.answers import UNWELCOME
from bot.settings.effective import Operator
from bot.ui.elements import Command, Response
from tests.support.deep import rounds
from tests.support.fakes import FAST, FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

HERE = ThreadKey("fake", "w", "c", "here")
CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)
WORKSPACE = Scope.of(HERE).at(ScopeLevel.WORKSPACE)
OWNER = Person("olga", "Olga", runs_workspace=True)

ROOMY = replace(FAST, part_chars=2_000)


class Room:
    """A channel with settings, a fake platform around it, and a scripted model."""

    def __init__(self, **operator: str) -> None:
        self.adapter = FakeAdapter(limits=ROOMY)
        self.model = ScriptedModel()
        self.store = MemoryStore()
        self.operator = Operator({"prompt": "Be brief.", **operator})
        #: What Claude's API says of the models.
        self.survey: ModelAvailability | None = None
        self._surveyed = asyncio.Event()
        self._numbers = iter(range(1, 10_000))
        self._app: App | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Room"]:
        stopping = asyncio.Event()
        self._app = App(
            store=self.store,
            model=self.model,
            adapters=[self.adapter],
            operator=self.operator,
            grace=5.0,
            survey=self._look,
        )
        task = asyncio.create_task(self._app.run(stopping))
        await asyncio.shield(self.adapter.listening)
        try:
            yield self
        finally:
            stopping.set()
            await task

    async def _look(self) -> ModelAvailability | None:
        asyncio.get_running_loop().call_soon(self._surveyed.set)
        return self.survey

    async def surveyed(self) -> None:
        """Wait until the app has looked at the models."""
        await self._surveyed.wait()

    async def put(
        self, name: str, value: str, place: Scope = CHANNEL, *, running: bool = False
    ) -> None:
        """Set an option as Olga would."""
        change = Change(place, name, value, versioned=name == "prompt")
        await self.store.change_settings([change], who="olga", now=1.0, running=running)

    async def tell(
        self,
        verb: str,
        thread: ThreadKey = HERE,
        *,
        who: Person = OWNER,
        **arguments: str,
    ) -> str:
        """Let `who`, who is Olga, give a command in `thread`."""
        assert self._app is not None
        place = Scope.of(thread)
        told = await self._app.host.commands.run(Command(verb, arguments), place, who)
        assert isinstance(told, Response)
        return told.whole

    async def ask(
        self,
        text: str = "?",
        thread: ThreadKey = HERE,
        *,
        author: str = "alice",
        addressed: bool = True,
        origin: Origin = Origin.OWN,
    ) -> None:
        number = next(self._numbers)
        heard = Message(
            thread=thread,
            message=f"m{number:05}",
            at=time.time() + number / 100_000,
            author=author,
            text=text,
            addressed=addressed,
            opens=addressed,
            origin=origin,
        )
        await self.adapter.receive(heard)

    async def answered(self, count: int, thread: ThreadKey = HERE) -> list[str]:
        """Wait until a thread has `count` whole answers; what they read."""
        await self.adapter.until(
            lambda: len(self.adapter.texts(thread)) == count and not self.adapter.open,
        )
        return self.adapter.texts(thread)


def there(number: int) -> ThreadKey:
    return ThreadKey("fake", "w", "c", f"t{number}")


async def test_claude_is_asked_as_the_channel_says() -> None:
    room = Room()
    await room.put("prompt", "Speak like a pirate.")
    await room.put("model", "claude-sonnet-4-6")
    await room.put("max_tokens", "1000")
    await room.put("temperature", "0.3")
    await room.put("stop_sequences", '["END"]')
    await room.put("web_search", "on")
    await room.put("web_fetch", "on")
    await room.put("web_fetch_domains", "a.example b.example")
    await room.put("effort", "low", WORKSPACE)
    async with room.open():
        await room.ask()
        await room.answered(1)
        elsewhere = ThreadKey("fake", "w", "other", "x")
        await room.ask(thread=elsewhere)
        await room.answered(1, elsewhere)
    ours, theirs = room.model.requests
    assert ours.system.startswith("Speak like a pirate.")
    assert (ours.model, ours.max_tokens, ours.temperature) == (
        "claude-sonnet-4-6",
        1000,
        0.3,
    )
    assert (ours.stop_sequences, ours.effort) == (("END",), "low")
    assert ours.searches > 0
    assert (ours.fetches, ours.hosts) == (3, ("a.example", "b.example"))
    assert theirs.system.startswith("Be brief.")
    assert (theirs.temperature, theirs.stop_sequences, theirs.searches) == (None, (), 0)
    assert (theirs.fetches, theirs.hosts) == (0, ())


async def test_a_thread_keeps_the_kind_of_its_tools_and_not_the_hosts() -> None:
    room = Room(web_fetch="on")
    room.survey = ModelAvailability(code={"claude-sonnet-5-5": True})
    async with room.open():
        await room.surveyed()
        await room.ask()
        await room.answered(1)
    # The next process does not know yet what the models can do.
    later = Room(web_fetch="on")
    later.store, later._numbers = room.store, room._numbers
    async with later.open():
        await later.put("web_fetch_domains", "a.example")
        await later.ask()
        await later.answered(1)
        elsewhere = ThreadKey("fake", "w", "c", "later")
        await later.ask(thread=elsewhere)
        await later.answered(1, elsewhere)
    requests = [*room.model.requests, *later.model.requests]
    kinds = [(each.filters, each.hosts) for each in requests]
    assert kinds == [(True, ()), (True, ("a.example",)), (False, ("a.example",))]


async def test_a_model_without_effort_is_not_sent_one() -> None:
    room = Room(model="claude-haiku-4-5")
    async with room.open():
        await room.ask()
        await room.answered(1)
    assert room.model.requests[0].effort is None


async def test_a_running_thread_keeps_what_it_began_with() -> None:
    room = Room()
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.put("prompt", "Speak like a pirate.")
        await room.put("model", "claude-opus-5-5")
        await room.ask()
        texts = await room.answered(2)
        await room.ask(thread=there(1))
        await room.answered(1, there(1))
    first, second, fresh = room.model.requests
    assert (second.system, second.model) == (first.system, first.model)
    assert fresh.system.startswith("Speak like a pirate.")
    assert fresh.model == "claude-opus-5-5"
    assert "This thread now uses" not in texts[1]


async def test_where_running_threads_change_they_say_so_once() -> None:
    room = Room()
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.put("prompt", "Speak like a pirate.", running=True)
        await room.put("model", "claude-opus-5-5", WORKSPACE, running=True)
        for count in (2, 3):
            await room.ask()
            texts = await room.answered(count)
    assert room.model.requests[1].model == "claude-opus-5-5"
    assert room.model.requests[1].system.startswith("Speak like a pirate.")
    assert "This thread now uses claude-opus-5-5" in texts[1]
    assert "system prompt version 1" in texts[1]
    assert "This thread now uses" not in texts[2]
    # What Claude reads back is its answer alone.
    conversation = await room.store.conversation(HERE)
    assert [said.content for said in conversation][3] == "Understood."


async def test_what_is_set_for_a_thread_applies_at_once() -> None:
    room = Room()
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.tell("model", value="haiku")
        await room.ask()
        texts = await room.answered(2)
    assert room.model.requests[1].model == "claude-haiku-5-5"
    assert "This thread now uses claude-haiku-5-5" in texts[1]


async def test_auto_chooses_once_by_the_first_message() -> None:
    room = Room(model="auto")
    room.model.script("CHEAP a greeting")
    async with room.open():
        await room.ask("hello there")
        await room.answered(1)
        await room.ask("and prove Fermat's last theorem")
        await room.answered(2)
        told = await room.tell("settings")
    routing, first, second = room.model.requests
    assert routing.model == "claude-haiku-5-5"
    assert "hello there" in routing.messages[0].content
    assert first.model == second.model == "claude-haiku-5-5"
    assert "chosen by `auto`: a greeting" in told
    kinds = {row.kind: row for row in await room.store.spending(0)}
    assert kinds.keys() == {"routing", "answer"}
    assert kinds["routing"].cost > 0
    assert kinds["routing"].person == "alice"


async def test_where_auto_cannot_tell_the_capable_one_answers() -> None:
    room = Room(model="auto")
    room.model.script("Well, that depends.")
    async with room.open():
        await room.ask()
        await room.answered(1)
    assert room.model.requests[1].model == "claude-sonnet-5-5"


async def test_only_those_who_are_named_are_answered() -> None:
    room = Room()
    await room.put("who", "user:bob group:support")
    room.adapter.people["sue"] = Person("sue", groups=frozenset({"support"}))
    async with room.open():
        await room.ask(author="bob", thread=there(1))
        await room.answered(1, there(1))
        await room.ask(author="sue", thread=there(2))
        await room.answered(1, there(2))
        await room.ask(author="alice", thread=there(3))
        [told] = await room.answered(1, there(3))
    assert UNWELCOME in told
    assert len(room.model.requests) == 2


async def test_those_who_are_not_named_may_talk_among_themselves() -> None:
    room = Room()
    await room.put("who", "user:bob")
    async with room.open():
        await room.ask(author="bob")
        await room.answered(1)
        await room.ask("I think so, too", author="alice", addressed=False)
        await room.ask("so what now?", author="bob", addressed=False)
        await room.answered(2)
    assert len(room.model.requests) == 2
    assert "I think so, too" in room.model.requests[1].messages[-1].content


async def test_whom_nothing_is_known_of_is_asked_to_try_again() -> None:
    room = Room()
    await room.put("who", "group:support")
    room.adapter.unknown.add("alice")
    async with room.open():
        await room.ask()
        [told] = await room.answered(1)
    assert "couldn't check your permissions" in told
    assert room.model.requests == []


async def test_quiet_and_follow_decide_who_has_to_mention_it() -> None:
    room = Room()
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.put("quiet", "on")
        await room.ask("not for you", addressed=False)
        await room.put("quiet", "off")
        await room.put("follow", "off")
        await room.ask("nor is this", addressed=False)
        await room.put("follow", "on")
        await room.ask("now you", addressed=False)
        await room.answered(2)
    last = room.model.requests[-1].messages[-1].content
    assert len(room.model.requests) == 2
    assert all(text in last for text in ("not for you", "nor is this", "now you"))


async def test_a_budget_holds_whatever_is_asked_at_once() -> None:
    count, room = rounds(15, 100), Room(max_tokens="4096")
    usage = Usage(input=1_000, output=4_000)
    price = cost("claude-sonnet-5-5", usage, time.time())
    assert price is not None
    await room.put("budget_day", "0.5")
    gate = asyncio.Event()
    for _ in range(count):
        last = Report("claude-sonnet-5-5", "req", usage, "end_turn")
        room.model.script("Yes.", gate, last)
    async with room.open():
        await asyncio.gather(*(room.ask(thread=there(n)) for n in range(count)))
        await room.adapter.until(
            lambda: (
                sum(bool(room.adapter.texts(there(n))) for n in range(count)) == count
            ),
        )
        gate.set()
        for n in range(count):
            await room.answered(1, there(n))
        balance = await room.store.balance(CHANNEL, Period.DAY, time.time())
        told = await room.tell("budget", period="day", value="100")
        assert "Saved" in told
        await room.ask(thread=there(1000))
        await room.answered(1, there(1000))
    asked = len(room.model.requests) - 1
    assert 0 < asked < 10
    # To the cent what was used, and never more than was allowed.
    assert abs(balance.spent - asked * price) < 1e-9
    assert balance.spent <= 0.5
    assert balance.reserved == 0
    refused = [room.adapter.texts(there(n))[0] for n in range(count)]
    told_so = [text for text in refused if "budget of this channel" in text]
    assert len(told_so) == count - asked


async def test_a_refused_question_is_answered_when_there_is_money() -> None:
    room = Room(max_tokens="4096")
    await room.put("budget_day", "0.0001")
    async with room.open():
        await room.ask("what is the capital of France?")
        [told] = await room.answered(1)
        assert "does not cover" in told
        assert "olga" in told.lower()
        await room.tell("budget", period="day", value="5")
        await room.ask("and now?", addressed=False)
        await room.answered(2)
    [request] = room.model.requests
    assert "capital of France" in request.messages[0].content


async def test_a_tight_budget_is_counted_before_anybody_is_turned_away() -> None:
    # A long prompt of few tokens: by its letters it is too dear, by its tokens not.
    room = Room(max_tokens="100")
    await room.put("budget_day", "0.05")
    async with room.open():
        await room.ask("hello " * 3_000)
        [text] = await room.answered(1)
    assert text == "Understood."


async def test_a_model_of_unknown_price_is_not_asked_under_a_budget() -> None:
    room = Room(model="claude-unheard-of")
    async with room.open():
        await room.ask()
        await room.answered(1)
        await room.put("budget_day", "5")
        await room.ask()
        texts = await room.answered(2)
    assert "is not known" in texts[1]
    assert len(room.model.requests) == 1


async def test_admins_are_told_at_three_quarters_and_near_the_end_once() -> None:
    room = Room(max_tokens="1000")
    await room.put("budget_day", "0.1")
    await room.put("admins", "user:adam", WORKSPACE)
    usage = Usage(input=100, output=4_000)  # $0.0402
    async with room.open():
        for count in range(1, 5):
            report = Report("claude-sonnet-5-5", "req", usage, "end_turn")
            room.model.script("Yes.", report)
            await room.ask()
            await room.answered(count)
    told = [(user, text[2:5]) for user, text in room.adapter.told]
    assert told == [("olga", "75%"), ("adam", "75%"), ("olga", "95%"), ("adam", "95%")]


async def test_one_person_cannot_use_up_the_channel() -> None:
    room = Room()
    await room.put("person_messages", "2")
    async with room.open():
        for count in (1, 2, 3):
            await room.ask(author="alice")
            texts = await room.answered(count)
        await room.ask(author="bob", thread=there(1))
        assert await room.answered(1, there(1)) == ["Understood."]
    assert "2 questions" in texts[2]
    assert "try again in" in texts[2]


async def test_a_footer_says_what_it_took_and_is_not_read_back() -> None:
    room = Room(footer="on")
    async with room.open():
        await room.ask()
        [text] = await room.answered(1)
        await room.ask()
        await room.answered(2)
    assert "claude-sonnet-5-5 · 10 tokens read, 5 written · <$0.01" in text
    assert "tokens read" not in room.model.requests[1].messages[1].content


async def test_feedback_is_asked_for_below_whole_answers_alone() -> None:
    room = Room(feedback="on")

    def final() -> list[bool]:
        parts = (part for _, _, part in room.adapter.writes if part.final)
        return [Control.FEEDBACK in part.controls for part in parts]

    async with room.open():
        await room.ask()
        await room.answered(1)
        asked = [
            Control.FEEDBACK in part.controls
            for _, _, part in room.adapter.writes
            if part.final
        ]
        await room.put("budget_day", "0.0001")
        await room.ask()
        await room.answered(2)
        later = [
            Control.FEEDBACK in part.controls
            for _, _, part in room.adapter.writes
            if part.final
        ]
    assert asked == [True]
    assert later == [True, False]


async def test_usage_tells_members_of_themselves_and_admins_of_all() -> None:
    room = Room()
    async with room.open():
        await room.ask(author="alice")
        await room.answered(1)
        await room.ask(author="bob", thread=there(1))
        await room.answered(1, there(1))
        for_admin = await room.tell("usage", where="channel")
        whole = await room.tell("usage", where="workspace")
        assert room._app is not None
        told = await room._app.host.commands.run(
            Command("usage", {"where": "channel"}),
            Scope.of(HERE),
            Person("alice", "Alice"),
        )
    assert isinstance(told, Response)
    assert "This channel, today" in for_admin
    assert "2 answers" in for_admin
    assert "user:bob" in for_admin
    assert "channel:c" in whole
    assert "user:bob" not in told.text
    assert "**You, this month**" in told.text


async def test_a_platform_can_show_what_claude_does_to_the_end() -> None:
    room = Room(web_search="on")
    room.adapter.signs = True
    searching, reading = Activity("search"), Activity("fetch", "a.example")
    first = Report("claude-sonnet-5-5", activity=searching)
    later = replace(first, activity=reading)
    written = asyncio.Event()
    room.model.script(first, "One.", written, later, "Two.")
    async with room.open():
        await room.ask()
        await room.adapter.until(lambda: bool(room.adapter.seen.get(HERE)))
        written.set()
        [text] = await room.answered(1)
    assert text == "One.Two."
    assert room.adapter.activities == [searching, reading]
