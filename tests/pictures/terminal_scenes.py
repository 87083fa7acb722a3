"""What happens in a terminal, and what people see of it."""

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import sys
import tempfile
import termios
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from tests.adapters.terminal.test_typing import COLUMNS, LINES, Seat
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.pictures import talk
from tests.pictures import terminal as draw
from tests.pictures.picture import Picture
from tests.support.process import ROOT, claude_env

#: In pixels: the columns, and what is around them.
WIDTH = 720


async def pictures() -> list[Picture]:
    """Return the pictures of the terminal."""
    async with ClaudeEmulator() as claude:
        claude.script(talk.ADVICE, talk.FURTHER)
        async with _seated(claude, "serve") as seat:
            await seat.sees(partial(_is_prompted, 1))
            for nth, question in enumerate(talk.TYPED, start=2):
                seat.type(f"{question}\r")
                await seat.sees(partial(_is_prompted, nth))
            return [Picture("terminal", draw.page(seat.screen), WIDTH)]


def _is_prompted(times: int, text: str) -> bool:
    """Whether the screen asks for the next question, for so many times."""
    return text.count("›") == times and text.rstrip().endswith("›")


@contextlib.asynccontextmanager
async def _seated(claude: ClaudeEmulator, *arguments: str) -> AsyncIterator[Seat]:
    """Threadkeep in a terminal, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        master, slave = pty.openpty()
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "TERM": "xterm-256color",
                **claude_env(claude),
            },
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        seat = Seat(master, process, Path(folder))
        try:
            yield seat
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            seat.close()
