"""Registers one process in the database, wakes it for work, and unregisters it."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from bot.ports.wakeups import GATEWAY, Answerer, PeriodicTask
from storage.engine.presence import Presence
from storage.engine.reaper import Reaper
from storage.engine.worker import JobRunner
from storage.postgres.errors import translate

# Both log errors with their full text, and harmless events at length.
for name in ("procrastinate", "psycopg.pool"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class Engine:
    """Implements `bot.ports.wakeups.Wakeups` on the database at `address`.

    `owner` is the name of this process there. `reaped` is awaited when other processes
    have ended.
    """

    def __init__(
        self,
        address: str,
        owner: str,
        role: str,
        *,
        at_once: int,
        reaped: Callable[[], Awaitable[None]],
        queues: Sequence[int] = (),
    ) -> None:
        self.role = role
        name = f"{socket.gethostname()}:{os.getpid()}"
        self._presence = Presence(address, owner, role, name, Reaper(reaped))
        self._jobs = JobRunner(address, self._presence, at_once=at_once, queues=queues)

    async def attend(self, answerer: Answerer) -> None:
        def stops(how: str, turn: str) -> None:
            if how == "withdraw":
                answerer.withdraw(turn)
            else:
                answerer.stop(turn)

        await self._presence.keep(stops, answerer.release)

    async def entered(self) -> None:
        await self._presence.entered.wait()

    def is_awake(self) -> bool:
        presence = self._presence
        fetches = self.role == GATEWAY or bool(presence.worker)
        return presence.entered.is_set() and fetches

    async def work(
        self,
        answerer: Answerer,
        periodic_tasks: Sequence[PeriodicTask],
        closing: asyncio.Event,
    ) -> None:
        await self._jobs.run(answerer, periodic_tasks, closing)

    async def leave(self) -> None:
        try:
            await self._presence.leave()
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise translate(error) from None
