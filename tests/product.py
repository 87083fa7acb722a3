"""Threadkeep itself, run in a test: in this process, or as a process to kill."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

from adapters.slack.adapter import connect
from bot.app import App
from bot.ports import Model, Store
from bot.responder import Asking
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.slack import SlackEmulator

ASKING = Asking(model="claude-sonnet-5-5", max_tokens=32_000, instructions="Be brief.")


def slack_env(slack: SlackEmulator) -> dict[str, str]:
    """What an operator sets to reach `slack`."""
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


def claude_env(claude: ClaudeEmulator) -> dict[str, str]:
    """What an operator sets to reach `claude`."""
    return {"ANTHROPIC_API_KEY": claude.api_key, "ANTHROPIC_BASE_URL": claude.base_url}


@contextlib.asynccontextmanager
async def running(
    slack: SlackEmulator,
    store: Store,
    model: Model,
    *,
    grace: float = 5.0,
    interval: float = 0.05,
) -> AsyncIterator[App]:
    """Threadkeep in this process, listening to `slack`; stopped on leaving.

    `interval` stands for the seconds that Slack wants between two edits.
    """
    stopping = asyncio.Event()
    async with connect(slack_env(slack)) as adapter:
        adapter.limits = replace(adapter.limits, interval=interval, settle=interval)
        app = App(
            store=store, model=model, adapters=[adapter], asking=ASKING, grace=grace
        )
        task = asyncio.create_task(app.run(stopping))
        try:
            await slack.until(lambda: slack.connections or task.done())
            yield app
        finally:
            stopping.set()
            await task


class Process:
    """`threadkeep serve` as operators run it."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._process: asyncio.subprocess.Process | None = None
        self.output = ""

    @property
    def database(self) -> Path:
        return self._folder / "threadkeep.db"

    async def start(self, *arguments: str) -> None:
        """Begin; what an earlier run left in the folder is there."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *(arguments or ("serve",)),
            cwd=Path(__file__).parent.parent,
            env={
                "PATH": os.environ["PATH"],
                "THREADKEEP_DB": str(self.database),
                **self._env,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; by default the one that leaves no time for anything."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, timeout: float = 15.0) -> int:
        """Wait for the end; return the exit status, keep what was printed."""
        assert self._process is not None
        async with asyncio.timeout(timeout):
            out, _ = await self._process.communicate()
        self.output += out.decode()
        assert self._process.returncode is not None
        return self._process.returncode
