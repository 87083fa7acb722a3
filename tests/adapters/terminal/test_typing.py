"""Keyboard input and output in a real terminal."""

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.support.process import Nursery, claude_env
from tests.support.seat import Seat, seated


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        emulator.always("So it is.")
        yield emulator


@pytest.fixture
async def seat(tmp_path: Path, claude: ClaudeEmulator) -> AsyncIterator[Seat]:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "written in the editor" > "$1"\n')
    editor.chmod(0o700)
    env = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "THREADKEEP_DB": str(tmp_path / "t.db"),
        "EDITOR": str(editor),
        **claude_env(claude),
    }
    async with seated(("chat",), env, tmp_path) as opened:
        yield opened


async def test_a_person_asks_stops_types_ahead_and_leaves(
    seat: Seat, claude: ClaudeEmulator
) -> None:
    claude.script(["So it is, and", Hold(asyncio.Event())])
    await seat.sees(lambda text: "Threadkeep." in text and "›" in text)
    seat.type("long\r")
    await seat.sees(lambda text: "So it is" in text)
    seat.type("ant\x7fd\r")
    await seat.sees(lambda text: "› and ↵" in text)
    seat.type("\x03")
    await seat.sees(lambda text: "Stopped." in text and "› and" in text)
    await seat.sees(lambda text: text.rstrip().endswith("› and"))
    seat.type(" now?\r")
    await seat.sees(lambda text: "and now?" in text and "So it is." in text)
    await seat.sees(lambda text: text.rstrip().endswith("›"))
    assert [each["role"] for each in claude.questions[-1].body["messages"]] == [
        *("user", "assistant", "user")
    ]
    seat.type("/threads\r")
    await seat.sees(lambda text: "›1  long" in text and text.rstrip().endswith("›"))
    seat.type("\x04")
    async with asyncio.timeout(60):
        assert await seat.process.wait() == 0


async def test_retry_waits_for_its_answer_and_the_prompt_comes_back(
    seat: Seat, claude: ClaudeEmulator
) -> None:
    claude.script("So it is, <b>there</b>.")
    await seat.sees(lambda text: "Threadkeep." in text and "›" in text)
    seat.type("where?\r")
    await seat.sees(lambda text: text.rstrip().endswith("›") and "So it is" in text)
    assert "So it is, <b>there</b>." in seat.text
    seat.type("/retry\r")
    await seat.sees(lambda text: "Answering again" in text)
    await seat.sees(lambda text: text.rstrip().endswith("›"))
    answer = seat.text.partition("Answering again")[2]
    assert "So it is" in answer
    assert "›" not in answer.rstrip().removesuffix("›")
    seat.type("/clear\r")
    await seat.sees(lambda text: "new thread" in text and text.rstrip().endswith("›"))


async def test_lines_completion_history_an_editor_and_a_word_to_leave(
    seat: Seat, claude: ClaudeEmulator
) -> None:
    await seat.sees(lambda text: "Threadkeep." in text and "›" in text)
    seat.type("/thr\t")
    await seat.sees(lambda text: "› /threads" in text)
    seat.type("\r")
    await seat.sees(lambda text: "No threads yet" in text)
    seat.type("/tretry\r")
    await seat.sees(lambda text: "Did you mean /retry?" in text)
    seat.type("read this\x1b\rsecond line\r")
    await seat.sees(lambda text: "So it is" in text and text.rstrip().endswith("›"))
    [asked] = claude.questions
    assert "read this\nsecond line" in asked.body["messages"][-1]["content"]
    seat.type("\x1b[A")
    await seat.sees(lambda text: "second line" in text.rpartition("›")[2])
    seat.type("\x03")
    await seat.sees(lambda text: "Ctrl-D quits" in text and text.rstrip().endswith("›"))
    seat.type("/edit\r")
    await seat.sees(lambda text: "written in the editor" in text)
    await seat.sees(lambda text: text.count("So it is") > 1)
    await seat.sees(lambda text: text.rstrip().endswith("›"))
    seat.type("exit\r")
    async with asyncio.timeout(60):
        assert await seat.process.wait() == 0
    history = seat.folder / "history"
    assert "+second line" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


async def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    """Read one line and leave, like `head -1` behind a pipe."""
    given, errors, pipe = (tmp_path / name for name in ("given", "errors", "pipe"))
    given.write_text("one\ntwo\n")
    os.mkfifo(pipe)
    env = {"PATH": os.environ["PATH"], "THREADKEEP_DB": str(tmp_path / "t.db")}
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    async with Nursery() as nursery:
        process = await nursery.fork(
            ("serve", "--lines"), env, pipe, given=given, errors=errors
        )
        read = b""
        async with asyncio.timeout(60):
            while b"\n" not in read:
                # Nothing until the process has it open, an error until it writes.
                with contextlib.suppress(BlockingIOError):
                    read += os.read(reader, 4096)
                await asyncio.sleep(0.001)
            os.close(reader)
            assert await process.wait() == 0
    assert b"not Claude" in read
    assert errors.read_text() == ""
