"""Random turns on the real SDK, with an emulator that keeps its own bill.

Each turn has its own person, whose opaque id is in every request, so that the booked
and the billed cost of a turn can be compared.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bot.claude import one_shot
from bot.claude.catalog import ModelAvailability
from bot.claude.client import ClaudeModel, client
from bot.context import prompt
from bot.conversation.assembly import create_responder
from bot.conversation.responder import Responder
from bot.conversation.stop_signal import StopSignal
from bot.conversation.summariser import Summariser
from bot.domain.budget import Charge
from bot.domain.completion import ChatMessage, Request
from bot.domain.mcp import Listing, McpServer
from bot.domain.message import Message
from bot.domain.platform import Limits
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.domain.triage_case import TriageCase
from bot.mcp_listings import McpListings
from bot.ports.store import Store
from bot.runtime.background import Background
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from bot.triage.chat.classifier import Classifier
from storage import ledger
from tests.emulators.claude.bill import by_user
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.mcp_servers import Server
from tests.emulators.claude.reply import (
    Abort,
    Ask,
    Code,
    End,
    Error,
    Fail,
    Fetch,
    Hold,
    Open,
    Other,
    Search,
    Stall,
    Start,
    Step,
    Stop,
    Think,
)
from tests.support import store_helpers
from tests.support.deep import rounds
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore

#: What the ids of people are made opaque with.
SECRET = "s"
PAGE = ("A page", "https://page.example/")
SORTED = '{"category": "bug", "priority": "high", "summary": "It broke."}'

#: Errors that say before anything is generated that nothing will be.
REFUSED = (429, 500, 503, 529)

# Seconds without a byte until the product gives a stream up: short enough for a test in
# which streams stall, long enough for a machine that has thousands of turns to play.
SILENCE = float(rounds(2, 15))

#: How a turn is disturbed where its script waits.
STOP, KILL, SHUT_DOWN = "stop", "kill", "shut down"

#: A link in every question.
LINK = "https://page.example/"

#: An MCP server, which is on where the web is searched, and what it lists.
WIKI = McpServer("wiki", "Wiki", "https://wiki.example/mcp", ("read",))
LISTING = Listing(
    *("wiki", "https://wiki.example/mcp"),
    json.dumps([{"name": "read", "input_schema": {"type": "object"}}]),
)

#: The model whose code may call tools.
FILTERING = "claude-sonnet-5-5"

#: The channels, each with other settings: model, longest answer, whether the web is
#: searched and pages are fetched, budget.
CHANNELS: tuple[tuple[str, int, bool, str], ...] = (
    ("claude-sonnet-5-5", 4096, False, ""),
    ("claude-sonnet-5-5", 4096, True, ""),
    ("claude-opus-5-5", 1000, False, ""),
    ("claude-haiku-5-5", 4096, True, ""),
    ("claude-haiku-4-5", 300, False, ""),
    ("auto", 2000, False, ""),
    ("claude-sonnet-5-5", 4096, False, "1"),
    ("claude-sonnet-5-5", 1000, True, "4"),
    ("claude-haiku-5-5", 4096, False, "0.05"),
    ("claude-opus-5-5", 2000, False, "0.5"),
)


class Gate(asyncio.Event):
    """A point where an answer waits until it is cut off; `reached` is set once it
    waits."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Any:
        self.reached.set()
        return await super().wait()


class CountingStore(MemoryStore):
    """A store whose charges can be added up."""

    def start_anew(self) -> None:
        """Do what the start of a process does."""
        ledger.book_interrupted(self.db, now=time.time())

    def booked(self) -> dict[str, tuple[float, bool]]:
        """Return by person the booked costs in USD, and whether some of them are a
        bound."""
        rows = self.db.execute(
            """
            SELECT person, sum(coalesce(cost, reserved)), max(bounded OR cost IS NULL)
            FROM charges GROUP BY person
            """
        )
        return {person: (usd, bool(bounded)) for person, usd, bounded in rows}


