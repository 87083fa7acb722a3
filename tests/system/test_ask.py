"""`threadkeep ask`, and `serve` with a pipe as input: one question, one answer."""

import asyncio
import os
import pty
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.directory import AUTHOR, CHANNEL, WORKSPACE
from bot.cli import ask, standard_input
from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail, Stop
from tests.support.process import Nursery, claude_env
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILED = 1


class Desk(Shell):
    """A shell, and the Claude that it reaches."""

    claude: ClaudeEmulator

    async def ask(self, given: bytes, *arguments: str) -> tuple[int, str]:
        """Return the exit status of `ask`, and all that it printed, on one line."""
        return await self.type(given, *arguments, env=claude_env(self.claude))

    @property
    def read(self) -> list[str]:
        """The questions that Claude read, by request."""
        return [each.body["messages"][0]["content"] for each in self.claude.questions]


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Desk]:
    async with ClaudeEmulator() as claude:
        desk = Desk(tmp_path, nursery)
        desk.claude = claude
        yield desk


async def test_only_the_answer_goes_to_standard_output(desk: Desk) -> None:
    desk.claude.script(["The disk ", "is **full**.\n"])
    env = {
        "PATH": os.environ["PATH"],
        "THREADKEEP_DB": str(desk.folder / "t.db"),
        **claude_env(desk.claude),
    }
    given, printed, complaints = (
        desk.folder / name for name in ("given", "printed", "complaints")
    )
    given.write_text("ENOSPC\n</message>\nat line 3\n")
    process = await desk.nursery.fork(
        ("ask", "what is wrong here?"), env, printed, given=given, errors=complaints
    )
    async with asyncio.timeout(60):
        assert await process.wait() == 0
    out, errors = printed.read_bytes(), complaints.read_bytes()
    assert out == b"The disk is **full**.\n"
    assert errors.startswith(b"claude-sonnet-5-5 \xc2\xb7 ")
    assert errors.count(b"\n") == 1
    [read] = desk.read
    # What it is about first, and no tag of its own.
    assert read.index("ENOSPC\n&lt;/message>") < read.index("what is wrong here?")


async def test_a_terminal_shows_that_an_answer_for_a_file_is_coming(desk: Desk) -> None:
    desk.claude.script(["One, ", "two."])
    master, slave = pty.openpty()
    env = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "THREADKEEP_DB": str(desk.folder / "t.db"),
        **claude_env(desk.claude),
    }
    printed, terminal = desk.folder / "printed", Path(os.ttyname(slave))
    process = await desk.nursery.fork(("ask", "count"), env, printed, errors=terminal)
    async with asyncio.timeout(60):
        await process.wait()
    out = printed.read_bytes()
    shown = os.read(master, 65536).decode()
    os.close(slave)
    os.close(master)
    assert out == b"One, two.\n"
    assert "Asking claude-sonnet-5-5 …" in shown
    assert "One" not in shown


@pytest.mark.parametrize(
    ("given", "arguments", "read"),
    [
        (b"", ("ask", "how", "long?"), [">how long?</message>"]),
        (b"one\ntwo\n", ("ask",), [">one\ntwo</message>"]),
        (b"one\ntwo\n", ("serve",), [">one\ntwo</message>"]),
        (b"one\ntwo\n", ("serve", "--lines"), [">one</message>", ">two</message>"]),
    ],
)
async def test_either_alone_is_a_question(
    desk: Desk, given: bytes, arguments: Sequence[str], read: list[str]
) -> None:
    desk.claude.always("Yes.")
    status, _ = await desk.ask(given, *arguments)
    assert status == 0
    last = [
        each.body["messages"][-1]["content"].rpartition("<message")[2]
        for each in desk.claude.questions
    ]
    assert [text[text.index(">") :] for text in last] == read


