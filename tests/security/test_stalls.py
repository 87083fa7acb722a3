"""No text of a person or of the model blocks the event loop for long.

Each path of the product processes texts of every kind in `tests.security.hostile`,
while the longest stall of the loop is measured. The asserted limit is many times the
stall on an idle machine. Quadratic code took several times the limit.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.discord.adapter import LIMITS as DISCORD
from adapters.slack import blocks, files
from adapters.slack.adapter import LIMITS as SLACK
from bot.app import App
from bot.context import long_threads
from bot.conversation.outcomes import UNFINISHED, conclude
from bot.domain.budget import NO_LIMITS
from bot.domain.completion import Report
from bot.domain.person import Person
from bot.domain.platform import Limits
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.triage_case import TriageCase
from bot.messages.answers import STOPPED
from bot.messages.commands import STOPPING
from bot.rendering import splitter
from bot.rendering.markdown import joins
from bot.rendering.renderer import STEP_CHARS, Renderer
from bot.runtime.offload import INLINE_CHARS, offload
from bot.schemes.scheme import default
from bot.text.comparison import unified_diff
from bot.triage.chat import present
from bot.ui.elements import Command, File, Response
from storage.opening import open_store
from tests.security.growth import is_linear
from tests.security.hostile import LONGEST, TEXTS
from tests.security.stalls import BOUND, PATHS, heard, stall, watched
from tests.support import store_helpers
from tests.support.command_harness import Office
from tests.support.deep import deep_only, rounds, share
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel

#: Many times the bound: this machine may be slow.
GENEROUS = rounds(40, 10) * BOUND
TRIES = 4

HERE = ThreadKey("fake", "w", "c", "t")

#: Those that were once slow, and the slowest of today.
NOTORIOUS = (
    *("< and blanks", "</ and blanks", "< and blanks twice", "flags", "line feeds"),
    *("[s", "nested []", "YAML lists", "code", "a table with a long head", "<s"),
    *("a table of ticks", "a table of runs", "a table of bold", "mentions of numbers"),
)


@pytest.mark.parametrize("name", PATHS)
async def test_no_text_holds_the_loop_up(name: str) -> None:
    chance = random.Random(name)
    others = [kind for kind in TEXTS if kind not in NOTORIOUS]
    # Laying out an answer takes a second each.
    is_answer = "an answer" in name
    most = (15, 20) if is_answer else (len(NOTORIOUS), len(others))
    most = rounds((1, 0), most)
    kinds = chance.sample(NOTORIOUS, most[0]) + chance.sample(others, most[1])
    length = rounds(4_000 if is_answer else 15_000, LONGEST)
    for kind in kinds:
        text = TEXTS[kind](length)
        longest = await stall(PATHS[name], text, TRIES, GENEROUS)
        assert longest < GENEROUS, f"{kind}: {longest:.2f} s"


async def test_a_stall_is_seen() -> None:
    """Or else all of the above would say nothing."""

    async def works(text: str) -> None:
        began = time.process_time()
        while time.process_time() - began < 0.02:
            pass

    async def holds_the_lock(text: str) -> None:
        await asyncio.to_thread(sum, range(5_000_000))

    assert await stall(works, "") >= 0.02
    assert await stall(holds_the_lock, "") >= 0.05


async def test_long_work_leaves_the_loop_its_turn() -> None:
    def work() -> float:
        return sum(float(number) for number in range(500_000))

    async def path(text: str) -> None:
        await offload(work, INLINE_CHARS + 1)

    assert await stall(path, "", TRIES, GENEROUS) < GENEROUS


# Whole conversations.


@contextlib.asynccontextmanager
async def running(
    store: MemoryStore, adapter: FakeAdapter, model: ScriptedModel
) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    app = App(
        store=store, model=model, adapters=[adapter], operator=OPERATOR, grace=5.0
    )
    task = asyncio.create_task(app.run(stopping))
    await asyncio.shield(adapter.listening)
    try:
        yield
    finally:
        stopping.set()
        await task


async def test_five_hundred_long_messages_hold_nobody_up() -> None:
    """Claude reads the newest messages before the mention, as many as fit."""
    store, adapter, model = MemoryStore(), FakeAdapter(), ScriptedModel()
    texts = ["<" + " " * 39_990 + f"x{n:03}" for n in range(500)]
    adapter.past = [
        heard(text, n, addressed=False, opens=n == 0) for n, text in enumerate(texts)
    ]
    async with running(store, adapter, model), watched() as watch:
        await adapter.receive(heard("help?", 900, opens=False))
        await adapter.until(lambda: adapter.closed == 1)
    assert watch.longest < GENEROUS
    [request] = model.requests
    [said] = request.messages
    assert "x499" in said.content
    assert "help?" in said.content
    assert "x489" not in said.content
    assert "x000" in said.content
    assert "<note>About 490 messages of this thread are not shown here.</note>\n" in (
        said.content
    )
    assert len(said.content) < long_threads.BACKFILL_BYTES + 10_000


async def test_a_conversation_longer_than_any_model_reads_is_cut() -> None:
    store, adapter, model = MemoryStore(), FakeAdapter(), ScriptedModel()
    async with running(store, adapter, model):
        async with watched() as watch:
            await adapter.receive(heard("a" * 4_000_000 + " END"))
            await adapter.until(lambda: adapter.closed == 1)
        await adapter.receive(heard("and now?", 2))
        await adapter.until(lambda: adapter.closed == 2)
    assert watch.longest < GENEROUS
    first, second = model.requests
    assert "END" in first.messages[-1].content
    assert second.messages[-1].content.endswith("and now?</message>")
    assert all("left out about 1 between" in text for text in adapter.texts(HERE))


@contextlib.asynccontextmanager
async def network(part: Part) -> AsyncIterator[None]:
    """A write waits for the platform, if only for an instant."""
    await asyncio.sleep(0)
    yield


def limited(limits: Limits) -> Limits:
    return replace(limits, paces={}, rates={}, settle=0.0, hint="")


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        pytest.param(limits, kind, id=f"{kind}-{name}")
        for number, kind in enumerate(
            ("tables", "flags", *deep_only("line feeds", "words"))
        )
        for name, limits in share((("slack", SLACK), ("discord", DISCORD)), number, 2)
    ],
)
async def test_an_answer_that_is_taken_up_again_holds_nobody_up(
    limits: Limits, kind: str
) -> None:
    store, model = MemoryStore(), ScriptedModel()
    adapter = FakeAdapter(limits=limited(limits))
    adapter.before_write = network
    text = TEXTS[kind](rounds(4_000, LONGEST))
    await store.receive(heard("?"), store_helpers.answer)
    turn = await store.next_turn(HERE)
    assert turn is not None
    await store.begin_turn(turn, time.time())
    await store.store_prompt(turn, "", {"m001": "?"})
    report = Report("claude-haiku-5-5", stop_reason="end_turn")
    await store.finish_turn(turn, conclude(text, report), time.time(), NO_LIMITS)
    async with watched() as watch, running(store, adapter, model):
        await adapter.until(lambda: adapter.closed == 1, timeout=60)
    assert watch.longest < GENEROUS
    assert model.requests == []


async def test_a_stopped_answer_shows_all_that_is_kept_of_it() -> None:
    """Also where Stop comes while a long piece is being laid out."""
    store, adapter = MemoryStore(), FakeAdapter(limits=limited(SLACK))
    model = ScriptedModel(["word " * 40_000, asyncio.Event()])
    async with running(store, adapter, model):
        host = await asyncio.shield(adapter.listening)
        await adapter.receive(heard("?"))
        await adapter.until(lambda: any(adapter.texts(HERE)))
        told = await host.commands.run(Command("stop"), Scope.of(HERE), Person("alice"))
        assert isinstance(told, Response)
        assert told.text == STOPPING
        await adapter.until(lambda: adapter.closed == 1)
    [_, said] = await store.conversation(HERE)
    kept = said.content.removesuffix(UNFINISHED)
    seen = "".join(adapter.texts(HERE)).removesuffix(f"_{STOPPED}_")
    assert 0 < len(kept) < 200_000
    assert "".join(kept.split()) == "".join(seen.split())


# Commands.


async def test_prompts_of_many_lines_are_compared_beside_the_loop() -> None:
    """And where they are too different for that, both sizes are told."""
    office = Office()
    lines = [str(number % 110) for number in range(6_000)]
    for step in (1, 7, 13):
        shuffled = [lines[number * step % 6_000] for number in range(6_000)]
        await office.give("prompt set", file="\n".join(shuffled))
    async with watched() as watch:
        told = await office.give("prompt diff", version="1")
    assert watch.longest < GENEROUS
    assert isinstance(told, Response)
    assert "too different to be compared line by line: 6,000 lines with" in told.text


def test_a_difference_has_a_bound_and_is_kept() -> None:
    one = "\n".join(str(number % 110) for number in range(990))
    other = "\n".join(str(number * 7 % 110) for number in range(990))
    unified_diff.cache_clear()
    began = time.process_time()
    assert unified_diff(one, other)
    assert time.process_time() - began < 5
    assert unified_diff(one, other) is unified_diff(one, other)
    assert unified_diff.cache_info().hits == 2
    assert unified_diff("\n".join("ab" * 5_000), "\n".join("ba" * 5_000)) is None


def test_a_difference_is_one() -> None:
    """Applied to the old text it gives the new one, wherever the change is."""
    chance = random.Random(20261128)
    for _ in range(rounds(100, 20_000)):
        old = [chance.choice("abcdef") for _ in range(chance.randrange(40))]
        new = list(old)
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(new) + 1)
            new[at : at + chance.randrange(2)] = chance.choices("abcxyz", k=1)
        hunks = unified_diff("\n".join(old), "\n".join(new))
        assert hunks is not None
        assert _applied(old, hunks) == new


def _applied(old: list[str], hunks: Sequence[str]) -> list[str]:
    new, at = list[str](), 0
    for line in hunks:
        if line.startswith("@@"):
            begin, _, length = line.split()[1].removeprefix("-").partition(",")
            start = int(begin) - (length != "0")
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            new += [line[1:]] if line[0] == " " else []
            at += 1
    return new + old[at:]


# What goes out.


def test_a_step_of_a_long_answer_has_a_bound() -> None:
    """Whatever the answer is, laying out more of it takes no more steps than its length
    says: a table's head is not repeated at full length in each of its records."""
    kinds = ("a table with a long head", "a wide table", "tables", "flags")
    for number, limits in enumerate((SLACK, DISCORD)):
        for kind in share(kinds, number, 2):
            renderer = Renderer(limits)
            text = TEXTS[kind](rounds(1_200, 8_000))
            steps = 0
            for start in range(0, len(text), STEP_CHARS):
                renderer.take_in(text[start : start + STEP_CHARS])
                steps += 1
                while renderer.lay_out():
                    steps += 1
            assert steps < 20 * len(text) / STEP_CHARS, kind


