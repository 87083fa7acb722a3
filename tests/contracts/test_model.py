"""The contract of Model, for every implementation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from bot.claude.client import ClaudeModel, client
from bot.claude.offline import OfflineModel
from bot.domain.completion import ChatMessage, Report, Request
from bot.errors import ModelBusy, ModelCut, ModelError
from bot.ports.model import Model
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Error, Fail, Hold
from tests.support.scripted_model import ScriptedModel

ASK = Request(
    model="claude-haiku-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", "How are you?"),),
    max_tokens=4096,
)


@dataclass
class Subject:
    """One model, and how to make it do what the contract speaks of."""

    model: Model
    #: Lets the next answer say "One " and then wait for ever.
    hang: Callable[[], None]
    #: Lets the answers after that one come at once again, where it takes a word.
    go_on: Callable[[], None] = lambda: None
    #: Lets the next answer fail, before any text and after some. None where that
    #: cannot happen.
    fail: Callable[[], None] | None = None
    cut: Callable[[], None] | None = None


class Pace:
    """Lets words come at once, or only one of them and then no more."""

    def __init__(self) -> None:
        self._left: int | None = None

    async def sleep(self, seconds: float) -> None:
        if self._left == 0:
            await asyncio.Event().wait()
        if self._left is not None:
            self._left -= 1
        await asyncio.sleep(0)

    def hang(self) -> None:
        self._left = 1

    def go_on(self) -> None:
        self._left = None


@contextlib.asynccontextmanager
async def claude() -> AsyncIterator[Subject]:
    async with (
        ClaudeEmulator() as emulator,
        client(emulator.api_key, emulator.base_url) as opened,
    ):
        yield Subject(
            ClaudeModel(opened, sleep=Pace().sleep),
            hang=lambda: emulator.script(["One ", Hold(asyncio.Event())]),
            fail=lambda: emulator.script(*[Fail(529)] * 5),
            cut=lambda: emulator.script(["One ", Error()]),
        )


@contextlib.asynccontextmanager
async def offline() -> AsyncIterator[Subject]:
    pace = Pace()
    model = OfflineModel(sleep=pace.sleep)
    yield Subject(model, hang=pace.hang, go_on=pace.go_on)


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[Subject]:
    model = ScriptedModel()
    yield Subject(
        model,
        hang=lambda: model.script("One ", asyncio.Event()),
        fail=lambda: model.script(ModelBusy("529")),
        cut=lambda: model.script("One ", ModelCut("gone")),
    )


@pytest.fixture(params=[claude, offline, scripted], ids=lambda one: one.__name__)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with request.param() as opened:
        yield opened


async def heard(model: Model, request: Request = ASK) -> list[str | Report]:
    return [piece async for piece in model.answer(request)]


async def test_text_and_reports_come_and_the_last_report_says_why_it_ended(
    subject: Subject,
) -> None:
    pieces = await heard(subject.model)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    reports = [piece for piece in pieces if isinstance(piece, Report)]
    assert texts
    assert all(texts)
    assert pieces[-1] is reports[-1]
    assert reports[-1].stop_reason == "end_turn"
    assert [report.stop_reason for report in reports[:-1]] == [None] * len(reports[:-1])


async def test_a_report_comes_before_the_first_text(subject: Subject) -> None:
    first, *_ = await heard(subject.model)
    assert isinstance(first, Report)
    assert first.model


async def test_usage_only_grows(subject: Subject) -> None:
    reports = [p for p in await heard(subject.model) if isinstance(p, Report)]
    outputs = [report.usage.output for report in reports]
    assert outputs == sorted(outputs)
    assert len({report.usage.prompt for report in reports}) == 1


async def test_answers_do_not_mix(subject: Subject) -> None:
    alone = [piece for piece in await heard(subject.model) if isinstance(piece, str)]
    both = await asyncio.gather(heard(subject.model), heard(subject.model))
    for pieces in both:
        assert [piece for piece in pieces if isinstance(piece, str)] == alone


async def test_takes_every_conversation_that_ends_with_a_person(
    subject: Subject,
) -> None:
    conversation = (
        ChatMessage("user", "One"),
        ChatMessage("user", '<message author="Å">two\n\n🧵 & <b></message>'),
        ChatMessage("assistant", "Three"),
        ChatMessage("user", "four"),
        ChatMessage("user", "five"),
    )
    request = replace(ASK, messages=conversation, user="u_1", effort="low", system="")
    *_, last = await heard(subject.model, request)
    assert isinstance(last, Report)
    assert last.stop_reason == "end_turn"


async def test_text_comes_before_the_answer_is_whole(subject: Subject) -> None:
    subject.hang()
    async with contextlib.aclosing(subject.model.answer(ASK)) as answer:
        async with asyncio.timeout(60):
            while not isinstance(await anext(answer), str):
                pass


async def test_an_answer_may_be_closed_and_the_next_one_is_whole(
    subject: Subject,
) -> None:
    subject.hang()
    async with contextlib.aclosing(subject.model.answer(ASK)) as answer:
        async for piece in answer:
            if isinstance(piece, str):
                break
    subject.go_on()
    *_, last = await heard(subject.model)
    assert isinstance(last, Report)
    assert last.stop_reason == "end_turn"


async def test_an_answer_may_be_cancelled_and_the_next_one_is_whole(
    subject: Subject,
) -> None:
    subject.hang()
    spoke = asyncio.Event()

    async def listen() -> None:
        async for piece in subject.model.answer(ASK):
            if isinstance(piece, str):
                spoke.set()

    task = asyncio.create_task(listen())
    async with asyncio.timeout(60):
        await spoke.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    subject.go_on()
    *_, last = await heard(subject.model)
    assert isinstance(last, Report)
    assert last.stop_reason == "end_turn"


async def test_an_answer_that_nobody_reads_costs_nothing(subject: Subject) -> None:
    await subject.model.answer(ASK).aclose()


async def test_a_failure_before_any_text_is_a_model_error(subject: Subject) -> None:
    if subject.fail is None:
        pytest.skip("it never fails")
    subject.fail()
    with pytest.raises(ModelError) as failure:
        await heard(subject.model)
    assert not isinstance(failure.value, ModelCut)


async def test_a_failure_after_some_text_is_a_cut(subject: Subject) -> None:
    if subject.cut is None:
        pytest.skip("it never breaks off")
    subject.cut()
    pieces: list[str | Report] = []

    async def listen() -> None:
        async for piece in subject.model.answer(ASK):
            pieces.append(piece)

    with pytest.raises(ModelCut):
        await listen()
    assert "One " in pieces


async def test_a_longer_prompt_has_more_tokens(subject: Subject) -> None:
    longer = replace(ASK, messages=(ChatMessage("user", "How are you today? " * 100),))
    few, many = await subject.model.count(ASK), await subject.model.count(longer)
    assert 0 < few < many
