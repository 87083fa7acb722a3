"""Alerts about problems that only the operator can correct: a refused key, an account
without credit, an unknown model, a platform that rejects us, an app without a needed
scope or permission, a disk that fills up.

Rule: each problem is logged as an error once an hour in each process. The operator's
admins get a private message at most once an hour, even across restarts.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from pathlib import Path
from typing import Any

from bot.domain.budget import HOUR
from bot.domain.completion import Report, Request
from bot.domain.scope import EVERYWHERE
from bot.errors import ConfigError, DeliveryError, ModelDenied, StorageError
from bot.messages import mcp as mcp_messages
from bot.messages import operator as messages
from bot.platforms import Platforms
from bot.ports.model import Model
from bot.ports.notices import NoticeStore
from bot.runtime.background import report
from bot.runtime.disk_space import disk_problem, free_bytes
from bot.runtime.lru import LruDict
from bot.settings.effective import Operator

log = logging.getLogger(__name__)

# The interval between checks of disk and platforms, in seconds.
EVERY = 60.0
# The timeout for a message to one admin, in seconds.
TELLING = 10.0
# The number of problems whose last report is remembered.
MOST_PROBLEMS = 64


class OperatorAlerts:
    """Logs problems that only the operator can correct, and messages their admins.

    `folder` has the database; None for a database in memory. `free` returns the number
    of free bytes there.
    """

    def __init__(
        self,
        notices: NoticeStore,
        platforms: Platforms,
        operator: Operator,
        folder: Path | None,
        *,
        now: Callable[[], float] = time.time,
        free: Callable[[Path], int] = free_bytes,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._notices = notices
        self._platforms = platforms
        self._operator = operator
        self._folder = folder
        self._now = now
        self._free = free
        self._sleep = sleep
        #: The time at which this process last reported each problem.
        self._reported: LruDict[str, float] = LruDict(MOST_PROBLEMS)

    async def watch(self) -> None:
        """Check the disk and the platforms every minute until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                # Ignored: the next check may succeed.
                report("operator alerts", error)
            await self._sleep(EVERY)

    async def look(self) -> None:
        """Report the current problems of the disk and the platforms."""
        for platform, error in self._platforms.failures.items():
            text = messages.platform_lost(platform=platform, problem=error)
            await self.report(f"platform {platform}", text)
        if self._folder is None:
            return
        problem = await asyncio.to_thread(disk_problem, self._folder, self._free)
        if problem:
            await self.report("disk", problem)

    async def report(self, name: str, problem: str) -> None:
        """Log `problem` and message the admins, each at most once an hour per `name`.

        The log is limited per process, the messages across all processes.
        """
        now = self._now()
        if now - self._reported.get(name, float("-inf")) < HOUR:
            return
        self._reported[name] = now
        log.error("operator.needed %s", problem)
        if not await self._claim(name, now):
            return
        for admin in sorted(self._operator.admins):
            platform, _, user = admin.partition(":")
            if platform not in self._platforms.active:
                continue
            adapter = self._platforms.adapters[platform]
            with contextlib.suppress(TimeoutError, DeliveryError, ConfigError):
                async with asyncio.timeout(TELLING):
                    await adapter.tell("", user, messages.needs_you(problem=problem))

    async def _claim(self, name: str, now: float) -> bool:
        try:
            return await self._notices.claim_notice(
                *(EVERYWHERE, f"operator: {name}", uuid.uuid4().hex, now, now + HOUR)
            )
        except StorageError:
            # A full disk is itself a problem to report.
            return True


class ReportingModel:
    """A `bot.ports.model.Model` that reports refusals which only the operator can fix.

    `start` runs a background task, so that no answer waits for a message. `failed` is
    called with the names of MCP servers that failed.
    """

    def __init__(
        self,
        model: Model,
        alerts: OperatorAlerts,
        start: Callable[[str, Coroutine[Any, Any, object]], object],
        failed: Callable[[Sequence[str]], None] = lambda names: None,
    ) -> None:
        self._model = model
        self._alerts = alerts
        self._start = start
        self._failed = failed

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the pieces of the model's answer. Raises the model's errors."""
        with self._reported():
            async with contextlib.aclosing(self._model.answer(request)) as answer:
                told: tuple[str, ...] = ()
                async for piece in answer:
                    if isinstance(piece, Report) and piece.failed not in ((), told):
                        told = piece.failed
                        self._server_failed(told)
                    yield piece

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return the number of tokens of the prompt. Raises the model's errors."""
        with self._reported():
            return await self._model.count(request, files=files)

    def _server_failed(self, names: Sequence[str]) -> None:
        problem = mcp_messages.failed(servers=", ".join(names))
        alert = self._alerts.report(f"mcp {' '.join(names)}", problem)
        self._start("operator alert", alert)
        self._failed(names)

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except ModelDenied as error:
            # The text in brackets names one request, so leave it out of the name.
            problem = str(error).partition(" (")[0]
            self._start("operator alert", self._alerts.report(problem, str(error)))
            raise
