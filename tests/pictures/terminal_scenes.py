"""Scenes in a terminal for the pictures."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.pictures import talk
from tests.pictures import terminal as draw
from tests.pictures.picture import Picture
from tests.support.process import ROOT, claude_env
from tests.support.seat import Seat, seated

TICKETS = ROOT / "tests" / "data" / "tickets.csv"
#: In pixels: the columns, and what is around them.
WIDTH = 720


#: How long it took, which is another time in every run.
_TOOK = re.compile(r"(Time\D+)\d+ s")
_TRIAGE = ("triage", "tickets.csv", "-o", "sorted.csv")


async def pictures() -> list[Picture]:
    """Return the pictures of the terminal."""
    return [*await asyncio.gather(_conversation(), _triage())]


async def _conversation() -> Picture:
    """Draw a conversation of two questions."""
    async with ClaudeEmulator() as claude:
        claude.script(talk.ADVICE, talk.FURTHER)
        async with _seated(claude, "chat") as seat:
            await seat.sees(partial(_is_prompted, 1))
            for nth, question in enumerate(talk.TYPED, start=2):
                seat.type(f"{question}\r")
                await seat.sees(partial(_is_prompted, nth))
            return Picture("terminal", draw.page(seat.screen), WIDTH)


async def _triage() -> Picture:
    """Draw the triage of a file of tickets, one by one: the tokens read from the cache
    depend on the order."""
    async with (
        ClaudeEmulator() as claude,
        _seated(claude, *_TRIAGE, "--at-once", "1") as seat,
    ):
        await seat.sees(lambda text: text.rstrip().endswith("  sorted.csv"))
        page = draw.page(seat.screen, typed=f"$ threadkeep {' '.join(_TRIAGE)}")
    return Picture("terminal-triage", _TOOK.sub(r"\g<1>1 s", page), WIDTH)


def _is_prompted(times: int, text: str) -> bool:
    """Return whether the screen prompts for a question, for the `times`-th time."""
    return text.count("›") == times and text.rstrip().endswith("›")


@contextlib.asynccontextmanager
async def _seated(claude: ClaudeEmulator, *arguments: str) -> AsyncIterator[Seat]:
    """Threadkeep in a terminal, in a folder of its own with tickets in it."""
    with tempfile.TemporaryDirectory() as folder:
        _write_tickets(Path(folder))
        env = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            **claude_env(claude),
        }
        async with seated(arguments, env, Path(folder)) as seat:
            yield seat


def _write_tickets(folder: Path) -> None:
    rows = TICKETS.read_text().splitlines(keepends=True)[: talk.TICKETS + 1]
    (folder / "tickets.csv").write_text("".join(rows))