def test_steps_change_nothing_of_what_is_shown() -> None:
    for limits in (SLACK, DISCORD):
        for kind in random.Random(7).sample(list(TEXTS), rounds(2, 12)):
            text = TEXTS[kind](rounds(1_000, 4_000))
            whole, stepped = Renderer(limits), Renderer(limits)
            whole.feed(text)
            for start in range(0, len(text), 3):
                stepped.take_in(text[start : start + 3])
                stepped.lay_out()
            whole.finish("note")
            stepped.finish("note")
            assert whole.parts == stepped.parts, kind


def test_a_long_head_of_a_table_is_shown_once() -> None:
    renderer = Renderer(DISCORD)
    head = "h" * 500
    renderer.feed(f"|{head}|b|\n|-|-|\n|1|2|\n|3|4|\n|5|6|\n\nafter")
    renderer.finish()
    said = "".join(part.text for part in renderer.parts)
    assert said.count(head) == 1
    assert all(value in said for value in "123456")


def test_flags_are_counted_a_bounded_way_back() -> None:
    flags = "\U0001f1e9\U0001f1ea" * 300
    assert [joins(flags[:80], at) for at in (1, 2, 3, 50, 51)] == [True, False] * 2 + [
        True
    ]
    assert is_linear(
        lambda length: "\U0001f1e9" * length, lambda text: joins(text, len(text) - 1)
    )


