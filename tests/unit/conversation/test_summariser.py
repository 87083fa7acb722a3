"""A thread becomes long: it is summarised beside the talk, and nothing waits for it."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from bot.app import App
from bot.claude.catalog import CHEAP_MODEL, DEFAULT_MODEL, ModelAvailability
from bot.claude.client import connect
from bot.context.summaries import HEADINGS, PROMPT
from bot.domain.completion import ChatMessage, Report, Request, Usage
from bot.domain.reply import Control, Part
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change
from bot.errors import ModelBusy, ModelError
from bot.messages import thread_summaries as messages
from bot.settings.long_threads import COMPACT, STOP, SUMMARISE
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail
from tests.support.scripted_model import ScriptedModel
from tests.support.summaries import WHOLE, asks_for_summary
from tests.unit.conversation.test_responder import HERE, Desk

CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)
#: A question of 1,500 tokens: of the mark of 8,000, six of them are beyond.
LONG = "All is well so far. " * 300


class Talker(ScriptedModel):
    """Answers "Right." and reports four characters as a token; gives summaries as the
    test says, then whole ones."""

    def __init__(self) -> None:
        super().__init__()
        self.summaries: list[str | ModelError | asyncio.Event] = []
        #: The requests that are no summaries, and those that are.
        self.asked: list[Request] = []
        self.asked_for_summary: list[Request] = []

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        summary = asks_for_summary(request)
        (self.asked_for_summary if summary else self.asked).append(request)
        text = "Right."
        if summary:
            given = self.summaries.pop(0) if self.summaries else WHOLE
            if isinstance(given, asyncio.Event):
                await given.wait()
                given = WHOLE
            if isinstance(given, ModelError):
                raise given
            text = given
        usage = Usage(input=await super().count(request), output=9)
        yield text
        yield Report(request.model, "r", usage, "end_turn")


class Talk(Desk):
    """A thread, with the mark at its lowest."""

    def __init__(self, survey: ModelAvailability | None = None) -> None:
        super().__init__()
        self.talker = self._claude = Talker()
        self.count = 0
        self.found = survey

    async def set(self, **values: str) -> None:
        changes = [Change(CHANNEL, name, value) for name, value in values.items()]
        await self.store.change_settings(changes, who="olga", now=0.0)

    async def say(self, times: int = 1) -> None:
        for _ in range(times):
            self.count += 1
            await self.ask(f"{self.count}. {LONG}")
            await self.closed(self.count)

    async def fall_silent(self, app: App) -> None:
        """Have the last turn end an hour and more ago, once nothing of it goes on."""

        async def ended() -> bool:
            busy = app._dispatcher.is_running(HERE) or app._summariser._running
            return not busy and await self.store.next_turn(HERE) is None

        await until(ended)
        self.store.db.execute(
            "UPDATE turns SET touched = ? WHERE id = (SELECT max(id) FROM turns)",
            [self.began - 4_000],
        )

    async def summarised(self) -> None:
        """Wait until a summary waits for the next turn."""
        await until(lambda: self._has_summary())

    async def _has_summary(self) -> bool:
        return await self.store.read_turns(HERE) == []

    async def tried(self, times: int) -> None:
        """Wait until so many summaries were asked for and are booked."""

        async def booked() -> bool:
            rows = await self.store.spending(0)
            return sum(r.turns for r in rows if r.kind == "summary") == times

        await until(booked)

    @property
    def prompts(self) -> list[tuple[ChatMessage, ...]]:
        return [each.messages for each in self.talker.asked]

    @property
    def shown(self) -> dict[str, Part]:
        """The last message of each answer, as it is now, by turn."""
        return {turn: part for turn, _, part in self.adapter.writes if part.final}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0)


async def test_a_long_thread_is_swapped_once_and_told_once() -> None:
    talk = Talk()
    await talk.set(summary_at="8000")
    async with talk.open():
        await talk.say(6)
        await talk.summarised()
        await talk.say(3)
    [request] = talk.talker.asked_for_summary
    assert request.model == CHEAP_MODEL
    # Each prompt begins with the one before, but where the summary comes in.
    swaps = [
        number
        for number, (before, after) in enumerate(itertools.pairwise(talk.prompts), 1)
        if after[: len(before)] != before
    ]
    assert swaps == [6]
    before, after = talk.prompts[5:7]
    [summary, *rest] = after
    assert summary.content.endswith(f"<summary>\n{WHOLE}\n</summary>")
    # A quarter of the mark is one turn here.
    assert rest[:1] == list(before[-1:])
    material = request.messages[0].content
    assert before[-3].content in material
    assert before[-1].content not in material
    # The people are told once, and have a button for it.
    note = messages.told(messages=10)
    await until(lambda: _is(_tidied(talk)))
    shown = list(talk.shown.values())
    told = [note in part.text for part in shown]
    assert (told.count(True), told.index(True)) == (1, 6)
    assert [Control.SUMMARY in part.controls for part in shown] == told
    kinds = {row.kind: row for row in await talk.store.spending(0)}
    assert (kinds["summary"].turns, kinds["summary"].person) == (1, "alice")
    stored = await talk.store.summary(HERE)
    assert stored is not None
    assert stored.cost == kinds["summary"].cost > 0


def _tidied(talk: Talk) -> bool:
    """Return whether only the last answer can be written again."""
    retried = [Control.RETRY in part.controls for part in talk.shown.values()]
    return retried.count(True) == 1


async def test_answers_go_on_while_a_summary_is_written() -> None:
    talk, gate = Talk(), asyncio.Event()
    talk.talker.summaries = [gate]
    await talk.set(summary_at="8000")
    async with talk.open():
        await talk.say(8)
        assert len(talk.talker.asked_for_summary) == 1
        full = talk.prompts[-1]
        assert len(full) == 15
        gate.set()
        await talk.summarised()
        await talk.say()
    # What was said meanwhile stays word for word.
    assert talk.prompts[-1][1:6] == full[10:15]


async def test_a_process_that_ends_loses_the_call_at_most() -> None:
    talk = Talk()
    talk.talker.summaries = [asyncio.Event()]
    await talk.set(summary_at="8000")
    async with talk.open():
        await talk.say(6)
        await until(lambda: _is(bool(talk.talker.asked_for_summary)))
    assert await talk.store.summary(HERE) is None
    [booked] = [r for r in await talk.store.spending(0) if r.kind == "summary"]
    assert booked.bounded == 1
    again = Talk()
    again.store, again.count = talk.store, talk.count
    again.adapter.closed = talk.count
    again._numbers = talk._numbers
    async with again.open():
        await again.say()
        await again.summarised()


async def _is(value: bool) -> bool:
    return value


async def test_what_is_no_summary_is_tried_again_a_few_times() -> None:
    talk = Talk()
    broken: list[str | ModelError] = [
        "",
        WHOLE.replace("People", ""),
        ModelBusy("busy"),
        "Sorry.",
    ]
    talk.talker.summaries = [*broken]
    await talk.set(summary_at="8000")
    async with talk.open():
        await talk.say(5)
        for times in (1, 2, 3):
            await talk.say()
            await talk.tried(times)
        # After the third try, the next is at twice as many tokens.
        await talk.say(8)
        await talk.tried(3)
        await talk.say()
        await talk.tried(4)
    assert await talk.store.summary(HERE) is None
    assert len(talk.prompts[-1]) == 33


async def test_without_a_budget_or_after_a_bug_the_thread_goes_on() -> None:
    talk = Talk()
    await talk.set(summary_at="8000", budget_day="5", max_tokens="10")
    async with talk.open():
        await talk.say(5)
        rows = await talk.store.spending(0)
        spent = sum(row.cost for row in rows)
        # An answer fits, the most that a summary of so many tokens can cost does not.
        await talk.set(budget_day=f"{spent + 0.5:.4f}")
        for count in (_many, _broken):
            talk.talker.count = count  # type: ignore[method-assign, assignment]
            await talk.say()
    assert talk.talker.asked_for_summary == []
    assert len(talk.prompts[-1]) == 13


async def _many(request: Request) -> int:
    return 999_999


async def _broken(request: Request) -> int:
    raise RuntimeError("a bug")


async def test_a_thread_that_wakes_is_summarised_at_half_the_mark() -> None:
    talk = Talk()
    await talk.set(summary_at="16000")
    async with talk.open() as app:
        await talk.say(6)
        # It was looked at, and was neither long nor silent.
        await until(lambda: _is(not app._summariser._running))
        assert talk.talker.asked_for_summary == []
        await talk.fall_silent(app)
        await talk.say()
        await talk.summarised()
        await talk.say()
    assert [len(each) for each in talk.prompts[-2:]] == [13, 4]
    # What is not read again is not written to the cache.
    cached = [each.cache_messages for each in talk.talker.asked]
    assert cached == [True] * 6 + [False, True]


# Of what the cheapest model reads, a summary by the same model saves little.
@pytest.mark.parametrize(("model", "pays"), [(DEFAULT_MODEL, 1), (CHEAP_MODEL, 0)])
async def test_a_short_thread_that_wakes_is_summarised_where_that_pays(
    model: str, pays: int
) -> None:
    talk = Talk()
    await talk.set(model=model)
    async with talk.open() as app:
        # A sixth of the mark.
        await talk.say(6)
        await talk.fall_silent(app)
        await talk.say()
        await talk.tried(pays)
        await until(lambda: _is(not app._summariser._running))
        await talk.say()
    asked = talk.talker.asked
    assert len(talk.talker.asked_for_summary) == pays
    assert [len(each.messages) for each in asked[6:]] == [13, 4 if pays else 15]
    assert [each.cache_messages for each in asked] == [*[True] * 6, not pays, True]


async def test_a_thread_that_wakes_is_cached_unless_a_summary_is_to_come() -> None:
    talk = Talk()
    async with talk.open() as app:
        for values in (
            {"long_threads": STOP, "summary_at": "8000"},
            # It wakes with an eighth of the mark at most.
            {"long_threads": SUMMARISE, "summary_at": "90000"},
            # After so many failures, it is not tried again at this size.
            {"summary_at": "8000"},
        ):
            await talk.set(**values)
            if "long_threads" not in values:
                talk.talker.summaries = [""] * 3
                for times in (1, 2, 3):
                    await talk.say()
                    await talk.tried(times)
            else:
                await talk.say(2)
            await talk.fall_silent(app)
            await talk.say()
    assert len(talk.talker.asked_for_summary) == 3
    assert all(each.cache_messages for each in talk.talker.asked)


async def test_what_is_deleted_meanwhile_is_not_in_a_summary() -> None:
    talk, gate = Talk(), asyncio.Event()
    talk.talker.summaries = [gate]
    await talk.set(summary_at="8000")
    async with talk.open():
        await talk.say(6)
        await until(lambda: _is(bool(talk.talker.asked_for_summary)))
        await talk.store.delete_messages("fake", "w", ["m001"], "c", 1.0)
        gate.set()
        await talk.tried(1)
        await talk.say()
        # And it is made again from what is left.
        await talk.summarised()
    assert "1. All" not in talk.talker.asked_for_summary[-1].messages[0].content


async def test_a_thread_may_stop_at_its_mark() -> None:
    talk = Talk()
    await talk.set(summary_at="8000", long_threads=STOP)
    async with talk.open():
        await talk.say(6)
        await talk.say()
        assert messages.TOO_LONG in talk.adapter.texts(HERE)[-1]
        assert len(talk.prompts) == 6
        await talk.store.reset_context(HERE)
        await talk.say()
    assert talk.talker.asked_for_summary == []
    assert [len(each) for each in talk.prompts[-2:]] == [11, 1]


async def test_over_the_wire_and_across_a_restart() -> None:
    """With Claude's SDK, and a stop between the summary and the turn that uses it."""

    def said(body: Any) -> str:
        return WHOLE if PROMPT.splitlines()[0] in str(body["system"]) else "Right."

    async with (
        ClaudeEmulator() as claude,
        connect(claude.api_key, claude.base_url) as model,
    ):
        claude.always(said)
        talk = Talk()
        talk._claude = model
        await talk.set(summary_at="8000")
        async with talk.open():
            await talk.say(7)
            await talk.summarised()
        again = Talk()
        again._claude = model
        again.store, again._numbers = talk.store, talk._numbers
        async with again.open():
            await again.say(2)
    bodies = [each.body for each in claude.requests if each.path == "/v1/messages"]
    # The summary is made beside the seventh answer, and may be asked for before it.
    answers = [each for each in bodies if each["model"] == DEFAULT_MODEL]
    assert len(answers) == 9
    assert [each["model"] for each in bodies[6:8]].count(CHEAP_MODEL) == 1
    last, after = answers[-2:]
    assert all(heading in str(last["messages"][0]) for heading in HEADINGS)
    assert len(after["messages"]) < len(answers[6]["messages"])


