"""The booked cost of a call is never less than the billed cost.

Every turn goes through the real SDK to an emulator that keeps its own bill, by the
documented rules of the API (`tests/emulators/claude/bill.py`).
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.claude import cost as claude_cost
from bot.claude.catalog import MODELS, cost
from bot.claude.client import ClaudeClient, client
from bot.claude.errors import CallFailed, Fault, judge
from bot.domain.budget import (
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    Period,
    PersonLimit,
)
from bot.domain.completion import Call, ChatMessage, Report, Request, Usage
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.domain.turn import Ended, Outcome
from bot.ports.store import Store
from bot.ui.elements import Response
from tests.emulators.claude.bill import priced
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    Abort,
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
from tests.security.billed_turns import (
    CHANNELS,
    FILTERING,
    KILL,
    LINK,
    SHUT_DOWN,
    STOP,
    Books,
    Gate,
    Play,
    Writer,
    channel,
    opened,
)
from tests.support.command_harness import CHANNEL, MEMBER, NOON, OWNER, THREAD, Office
from tests.support.deep import deep_only, rounds, share
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import ask, said
from tests.support.triage_requests import sorted_as
from tests.unit.conversation.test_admission import Room

#: By the names of channels: their number among `CHANNELS`.
PLAIN, SEARCHING, BUDGET = 0, 1, 6
LONGEST = CHANNELS[PLAIN][1]
PAGE = ("A page", "https://page.example/")


async def played(*plays: Play, generates_on: bool = False) -> list[Books]:
    async with opened() as stage:
        stage.claude.generates_on = generates_on
        return await stage.played(plays)


def play(
    *scripts: Sequence[Step], number: int = PLAIN, kind: str = "answer", **more: object
) -> Play:
    made = Play("u1", kind, number, deque(scripts))
    return replace(made, **more)  # type: ignore[arg-type]


def disturbed(
    fate: str, *steps: Step, then: Sequence[Step] = ("Yes.",), number: int = PLAIN
) -> Play:
    """Return an answer that is disturbed once it has come through `steps`."""
    gate = Gate()
    return play(
        [*steps, Hold(gate), "And so on. " * 500],
        then,
        number=number,
        fates=[(gate, fate)],
        well=False,
    )


# Random turns


@pytest.mark.parametrize("generates_on", [True, *deep_only(False)])
async def test_what_is_booked_is_never_less_than_what_is_billed(
    generates_on: bool, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """Stops, kills, cuts at each event, searches, fetched pages, code that filters,
    thinking and tries that fail; also if the API goes on generating, and billing, when
    nobody listens any more."""
    writer = Writer(seed=1 + generates_on)
    plays = [writer.play() for _ in range(rounds(18, 5_000))]
    scale = len(plays) / 100
    async with opened(scale) as stage:
        stage.claude.generates_on = generates_on
        books = await stage.played(plays)
        under = [each for each in books if each.booked < each.billed - 1e-9]
        assert [(e.play.author, e.play.channel, e.play.kind) for e in under] == []
        # Who ended well, with no try before it that may be billed, is booked exactly.
        well = [b for b in books if b.play.well and not b.play.loses]
        for each in (each for each in books if not each.bounded):
            assert each.booked <= each.billed * 1.01 + 1e-9, each
        assert [each for each in well if each.bounded] == []
        for number, (_, _, _, budget) in enumerate(CHANNELS):
            ours = [each for each in books if each.play.channel == number]
            spent = sum(each.booked for each in ours)
            if budget:
                cap = float(budget) * scale
                assert sum(each.billed for each in ours) <= cap
                assert spent <= cap + 1e-6
            account = await stage.store.balance(
                channel(number), Period.DAY, time.time()
            )
            month = await stage.store.balance(
                channel(number), Period.MONTH, time.time()
            )
            # What is on the account is what the charges add up to; nothing is held.
            assert month.spent == pytest.approx(spent, abs=1e-6)
            assert account.reserved == month.reserved == 0
    kind = "generates_on" if generates_on else "stops_at_once"
    for name, value in figures(books).items():
        record_testsuite_property(f"{kind}.{name}", value)
    assert all(stage.ends[fate] for fate in (STOP, KILL, SHUT_DOWN))


def figures(books: Sequence[Books]) -> dict[str, float]:
    """Return the figures of the simulation, by name."""
    paid = [each for each in books if each.billed > 0]
    exact = [each for each in paid if not each.bounded]
    stopped = [b for b in paid if b.play.fates and b.play.fates[0][1] == STOP]
    plain = [b for b in stopped if not CHANNELS[b.play.channel][2]]
    near = [each for each in exact if each.booked <= 1.01 * each.billed]
    return {
        "turns": len(books),
        "billed": len(paid),
        "exact": len(exact),
        "worst_ratio": min(each.booked / each.billed for each in paid),
        "within_1_percent_of_exact": len(near) / len(exact),
        "stopped": len(stopped),
        "stopped_over": _over(stopped),
        "stopped_over_without_search": _over(plain),
        "stopped_over_usd": _over_usd(stopped),
        "stopped_over_usd_without_search": _over_usd(plain),
        "all_over": _over(paid),
    }


def _over(books: Sequence[Books]) -> float:
    """Return booked costs as a multiple of billed ones."""
    billed = sum(each.billed for each in books)
    return sum(each.booked for each in books) / billed if billed else 1.0


def _over_usd(books: Sequence[Books]) -> float:
    """Return the mean excess of booked over billed costs for a turn, in USD."""
    return sum(each.booked - each.billed for each in books) / max(1, len(books))


# Kinds, one by one

CUT: list[tuple[str, Sequence[Step]]] = [
    ("before the headers", []),
    ("after the headers", [Open()]),
    ("before a word", [Start()]),
    ("after thinking", [Think(tokens=4_000)]),
    ("after a word", ["Well, "]),
    ("after thinking and words", [Think(tokens=2_000), "Well, " * 100]),
]


@pytest.mark.parametrize("generates_on", [True, *deep_only(False)])
async def test_an_answer_that_is_cut_off_is_booked_at_a_bound(
    generates_on: bool,
) -> None:
    # A stop and a shut-down leave the stream in one way.
    cuts = [
        *((KILL, *cut) for cut in CUT),
        *((STOP, *cut) for cut in share(CUT, 0, 2)),
        *((SHUT_DOWN, *cut) for cut in share(CUT, 1, 2)),
    ]
    made = [
        replace(disturbed(fate, *steps), author=f"u{number}")
        for number, (fate, _, steps) in enumerate(cuts)
    ]
    found = await played(*made, generates_on=generates_on)
    for (fate, where, _), books in zip(cuts, found, strict=True):
        assert books.bounded, (fate, where)
        assert 0 < books.billed <= books.booked, (fate, where)
        # No more than two answers of the greatest length, one of them exactly known.
        assert books.booked < 0.1, (fate, where)


@pytest.mark.parametrize("searches", [*deep_only(1, 3), 5])
async def test_searches_before_a_stop_are_booked(searches: int) -> None:
    looked = [Search("why", [PAGE], "See. ", tokens=20_000)] * searches
    [books] = await played(disturbed(STOP, *looked, number=SEARCHING))
    assert books.billed > 0.01 * searches
    assert books.booked >= books.billed


async def test_all_that_was_found_is_booked_with_every_further_reading() -> None:
    """Pages as long as they are taken to be, and as many readings as there can be."""
    page = Fetch(LINK, text="See. ", tokens=claude_cost.FETCH_TOKENS)
    looked = [page] * 3 + [Search("why", [PAGE], "See. ", tokens=20_000)] * 5
    code = [Code(tokens=1)] * 10
    plain, filtering = CHANNELS[3][0], CHANNELS[SEARCHING][0]
    assert (plain == FILTERING, filtering == FILTERING) == (False, True)
    ways = ((3, looked), (SEARCHING, [*looked, *code]))
    books = await played(
        *(replace(disturbed(STOP, *s, number=n), author=f"s{n}") for n, s in ways),
        *(play([*s, "Yes."], number=n, author=f"w{n}") for n, s in ways),
    )
    for stopped, whole in zip(books[:2], books[2:], strict=True):
        assert stopped.bounded
        assert 0.05 < stopped.billed <= stopped.booked
        assert whole.booked == pytest.approx(whole.billed)


async def test_a_hard_budget_is_not_passed_by_stopping_again_and_again() -> None:
    dollars = float(rounds(0.3, 1.0))
    async with opened(dollars) as stage:
        made = [
            replace(disturbed(STOP, Think(tokens=4_000), number=BUDGET), author=f"u{n}")
            for n in range(rounds(9, 60))
        ]
        books = await stage.played(made, at_once=1)
        assert sum(each.billed for each in books) <= dollars
        assert 0 < sum(each.billed > 0 for each in books) < len(made)
        balance = await stage.store.balance(channel(BUDGET), Period.DAY, time.time())
        assert balance.spent >= sum(each.billed for each in books)


LOST: list[Sequence[Step]] = [
    [Abort()],
    [Open(), Abort()],
    [Start(), Error()],
    [Think(tokens=1_500), Error("api_error")],
    [Think(tokens=1_500), End()],
    [Think(tokens=1_500), Abort()],
]


async def test_what_failed_tries_used_is_added_up() -> None:
    good = [sorted_as()]
    # Whoever asks, one function asks again.
    losses = [
        *(("answer", lost) for lost in LOST),
        *((kind, lost) for kind in ("try", "triage") for lost in share(LOST, 0, 3)),
    ]
    made = [
        play(lost, lost, good, kind=kind, author=f"u{number}")
        for number, (kind, lost) in enumerate(losses)
    ]
    for (kind, lost), books in zip(losses, await played(*made), strict=True):
        assert books.bounded, (kind, lost)
        assert books.booked >= books.billed > 0, (kind, lost)


async def test_a_try_that_the_api_refused_costs_nothing() -> None:
    made = [
        play([Fail(status)], [Fail(status)], ["Yes."], author=f"u{status}")
        for status in (429, 529, *deep_only(500, 503))
    ]
    for books in await played(*made):
        assert not books.bounded
        assert books.booked == pytest.approx(books.billed)


@pytest.mark.parametrize("kind", ["answer", "try", "triage"])
async def test_only_what_claude_wrote_before_declining_is_booked(kind: str) -> None:
    scripts: list[list[Step]] = [[Stop("refusal")], ["Well, ", Stop("refusal")]]
    # Triage asks again after a bad answer.
    made = [
        play(each, each, kind=kind, author=f"u{nth}")
        for nth, each in enumerate(scripts)
    ]
    before, midway = await played(*made)
    assert before.booked == before.billed == 0
    assert midway.booked == pytest.approx(midway.billed)
    assert midway.billed > 0


async def test_a_try_is_not_repeated_where_the_budget_has_no_room_for_it() -> None:
    steps: Sequence[Step] = [Think(tokens=10), Error()]
    async with opened() as stage:
        made = [
            replace(play(*[steps] * 5), channel=9, author=f"u{n}") for n in (1, 2, 3)
        ]
        books = await stage.played(made, at_once=1)
        requests = len(stage.claude.questions)
    assert sum(each.booked for each in books) <= 0.5
    # Each try may cost $0.04 and more, so that fifteen of them would pass $0.50.
    assert 8 < requests < 15


async def test_rounds_of_an_answer_are_priced_one_by_one() -> None:
    # Two prompts of 60,000 tokens are not one of 120,000, which would be dearer.
    looked: list[Step] = [Search("why", [PAGE], "See. "), Stop("pause_turn")]
    made = play(looked, looked, ["Done."], number=3)
    [books] = await played(made)
    assert not books.bounded
    assert books.booked == pytest.approx(books.billed)


async def test_when_a_dearer_model_answers_its_price_counts() -> None:
    dearer: list[Step] = [Other("claude-opus-5-5"), "Yes. " * 100]
    whole, stopped = await played(
        play(dearer), replace(disturbed(STOP, *dearer), author="u2")
    )
    assert not whole.bounded
    assert whole.booked == pytest.approx(whole.billed)
    assert stopped.booked >= stopped.billed


async def test_a_dearer_model_is_hung_up_on_without_room_in_the_budget() -> None:
    room, gate = Room(max_tokens="1000"), Gate()
    await room.put("budget_day", "0.03")
    both = ("claude-sonnet-5-5", "claude-fable-5-1")
    begun = Call(both, Usage(input=100, output=1_000))
    used = Usage(input=100, output=10)
    room.model.script(Report(both[1], "req", used, calls=(begun,)), "Well, ", gate)
    ended = Call(both, used, exact=True)
    room.model.script("Yes.", Report(both[1], "req", used, "end_turn", (ended,)))
    async with room.open():
        await room.ask()
        [text] = await room.answered(1)
        assert "does not cover another answer" in text
        assert not gate.reached.is_set()
        await room.tell("budget", period="day", value="0.1")
        await room.ask()
        texts = await room.answered(2)
    # One that is complete is kept, whatever it cost.
    assert texts[1] == "Yes."


async def test_after_a_deleted_question_the_attempt_before_stays_booked() -> None:
    made = replace(disturbed(KILL, Think(tokens=3_000)), deleted=True)
    [books] = await played(made)
    assert books.booked >= books.billed > 0


# What people are told of it


async def test_a_stopped_answer_says_at_most() -> None:
    room = Room(footer="on")
    gate = Gate()
    report = Report(
        "claude-sonnet-5-5",
        "req",
        Usage(input=10, output=1),
        calls=(Call(("claude-sonnet-5-5",), Usage(input=10, output=4096)),),
    )
    room.model.script(report, "Well, ", gate)
    async with room.open():
        await room.ask()
        await gate.reached.wait()
        await room.tell("stop")
        [text] = await room.answered(1)
        usage = await room.tell("usage", where="channel")
    assert "10 tokens read · at most $0.05" in text
    assert "at most $0.05" in usage


# A model of unknown price


async def test_no_model_of_unknown_price_is_tried_under_a_budget() -> None:
    office = Office(model="claude-unheard-of")
    form = await office.form("prompt try")
    told = await office.send(form, {"prompt": "Draft.", "question": "?"})
    assert len(office.model.requests) == 1
    await office.type("budget day 5")
    form = await office.form("prompt try")
    told = await office.send(form, {"prompt": "Draft.", "question": "?"})
    assert "is not known" in told.text
    assert len(office.model.requests) == 1


async def test_a_limit_of_nothing_for_a_person_needs_a_known_price_too() -> None:
    room = Room(model="claude-unheard-of", person_usd="0")
    async with room.open():
        await room.ask()
        [text] = await room.answered(1)
    assert "is not known" in text
    assert room.model.requests == []


# The bound

ASK = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", "How are you? " * 50),),
    max_tokens=1_000,
)


@pytest.mark.parametrize("model", list(MODELS))
def test_no_usage_within_what_is_allowed_costs_more_than_the_bound(model: str) -> None:
    for searches, size in itertools.product((0, 5), (100, 90_000, 3_000_000)):
        within_the_bound(model, searches, size)


def within_the_bound(model: str, searches: int, size: int) -> None:
    """See that no usage of one request costs more than what is set aside for it."""
    request = replace(
        ASK, model=model, searches=searches, messages=(ChatMessage("user", "x" * size),)
    )
    most = claude_cost.cost_ceiling(request, time.time())
    assert most is not None
    prompt = min(size, MODELS[model].context)
    for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read"):
        read = prompt * (1 + searches)
        usage = replace(Usage(output=1_000, searches=searches), **{kind: read})
        price = cost(model, usage, time.time())
        assert price is not None
        # Also where all answers are made in one region.
        assert 1.1 * (price - 0.01 * searches) + 0.01 * searches <= most + 1e-9


def test_usage_that_cannot_be_true_is_not_believed() -> None:
    planned = claude_cost.planned_call(ASK)
    nothing, no_output = Usage(), Usage(input=300)
    for used in (nothing, no_output):
        names = (ASK.model, ASK.model, used, "global")
        assert claude_cost.finished_call(*names, wrote=True) is None
        call = claude_cost.started_call(ASK, ASK.model, used, "global", planned)
        assert not call.exact
        assert call.usage.output == ASK.max_tokens
        assert call.usage.prompt >= 300 or used == nothing
    refusal = claude_cost.finished_call(
        ASK.model, ASK.model, no_output, "global", wrote=False
    )
    assert refusal is not None
    assert refusal.exact


@pytest.mark.parametrize("region", ["us", "eu-of-next-year"])
def test_a_region_that_is_dearer_is_booked_so(region: str) -> None:
    used = Usage(input=1_000, output=500)
    call = claude_cost.finished_call(ASK.model, ASK.model, used, region, wrote=True)
    assert call is not None
    billed = priced(ASK.model, used, region="us")
    assert claude_cost.price((call,), time.time()) == pytest.approx(billed)


def test_what_an_unknown_model_answered_is_booked_as_it_was_set_aside() -> None:
    call = Call(("claude-sonnet-5-5", "claude-unheard-of"), Usage(input=1), exact=True)
    report = Report("claude-unheard-of", stop_reason="end_turn", calls=(call,))
    assert claude_cost.bill(report, asked=True, at=time.time()).cost is None


def test_half_a_character_does_not_stop_the_count() -> None:
    broken = replace(ASK, messages=(ChatMessage("user", "\ud83e"),))
    assert claude_cost.usage_ceiling(broken).prompt > 0
    fault = judge(UnicodeEncodeError("utf-8", "\ud83e", 0, 1, "no"), ASK.model)
    assert not fault.billed


async def test_only_a_connection_that_was_never_made_costs_nothing() -> None:
    """Over aiohttp every broken connection looks like one that was never made."""
    async with (
        ClaudeEmulator() as claude,
        client(claude.api_key, claude.base_url, silence=0.3) as api,
    ):
        faults = []
        for steps in ([Abort()], [Stall()], [Fail(502, page="x")], [Fail(504)]):
            claude.script(steps)
            faults.append(await _fault(api))
        for steps in ([Fail(500)], [Fail(529)], [Fail(400)], [Fail(404, page="x")]):
            claude.script(steps)
            faults.append(await _fault(api))
        await claude.refuse()
        async with client(claude.api_key, claude.base_url, silence=0.3) as fresh:
            faults.append(await _fault(fresh))
    assert [fault.billed for fault in faults] == [True] * 4 + [False] * 5


async def _fault(api: ClaudeClient) -> Fault:
    request = replace(ASK, model="claude-haiku-5-5", max_tokens=10)
    with pytest.raises(CallFailed) as caught:
        await api.complete(request)
    return caught.value.fault


# The ledger

MIDNIGHT = NOON + 12 * 3600.0
C1 = Scope("slack", "T1", "C1")


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def a_day(usd: float) -> BudgetLimits:
    return BudgetLimits((Budget(C1, Period.DAY, usd),))


def paid(usd: float | None, *, bounded: bool = False) -> Outcome:
    return Outcome(Ended.STOPPED, "", model="m", cost=usd, bounded=bounded)


async def test_more_is_set_aside_only_within_the_budget(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.reserve(turn, "U1", 0.4, a_day(1.0), NOON)
    assert await store.raise_reserve(turn, 0.9, a_day(1.0), NOON) is None
    assert await store.raise_reserve(turn, 0.5, a_day(1.0), NOON) is None
    short = await store.raise_reserve(turn, 1.1, a_day(1.0), NOON)
    assert short is not None
    assert (short.budget, short.reserved) == (a_day(1.0).budgets[0], 0.0)
    balance = await store.balance(C1, Period.DAY, NOON)
    assert (balance.spent, balance.reserved) == (0.0, 0.9)
    await store.finish_turn(turn, paid(None), NOON)
    balance = await store.balance(C1, Period.DAY, NOON)
    assert (balance.spent, balance.reserved) == (0.9, 0.0)
    assert await store.raise_reserve(turn, 5.0, a_day(1.0), NOON) is None
    [row] = await store.spending(0.0)
    assert (row.cost, row.bounded, row.turns) == (0.9, 1, 1)


async def test_what_is_added_after_midnight_counts_for_the_day_of_its_beginning(
    store: Store,
) -> None:
    charge = Charge(C1, "U1", "try", "m", 0.4)
    opened_at = await store.open_charge(charge, a_day(1.0), MIDNIGHT - 1)
    assert isinstance(opened_at, int)
    assert await store.raise_reserve(opened_at, 0.8, a_day(1.0), MIDNIGHT + 1) is None
    short = await store.raise_reserve(opened_at, 1.2, a_day(1.0), MIDNIGHT + 1)
    assert isinstance(short, BudgetExceeded)
    await store.close_charge(opened_at, Usage(), None, MIDNIGHT + 2)
    before = await store.balance(C1, Period.DAY, MIDNIGHT - 1)
    after = await store.balance(C1, Period.DAY, MIDNIGHT + 1)
    assert (before.spent, before.reserved) == (0.8, 0.0)
    assert (after.spent, after.reserved) == (0.0, 0.0)


async def test_a_further_try_keeps_to_a_persons_amount_and_asks_nothing(
    store: Store,
) -> None:
    limits = BudgetLimits(
        people=(PersonLimit(C1, messages=1), PersonLimit(C1, usd=1.0))
    )
    turn = await ask(store, said("1"))
    assert await store.reserve(turn, "U1", 0.4, limits, NOON) is None
    assert await store.raise_reserve(turn, 0.9, limits, NOON) is None
    short = await store.raise_reserve(turn, 1.1, limits, NOON)
    assert short is not None
    assert short.person == limits.people[1]


async def test_whatever_ends_a_turn_after_a_crash_its_attempt_stays_booked(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    await store.begin_turn(turn, NOON)
    await store.reserve(turn, "U1", 0.5, a_day(1.0), NOON)
    # The process ends here; the next one has nothing to answer.
    await store.begin_turn(turn, NOON + 60)
    await store.finish_turn(turn, paid(0.0), NOON + 60)
    balance = await store.balance(C1, Period.DAY, NOON)
    assert (balance.spent, balance.reserved) == (0.5, 0.0)
    [row] = [row for row in await store.spending(0.0) if row.cost]
    assert (row.kind, row.cost, row.bounded) == ("attempt", 0.5, 1)


# Whatever asks Claude for a person is a question of theirs


def message(number: int) -> Message:
    thread = replace(THREAD.key, thread=f"m{number}")
    at = NOON - 60 + number
    return Message(thread, f"m{number}", at, "max", f"It broke {number}", False, True)


async def test_to_have_a_message_sorted_is_a_question() -> None:
    office = Office(person_messages="2")
    for _ in range(12):
        office.model.script(sorted_as())
    told = [await office.desk.triage(message(n), MEMBER) for n in range(12)]
    assert len(office.model.requests) == 2
    assert all("2 questions" in each.text for each in told[2:])


async def test_what_is_sorted_already_is_no_question() -> None:
    office = Office(person_messages="1")
    office.model.script(sorted_as())
    first = await office.desk.triage(message(1), MEMBER)
    for _ in range(5):
        assert await office.desk.triage(message(1), MEMBER) == first


async def test_a_bad_answer_is_tried_again_within_the_same_question() -> None:
    office = Office(person_messages="1")
    office.model.script("No JSON.")
    office.model.script(sorted_as())
    told = await office.desk.triage(message(1), MEMBER)
    assert "bug" in told.text
    assert len(office.model.requests) == 2


async def test_a_thread_and_a_draft_are_questions() -> None:
    office = Office(person_messages="1")
    office.adapter.past = [message(1)]
    office.model.script(sorted_as())
    place = Scope.of(message(1).thread)
    assert isinstance(await office.give("triage", OWNER, place), Response)
    told = await office.send(
        await office.form("prompt try"), {"prompt": "Draft.", "question": "?"}
    )
    assert "the limit of 1 question an hour" in told.text
    assert len(office.model.requests) == 1


async def test_a_channels_last_messages_are_one_question() -> None:
    office = Office(person_messages="2")
    office.adapter.past = [message(n) for n in range(9)]
    for _ in range(9):
        office.model.script(sorted_as())
    told = await office.type("triage last 100")
    assert "9 messages sorted" in told
    # The next one is the second question, and the third is one too many.
    office.adapter.past += [message(n) for n in range(9, 18)]
    for _ in range(9):
        office.model.script(sorted_as())
    assert "18 messages sorted" in await office.type("triage last 100")
    office.adapter.past += [message(n) for n in range(18, 27)]
    assert "Left: 9 messages" in await office.type("triage last 100")
    assert len(office.model.requests) == 18


async def test_whoever_may_ask_no_more_has_none_of_a_channel_sorted() -> None:
    office = Office(person_messages="1")
    office.model.script(sorted_as())
    await office.desk.triage(message(99), OWNER)
    office.adapter.past = [message(n) for n in range(20)]
    await office.type("triage last 100")
    assert len(office.model.requests) == 1


async def test_a_channels_last_messages_keep_to_a_persons_amount() -> None:
    office = Office(person_usd="0.006")
    office.adapter.past = [message(n) for n in range(30)]
    usage = Usage(input=100, output=1_000)
    for _ in range(30):
        last = Report("claude-haiku-5-5", "req", usage, "end_turn")
        office.model.script(sorted_as(), last)
    await office.type("triage last 100")
    spent = sum(row.cost for row in await office.store.spending(0.0))
    assert spent <= 0.006
    assert 1 < len(office.model.requests) < 12


async def test_sorting_by_itself_is_nobodys_question() -> None:
    store = Office().store
    limits = BudgetLimits(people=(PersonLimit(CHANNEL, messages=1),))
    auto = Charge(CHANNEL, "max", "auto-triage", "m", 0.1)
    assert isinstance(await store.open_charge(auto, BudgetLimits(), NOON), int)
    asked = Charge(CHANNEL, "max", "triage", "m", 0.1)
    assert isinstance(await store.open_charge(asked, limits, NOON), int)
    assert isinstance(await store.open_charge(asked, limits, NOON), BudgetExceeded)