@pytest.mark.parametrize(
    "unit",
    [
        *("\U0001f1e9", "\n", "```\n"),
        *deep_only("\u0301", "a", "|a|\n"),
        *deep_only("\U0001f468\u200d", "\U0001f3fb", "\U000e0061", "\ufe0f", "漢"),
        *deep_only(" ", "\u00a0", "|", "> ", "`", "- a\n"),
    ],
)
def test_cutting_takes_linear_time(unit: str) -> None:
    def cut(text: str) -> None:
        page = splitter.Page(1_900, lines=30)
        while text:
            found = page.add(text[:1_900])
            text = (found.rest if found else "") + text[1_900:]
            page = splitter.Page(1_900, found.opening if found else None, lines=30)

    assert is_linear(lambda length: unit * (length // len(unit)), cut)


async def test_a_table_of_many_cases_is_made_beside_the_loop(tmp_path: Path) -> None:
    cases = [
        TriageCase(n, Scope("fake", "w", "c"), f"m{n}", 0.0, "max", "=漢" * 20_000)
        for n in range(rounds(40, 500))
    ]
    told = present.table(cases, default(), {}, "for $1")
    assert told.file is not None
    assert len(told.file.text.encode()) < 10 * 2**20
    text = "漢" * 40_000
    # The store in memory would run its statements in the loop.
    async with open_store(tmp_path / "threadkeep.db") as store:
        office = Office(store)
        office.adapter.past = [
            heard(text, n, thread=replace(HERE, thread=f"t{n}"), addressed=False)
            for n in range(rounds(8, 500))
        ]
        async with watched() as watch:
            await office.give("triage", last="500")
    assert watch.longest < GENEROUS


async def test_a_large_file_is_drawn_and_encoded_in_bounded_pieces() -> None:
    file = File("triage.csv", "漢" * 5_000_000)
    async with watched() as watch:
        drawn = blocks.message(
            Response("done", file=file), Scope("slack", "T", "C", "1")
        )
        content = await offload(lambda: files._encode(file.text), len(file.text))
    assert len(drawn["blocks"]) <= 50
    assert content == file.text.encode()
    assert watch.longest < GENEROUS