class Mortal:
    """A store as one process sees it: once the process is dead, no call returns."""

    def __init__(self, store: object) -> None:
        self._store = store
        self.dead = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            if self.dead:
                await asyncio.Event().wait()
            return await verb(*arguments, **named)

        return call


@dataclass
class Play:
    """One turn: what the API does to each of its requests, and what else happens."""

    author: str
    #: "answer", "try" or "triage".
    kind: str
    channel: int
    scripts: deque[Sequence[Step]]
    #: By the gates of the scripts: what happens when an answer waits there.
    fates: list[tuple[Gate, str]] = field(default_factory=list)
    #: Whether the question is deleted after the first disturbance.
    deleted: bool = False
    #: Whether a try that may be billed fails on the way to the last one.
    loses: bool = False
    #: Whether it is not disturbed, and its last script ends well.
    well: bool = True


@dataclass
class Books:
    """The result of one turn: what the API billed and what was booked."""

    play: Play
    billed: float
    booked: float
    #: Whether some of what is booked is a bound.
    bounded: bool


class Writer:
    """Makes up turns. The same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)

    def play(self) -> Play:
        """Play one more turn."""
        chance = self._chance
        kind = chance.choices(("answer", "try", "triage"), (80, 8, 12))[0]
        channel = chance.randrange(len(CHANNELS))
        play = Play(f"u{next(self._numbers)}", kind, channel, deque())
        _, longest, searches, _ = CHANNELS[channel]
        searches = searches and kind == "answer"
        if CHANNELS[channel][0] == "auto" and kind == "answer":
            play.scripts.append(["CHEAP a greeting"])
        for _ in range(chance.choices((0, 1, 2, 3), (70, 18, 9, 3))[0]):
            self._failing(play, longest, searches)
        while searches and chance.random() < 0.2:
            steps = self._content(longest // 4, searches=True)
            play.scripts.append([*steps, Search("so", [PAGE]), Stop("pause_turn")])
        self._last(play, longest, searches)
        play.deleted = bool(play.fates) and chance.random() < 0.2
        return play

    def _failing(self, play: Play, longest: int, searches: bool) -> None:
        """Add a try that fails before any text."""
        chance = self._chance
        if chance.random() < 0.6:
            play.scripts.append([Fail(chance.choice(REFUSED))])
            return
        play.loses = True
        thought = [Think(tokens=chance.randint(1, longest))] * chance.randint(0, 1)
        looked = [Search("so", [PAGE])] * (searches and chance.random() < 0.5)
        heads: list[list[Step]] = [[], [Open()], [Start(), *thought, *looked]]
        head = chance.choice(heads)
        page = Fail(502, page="<h1>Bad Gateway</h1>")
        ends: list[Step] = [Abort(), Error(), End(), Stall(), page, Fail(504)]
        end = chance.choices(ends, (5, 5, 5, 1, 2, 2))[0]
        play.scripts.append([end] if isinstance(end, Fail) else [*head, end])

    def _last(self, play: Play, longest: int, searches: bool) -> None:
        """Add what the last request meets, if nobody disturbs it."""
        chance = self._chance
        steps = self._content(longest, searches=searches)
        end: list[Step] = [Stop(chance.choice(("end_turn", "max_tokens", "refusal")))]
        if chance.random() < 0.15:
            play.well = False
            end = [chance.choice((Abort(), Error(), End(), Error("api_error")))]
        for _ in range(chance.choices((0, 1, 2), (60, 30, 10))[0]):
            play.well = False
            # The very first place is before the headers of the answer.
            gate, at = Gate(), chance.randint(0, len(steps))
            fate = chance.choices((STOP, KILL, SHUT_DOWN), (60, 25, 15))[0]
            fate = fate if play.kind == "answer" else KILL
            play.fates.append((gate, fate))
            play.scripts.append([*steps[:at], Hold(gate), *steps[at:], *end])
            if fate == STOP:
                return
        said: list[Step] = [SORTED] if play.kind == "triage" else steps
        if play.well and not CHANNELS[play.channel][3] and chance.random() < 0.05:
            # Whoever is cut off before this was said cannot know of it.
            said.insert(0, Other("claude-opus-5-5"))
        play.scripts.append([*said, *end])

    def _content(self, longest: int, *, searches: bool) -> list[Step]:
        chance, steps = self._chance, list[Step]()
        if chance.random() < 0.5:
            steps.append(Think(tokens=chance.randint(1, max(1, longest // 2))))
        for _ in range(chance.randint(0, 3) if searches else 0):
            found = chance.randint(0, 20_000)
            searched = Search("something", [PAGE], "See this. ", tokens=found)
            fetched = Fetch(LINK, text="It says this. ", tokens=found)
            # Where no code filters, it is passed over.
            code = Code(tokens=found)
            asked = Ask(WIKI.name, "read", "It knows this. ", tokens=found)
            used: tuple[Step, ...] = (searched, fetched, code, asked)
            steps += chance.choices(used, (4, 3, 2, 4), k=chance.choice((1, 1, 1, 4)))
        for _ in range(chance.randint(1, 4)):
            steps.append("word " * chance.randint(1, max(1, longest // 4)))
        return steps


class Stage:
    """A bot between the emulator and a platform in memory."""

    def __init__(self, claude: ClaudeEmulator, model: ClaudeModel) -> None:
        self.claude = claude
        self.model = model
        self.store = CountingStore()
        self.adapter = FakeAdapter(limits=Limits(part_chars=40_000))
        values = {"prompt": "Be brief.", "max_tokens": "4096"}
        self.operator = Operator(values, SECRET, servers=(WIKI,))
        self.listings = McpListings(
            self.store, model, self.operator, lambda name, problem: None
        )
        claude.mcp[WIKI.url] = Server(json.loads(LISTING.tools))
        self.ends: Counter[str] = Counter()
        self._scripts: dict[str, deque[Sequence[Step]]] = defaultdict(deque)
        claude.always(self._scripted)
        code = {"code_execution": {"supported": True}}
        claude.models[FILTERING] = {"capabilities": code}

    async def furnish(self, scale: float) -> None:
        """Set what applies in each channel, with budgets `scale` times as large."""
        await self.store.pin_listing(LISTING)
        await self.listings.load()
        changes = []
        for number, (model, longest, searches, budget) in enumerate(CHANNELS):
            values = {"model": model, "max_tokens": str(longest)}
            values["web_search"] = values["web_fetch"] = "on" if searches else "off"
            values["mcp"] = WIKI.name if searches else "off"
            if budget:
                values["budget_day"] = f"{float(budget) * scale:.4f}"
            place = channel(number)
            changes += [Change(place, name, value) for name, value in values.items()]
        await self.store.change_settings(changes, who="olga", now=1.0)

    async def played(self, plays: Sequence[Play], at_once: int = 100) -> list[Books]:
        """Play all of `plays`, so many at once; return what was booked and billed."""
        free = asyncio.Semaphore(at_once)

        async def one(play: Play) -> None:
            self._scripts[self._user(play)] = play.scripts
            async with free:
                match play.kind:
                    case "try":
                        await self._asked(play, lambda store: self._try(play, store))
                    case "triage":
                        await self._asked(play, lambda store: self._sort(play, store))
                    case _:
                        await self._answered(play)

        await asyncio.gather(*(one(play) for play in plays))
        await self.claude.until(lambda: not self.claude.answering)
        # Charges of a process that died are booked when the next one starts.
        self.store.start_anew()
        billed = by_user(self.claude.requests)
        booked = self.store.booked()
        return [
            Books(
                play, billed[self._user(play)], *booked.get(play.author, (0.0, False))
            )
            for play in plays
        ]

    async def _answered(self, play: Play) -> None:
        thread = ThreadKey("fake", "w", f"c{play.channel}", play.author)
        heard = Message(
            thread=thread,
            message=f"m{play.author}",
            at=time.time(),
            author=play.author,
            text="What is it? " * 20 + LINK,
            addressed=True,
            opens=True,
        )
        await self.store.receive(heard, store_helpers.answer)
        fates = deque(play.fates)
        while await self.store.next_turn(thread):
            mortal, halt = Mortal(self.store), StopSignal()
            drained = asyncio.create_task(
                self._responder(mortal).answer_next(thread, halt)
            )
            gate, fate = fates.popleft() if fates else (Gate(), "")
            if not await _came_to(gate, drained):
                await drained
                continue
            self.ends[fate] += 1
            if fate == STOP:
                halt.ask("")
                await drained
            else:
                mortal.dead = fate == KILL
                await _end(drained)
            if play.deleted:
                await self.store.delete_messages(
                    "fake", "w", [heard.message], None, time.time()
                )

    def _responder(self, mortal: Mortal) -> Responder:
        store = cast(Store, mortal)
        # No thread is long enough for a summary.
        summariser = Summariser(
            *(store, self.model, Background(), "", lambda: None), time.time
        )
        return create_responder(
            store=store,
            model=self.model,
            adapters={"fake": self.adapter},
            operator=self.operator,
            summariser=summariser,
            listings=self.listings,
            # What is begun there costs nothing.
            tasks=Background(),
            begun=lambda thread, messages: None,
            survey=lambda: ModelAvailability(code={FILTERING: True}),
        )

    async def _asked(
        self, play: Play, ask: Callable[[Store], Coroutine[Any, Any, None]]
    ) -> None:
        """Have something asked that is no answer, by a process that may be killed."""
        mortal = Mortal(self.store)
        task = asyncio.create_task(ask(cast(Store, mortal)))
        gate = play.fates[0][0] if play.fates else Gate()
        if await _came_to(gate, task):
            self.ends[KILL] += 1
            mortal.dead = True
            await _end(task)
        else:
            await task

    async def _try(self, play: Play, store: Store) -> None:
        model, longest, _, _ = CHANNELS[play.channel]
        request = Request(
            model=model if model != "auto" else "claude-sonnet-5-5",
            system="Be brief.",
            messages=(ChatMessage("user", "What is it?"),),
            max_tokens=longest,
            user=self._user(play),
        )
        charge = Charge(channel(play.channel), play.author, "try", request.model)
        policy = await self._authority(store).policy(charge.place)
        await one_shot.complete_charged(
            *(store, self.model, request, charge, policy.caps),
            timeout=60.0,
            now=time.time,
        )

    async def _sort(self, play: Play, store: Store) -> None:
        place = channel(play.channel)
        caps = (await self._authority(store).policy(place)).caps
        sorter = Classifier(store, self.model, self.operator)
        scheme = await sorter.scheme(await self._authority(store).policy(place))
        case = TriageCase(0, place, play.author, time.time(), play.author, "It broke.")
        await sorter.classify(await store.open_case(case), scheme, play.author, caps)

    def _authority(self, store: Store) -> SettingsAccess:
        return SettingsAccess(store, {"fake": self.adapter}, self.operator)

    def _user(self, play: Play) -> str:
        return prompt.opaque(play.author, "w", SECRET)

    def _scripted(self, body: dict[str, Any]) -> Sequence[Step]:
        scripts = self._scripts[body["metadata"]["user_id"]]
        return scripts.popleft() if scripts else [SORTED]


def channel(number: int) -> Scope:
    """Return the channel with these settings."""
    return Scope("fake", "w", f"c{number}")


async def _came_to(gate: Gate, task: "asyncio.Task[Any]") -> bool:
    """Return True if `task` waits at `gate`, False if it ended before."""
    reached = asyncio.create_task(gate.reached.wait())
    await asyncio.wait({reached, task}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    return not task.done()


async def _end(task: "asyncio.Task[Any]") -> None:
    """Cancel `task` until it is over, as a process ends that nobody waits for."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)


@contextlib.asynccontextmanager
async def opened(scale: float = 1.0) -> AsyncIterator[Stage]:
    """A stage whose waits between tries pass at once; `scale` is for its budgets."""

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    async with (
        ClaudeEmulator() as claude,
        client(claude.api_key, claude.base_url, silence=SILENCE) as api,
    ):
        stage = Stage(claude, ClaudeModel(api, sleep=at_once, chance=lambda: 0.0))
        await stage.furnish(scale)
        yield stage
