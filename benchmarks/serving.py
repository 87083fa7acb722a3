"""Runs `threadkeep serve` between the emulators, as an operator would."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from benchmarks.machine import child
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.process import Process, claude_env

# Benchmarks stop processes without a grace period, and run all their answers at once.
ENV = {"THREADKEEP_GRACE": "0", "THREADKEEP_ANSWERS_AT_ONCE": "10000"}

CONNECT_SECONDS = 60.0
# Seconds. Longer than any benchmark takes.
FOR_EVER = 3600.0


class Served(Protocol):
    """The part of a platform that a process needs."""

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that an operator sets to reach it."""

    @property
    def is_heard(self) -> bool:
        """True if messages reach the bot."""

    async def until(self, condition: Callable[[], object], /, timeout: float) -> object:
        """Wait until `condition()` is true. Raises AssertionError."""


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    platform: Served,
    claude: ClaudeEmulator,
    *,
    env: Mapping[str, str] = MappingProxyType({}),
    module: str = "bot",
) -> AsyncIterator[int]:
    """Run Threadkeep on the database in `folder`, and yield its process id when it is
    connected. `env` adds variables, and `module` is the module that is run.

    Raises AssertionError unless it exits with 0.
    """
    whole = {**platform.env, **claude_env(claude), **ENV, **env}
    process = Process(folder, whole, module)
    await process.start()
    # Watched from the start, because it may end before it connects.
    ended = asyncio.create_task(process.ended(FOR_EVER))
    try:
        await platform.until(
            lambda: platform.is_heard or ended.done(), timeout=CONNECT_SECONDS
        )
        assert not ended.done(), process.output
        yield child()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill(signal.SIGTERM)
        status = await ended
    assert status == 0, process.output
    await platform.until(lambda: not platform.is_heard, timeout=CONNECT_SECONDS)
