"""Registers this process among those that share a database: listed, locked and
listening.

Rule 1: a process is alive while it holds its lock, which the server releases when the
connection ends for any reason, or while its last heartbeat is recent.
Rule 2: one process at a time watches the others (`storage.engine.reaper`). It reaps
nobody before its own connection has been open for a while, because after a restart of
the server all processes need time to take their locks again. An ended process on its
own machine is reaped at once (`storage.engine.origin`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import psycopg

from bot.domain.scope import ThreadKey
from bot.ports.wakeups import GATEWAY, SERVE, WORK
from storage.engine.origin import origin
from storage.engine.reaper import Reaper
from storage.postgres.errors import code
from storage.postgres.lock_numbers import PROCESSES

log = logging.getLogger(__name__)

#: Time between two heartbeats, and between two checks of the other processes, in
#: seconds.
BEAT = 2.0
LOOK = 0.5

# Pause before a lost connection is reopened, in seconds, and the time in which further
# losses are not logged: an unreachable server logs one line a minute.
AGAIN = 0.2
QUIET = 60.0

#: Timeout of a statement here, in seconds. No statement waits for a lock.
TIMEOUT = 10.0

ENTER = """
    INSERT INTO processes (id, role, name, worker, origin, started_at, seen_at)
    VALUES (%(id)s, %(role)s, %(name)s, %(worker)s, %(origin)s,
        extract(epoch FROM clock_timestamp()), extract(epoch FROM clock_timestamp()))
    ON CONFLICT (id) DO UPDATE
    SET seen_at = excluded.seen_at, worker = excluded.worker, role = excluded.role,
        name = excluded.name, origin = excluded.origin
    RETURNING xmax = 0 AS is_new, extract(epoch FROM clock_timestamp())::float
"""

#: The largest tolerated difference between a process's clock and the server's, in
#: seconds. Recovery searches for posts of unknown outcome from a time that another
#: process stored.
MOST_APART = 5.0

# Time between two checks that some process receives events and some process answers, in
# seconds.
COUNT = 20.0

#: The roles that receive events, and the roles that answer.
HEAR, ANSWER = (SERVE, GATEWAY), (SERVE, WORK)

ASKED = """
    SELECT stopping, key FROM turns JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered' AND stopping <> '' AND owner = %s
"""

# The threads of a process that have an open turn.
OWNED = """
    SELECT platform, workspace, channel, thread FROM threads
    WHERE owner = %s AND id IN (SELECT thread_id FROM turns WHERE state <> 'delivered')
