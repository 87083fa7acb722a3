"""Runs Threadkeep on a real pty, with keys as input and a screen as output."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pyte

from tests.support.process import Fork, Nursery

LINES, COLUMNS = 30, 80


class Seat:
    """A screen to read and a keyboard to type on."""

    def __init__(self, master: int, process: Fork, folder: Path) -> None:
        self._master = master
        #: The folder of its files.
        self.folder = folder
        self.process = process
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._lines = [""] * LINES
        self._stream = pyte.ByteStream(self.screen)
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def text(self) -> str:
        # Only changed lines are read. `display` measures each cell, which takes half
        # the time of a test. The second cell of a wide character is empty.
        for number in self.screen.dirty:
            cells = self.screen.buffer[number]
            self._lines[number] = "".join(cells[n].data for n in range(COLUMNS))
        self.screen.dirty.clear()
        return "\n".join(line.rstrip() for line in self._lines)

    async def sees(self, condition: Callable[[str], bool]) -> None:
        try:
            async with asyncio.timeout(60):
                while not condition(self.text):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"the screen reads:\n{self.text}") from None

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self._stream.feed(data)
        # Threadkeep asks for the cursor position and waits for the answer.
        if b"\x1b[6n" in data:
            cursor = self.screen.cursor
            self.type(f"\x1b[{cursor.y + 1};{cursor.x + 1}R")
        self._changed.set()


@contextlib.asynccontextmanager
async def seated(
    arguments: tuple[str, ...], env: Mapping[str, str], folder: Path
) -> AsyncIterator[Seat]:
    """Run Threadkeep in `folder` on a new terminal, and kill it on leaving."""
    master, slave = pty.openpty()
    size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    terminal = Path(os.ttyname(slave))
    async with Nursery() as nursery:
        process = await nursery.fork(
            arguments, env, terminal, folder=folder, given=terminal
        )
        seat = Seat(master, process, folder)
        try:
            yield seat
        finally:
            if process.returncode is None:
                # It may just have ended.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                await process.wait()
            seat.close()
            # Not earlier: the process opens the terminal by name.
            os.close(slave)