COMPACTS = ModelAvailability(compaction={DEFAULT_MODEL: True})


async def compacting(claude: ClaudeEmulator, talk: Talk) -> None:
    """Talk until the thread is compacted, or summarised, and once more."""

    def said(body: Any) -> str:
        if body.get("compaction"):
            return "Briefly: all is well."
        return WHOLE if PROMPT.splitlines()[0] in str(body["system"]) else "Right."

    claude.always(said)
    await talk.set(summary_at="8000", long_threads=COMPACT)
    async with talk.open():
        await talk.say(6)
        await talk.summarised()
        await talk.say(2)


@pytest.mark.parametrize("survey", [COMPACTS, ModelAvailability(), None])
async def test_the_api_compacts_a_thread_where_the_model_has_it(
    survey: ModelAvailability | None,
) -> None:
    async with (
        ClaudeEmulator() as claude,
        connect(claude.api_key, claude.base_url) as model,
    ):
        talk = Talk(survey)
        talk._claude = model
        await compacting(claude, talk)
    asked = [each.body for each in claude.questions]
    made, after = asked[6], asked[-1]
    stored = await talk.store.summary(HERE)
    assert stored is not None
    kinds = {row.kind: row for row in await talk.store.spending(0)}
    assert kinds["summary"].cost == stored.cost
    if survey is not COMPACTS:
        assert (made["model"], stored.block, stored.text) == (CHEAP_MODEL, "", WHOLE)
        assert after["messages"][0]["role"] == "user"
        return
    # What it reads is in the cache from the answers before.
    assert (made["model"], stored.text) == (DEFAULT_MODEL, "Briefly: all is well.")
    assert stored.usage.cache_read > 4_000
    assert made["messages"] == asked[5]["messages"][: len(made["messages"])]
    assert after["messages"][0]["content"] == [json.loads(stored.block)]
    assert after["messages"][1]["role"] == "user"
    facts = await talk.store.turn_facts(HERE)
    assert facts is not None
    receipt = await talk.store.receipt(HERE, facts.key)
    assert receipt is not None
    assert receipt.read is not None
    assert receipt.read.compacted_by == DEFAULT_MODEL


async def test_what_the_api_does_not_compact_is_summarised() -> None:
    async with (
        ClaudeEmulator() as claude,
        connect(claude.api_key, claude.base_url) as model,
    ):
        talk = Talk(COMPACTS)
        talk._claude = model

        def said(body: Any) -> Any:
            if body.get("compaction"):
                return Fail(529, error_code="compaction_unavailable")
            return WHOLE if PROMPT.splitlines()[0] in str(body["system"]) else "Right."

        claude.always(said)
        await talk.set(summary_at="8000", long_threads=COMPACT)
        async with talk.open():
            await talk.say(6)
            await talk.tried(1)
            await talk.say()
            await talk.summarised()
    stored = await talk.store.summary(HERE)
    assert stored is not None
    assert (stored.model, stored.block) == (CHEAP_MODEL, "")