"""

#: Takes threads that the database lists as answered by this process.
Release = Callable[[Sequence[ThreadKey]], None]

#: Takes how to stop a turn, "stop" or "withdraw", and the turn's key.
Stops = Callable[[str, str], None]


class Presence:
    """Keeps the process `id` listed in the database at `address`."""

    def __init__(
        self,
        address: str,
        id: str,
        role: str,
        name: str,
        reaper: Reaper,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._id = id
        self._role = role
        self._name = name
        self._origin = origin()
        self._reaper = reaper
        self._clock = clock
        #: In seconds since 1970, like all stored times.
        self._now = now
        self._is_apart = False
        #: The number of this process in the engine, or 0.
        self.worker = 0
        #: Set while this process is listed and locked.
        self.entered = asyncio.Event()
        self._beat_at = float("-inf")
        self._counted_at = self._clock()
        #: Time at which a lost connection was last logged, and the number of losses
        #: since.
        self._logged_at = float("-inf")
        self._lost = 0
        #: Whether it was logged that nobody receives events, or that nobody answers.
        self._is_alone = False
        #: The worker number that was last stored, or None before the process was
        #: listed.
        self._told: int | None = None

    async def keep(self, stops: Stops, release: Release) -> None:
        """Stay listed, and pass on requests to stop turns, until cancelled.

        Each time the process is listed, its threads are passed to `release`.
        """
        while True:
            try:
                await self._attend(stops, release)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self._log_loss(error)
            self.entered.clear()
            await asyncio.sleep(AGAIN)

    def _log_loss(self, error: Exception) -> None:
        self._lost += 1
        now = self._clock()
        if now - self._logged_at >= QUIET:
            failed = code(error)
            log.warning("process.disconnected code=%s times=%d", failed, self._lost)
            self._logged_at, self._lost = now, 0

    async def leave(self) -> None:
        """Remove this process from the list, so that others may take its threads at
        once."""
        async with asyncio.timeout(TIMEOUT), await self._connect() as connection:
            await connection.execute("DELETE FROM processes WHERE id = %s", [self._id])

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._address, autocommit=True, connect_timeout=int(TIMEOUT)
        )

    async def _attend(self, stops: Stops, release: Release) -> None:
        async with await self._connect() as connection:
            began, is_locked = self._clock(), False
            await connection.execute("LISTEN threadkeep_stops")
            while True:
                async with asyncio.timeout(TIMEOUT):
                    # The server may still keep a broken connection, with the lock.
                    # Until the server releases the lock, the lock proves equally well
                    # that this process is alive.
                    is_locked = is_locked or await self._lock(connection)
                    await self._beat(connection)
                    if not self.entered.is_set():
                        release(await self._owned_threads(connection))
                    self.entered.set()
                    await self._pass_on(connection, stops)
                    await self._count(connection)
                    age = self._clock() - began
                    await self._reaper.look(connection, self._id, age)
                async for notice in connection.notifies(timeout=LOOK):
                    how, _, key = notice.payload.partition(" ")
                    stops(how, key)

    async def _lock(self, connection: psycopg.AsyncConnection) -> bool:
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))", [PROCESSES, self._id]
        )
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def _beat(self, connection: psycopg.AsyncConnection) -> None:
        """Send a heartbeat, if it is due or the worker number has changed."""
        now = self._clock()
        if now - self._beat_at < BEAT and self._told == self.worker:
            return
        began = self._now()
        cursor = await connection.execute(
            ENTER,
            {
                "id": self._id,
                "role": self._role,
                "name": self._name,
                "worker": self.worker,
                "origin": self._origin,
            },
        )
        row = await cursor.fetchone()
        if row is not None and row[0] and self._told is not None:
            # The threads may belong to other processes now. The next write detects this
            # by the epoch.
            log.warning("process.was_reaped")
        if row is not None:
            self._compare(row[1], began, self._now())
        self._beat_at, self._told = now, self.worker

    def _compare(self, servers: float, began: float, ended: float) -> None:
        """Log an error if the clock of this machine is far from the server's.

        The machine's clock showed `began` and `ended` before and after the server's
        showed `servers`.
        """
        apart = max(began - servers, servers - ended, 0.0)
        if (is_apart := apart > MOST_APART) and not self._is_apart:
            log.error("process.clock_is_off seconds=%.0f set=the_time", apart)
        self._is_apart = is_apart

    async def _count(self, connection: psycopg.AsyncConnection) -> None:
        """Log an error if no process receives events, or no process answers."""
        if self._clock() - self._counted_at < COUNT:
            return
        self._counted_at = self._clock()
        cursor = await connection.execute("SELECT DISTINCT role FROM processes")
        roles = {role for (role,) in await cursor.fetchall()}
        for needed, event, start in (
            (HEAR, "process.nobody_hears", GATEWAY),
            (ANSWER, "process.nobody_answers", WORK),
        ):
            if self._role in needed:
                continue
            if is_alone := roles.isdisjoint(needed):
                if not self._is_alone:
                    log.error("%s start=threadkeep_%s", event, start)
            elif self._is_alone:
                log.info("process.no_longer_alone")
            self._is_alone = is_alone

    async def _owned_threads(
        self, connection: psycopg.AsyncConnection
    ) -> list[ThreadKey]:
        cursor = await connection.execute(OWNED, [self._id])
        return [ThreadKey(*row) for row in await cursor.fetchall()]

    async def _pass_on(self, connection: psycopg.AsyncConnection, stops: Stops) -> None:
        """Pass on stop requests whose notifications may have been lost."""
        if self._role == GATEWAY:
            return
        cursor = await connection.execute(ASKED, [self._id])
        for how, key in await cursor.fetchall():
            stops(how, key)