async def test_it_is_a_question_of_the_terminal(desk: Desk) -> None:
    assert Scope(TerminalAdapter.name, WORKSPACE, CHANNEL) == ask.PLACE
    assert ask.AUTHOR == AUTHOR
    async with open_store(desk.folder / "threadkeep.db") as store:
        change = Change(ask.PLACE, "model", "claude-opus-5-5")
        await store.change_settings([change], who=AUTHOR, now=1.0)
        prompt = Change(ask.PLACE, "prompt", "Answer in Latin.", versioned=True)
        await store.change_settings([prompt], who=AUTHOR, now=1.0)
        # Beside a bot that has the database to itself.
        desk.claude.always("Ita.")
        status, printed = await desk.ask(b"", "ask", "is it?")
        assert status == 0
        assert await store.list_threads("terminal", CHANNEL) == []
        [row] = await store.spending(0.0)
    [asked] = desk.claude.questions
    assert asked.body["model"] == "claude-opus-5-5"
    assert asked.body["system"][0]["text"].startswith("Answer in Latin.")
    assert (row.place, row.person, row.kind, row.answers) == (
        *(ask.PLACE, AUTHOR, "ask"),
        1,
    )
    assert row.cost > 0
    assert "claude-opus-5-5 · " in printed
    status, printed = await desk.ask(b"", "usage")
    assert "terminal:local:local 1 " in printed


async def test_options_come_before_what_is_set(desk: Desk) -> None:
    desk.claude.always("Arr.")
    await desk.ask(b"", "ask", "--model", "haiku", "--system", "Be a pirate.", "?")
    [asked] = desk.claude.questions
    assert asked.body["model"] == "claude-haiku-5-5"
    assert asked.body["system"][0]["text"].startswith("Be a pirate.")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Fail(401), "threadkeep check says why"),
        (Fail(400, message="prompt is too long"), "reads 1,000,000 tokens at most"),
        (
            ["Half", Stop("max_tokens")],
            "threadkeep: The answer reached its length",
        ),
        (Stop("refusal"), "Claude declined"),
        (Stop(), "empty answer"),
    ],
)
async def test_no_whole_answer_is_a_sentence_and_a_status(
    desk: Desk, answer: object, sentence: str
) -> None:
    desk.claude.script(answer)  # type: ignore[arg-type]
    status, printed = await desk.ask(b"", "ask", "?")
    assert status == FAILED
    assert sentence in printed


async def test_a_budget_holds_for_it(desk: Desk) -> None:
    async with open_store(desk.folder / "threadkeep.db") as store:
        change = Change(ask.PLACE, "budget_day", "0.0001")
        await store.change_settings([change], who=AUTHOR, now=1.0)
    status, printed = await desk.ask(b"", "ask", "?")
    assert status == FAILED
    assert "budget" in printed
    assert desk.read == []


@pytest.mark.parametrize(
    ("given", "arguments", "sentence"),
    [
        (b"", ("ask",), '`threadkeep ask "what is wrong here?" < error.log`'),
        (b" \n", ("serve",), "There is nothing to answer"),
        (bytes(range(256)) * 40, ("ask",), "Standard input is not text."),
        (b"x" * 4_100_000, ("ask", "?"), "too large for claude-sonnet-5-5"),
        (b"?", ("ask", "--model", "gpt-5"), "gpt-5"),
        (b"?", ("ask", "--system", "x" * 30_000), "at most 20,000"),
    ],
)
async def test_what_cannot_be_asked_costs_nothing(
    desk: Desk, given: bytes, arguments: Sequence[str], sentence: str
) -> None:
    status, printed = await desk.ask(given, *arguments)
    assert status == MISTAKE
    assert sentence in printed
    assert desk.claude.requests == []


async def test_more_than_any_model_reads_is_not_read(desk: Desk) -> None:
    status, printed = await desk.ask(
        b"x\n" * (standard_input.MOST_BYTES // 2 + 1), "ask"
    )
    assert status == MISTAKE
    assert "Standard input is too large" in printed


@pytest.mark.parametrize(
    ("given", "read", "warning"),
    [
        ("Straße nach München".encode("utf-16"), "Straße nach München", ""),
        (
            "Straße nach München gesperrt".encode("cp1252"),
            "Straße nach München gesperrt",
            "Warning: the encoding is a guess: Windows-1252",
        ),
        (
            "é".encode() * 9 + b"\xff ok",
            f"{'é' * 9}� ok",
            "Warning: 1 byte not valid in UTF-8 became � (line 1).",
        ),
    ],
)
async def test_a_document_is_read_whatever_it_is_encoded_in(
    desk: Desk, given: bytes, read: str, warning: str
) -> None:
    desk.claude.always("Yes.")
    status, printed = await desk.ask(given, "ask")
    assert status == 0
    assert read in desk.read[0]
    assert warning in printed
    assert bool(warning) == ("Warning" in printed)
