"""This process among those that share a database: listed, locked and listening.

Rule 1: a process lives while it holds its lock, which the server frees when the
connection ends, however it ends; or while it gave a sign of life of late.
Rule 2: one process at a time looks after the others (`storage.engine.reaper`). It
reaps nobody before its own connection has been open for a while: after a restart of
the server everybody has time to lock again. One of its own machine that has ended is
reaped at once (`storage.engine.origin`).
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

#: How often a process gives a sign of life, and looks after the others, in seconds.
BEAT = 2.0
LOOK = 0.5

# The pause before a lost connection is opened again, in seconds; and how long nothing
# is logged of further losses: a server that is away costs one line a minute.
AGAIN = 0.2
QUIET = 60.0

#: How long a statement here may take, in seconds: none waits for a lock.
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

#: How far the clock of a process may be from the server's, in seconds: posts whose
#: outcome is unknown are looked for from a time on that another process stored.
MOST_APART = 5.0

# How often it is looked whether there are both who hear and who answer, in seconds.
COUNT = 20.0

#: The roles of those who hear, and of those who answer.
HEAR, ANSWER = (SERVE, GATEWAY), (SERVE, WORK)

ASKED = """
    SELECT stopping, key FROM turns JOIN threads ON threads.id = thread_id
    WHERE state <> 'delivered' AND stopping <> '' AND owner = %s
"""

# The threads of a process in which something is open.
OWNED = """
    SELECT platform, workspace, channel, thread FROM threads
    WHERE owner = %s AND id IN (SELECT thread_id FROM turns WHERE state <> 'delivered')
"""

#: Takes threads that this process is said to answer in.
Release = Callable[[Sequence[ThreadKey]], None]

#: Takes how a turn is to be stopped, "stop" or "withdraw", and its key.
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
        #: In seconds since 1970, as everything is stored.
        self._now = now
        self._is_apart = False
        #: Its number in the engine; 0 for none.
        self.worker = 0
        #: Set while it is listed and locked.
        self.entered = asyncio.Event()
        self._beat_at = float("-inf")
        self._counted_at = self._clock()
        #: When a lost connection was logged last, and how many were lost since.
        self._logged_at = float("-inf")
        self._lost = 0
        #: Whether it was said that nobody hears, or answers.
        self._is_alone = False
        #: The number that was told last; None before it was listed.
        self._told: int | None = None

    async def keep(self, stops: Stops, release: Release) -> None:
        """Stay listed, and pass on requests to stop turns, until cancelled. Each time
        that it is listed, its threads are passed to `release`."""
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
        """Be listed no more: what is left here may be taken by others at once."""
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
                    # The server may still keep a connection that broke, with the lock:
                    # until it frees that, that is as good a proof of life.
                    is_locked = is_locked or await self._lock(connection)
                    await self._beat(connection)
                    if not self.entered.is_set():
                        release(await self._owned(connection))
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
        """Give a sign of life, if it is time or there is something new to tell."""
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
            # Its threads may be others' now: the epochs tell at the next write.
            log.warning("process.was_reaped")
        if row is not None:
            self._compare(row[1], began, self._now())
        self._beat_at, self._told = now, self.worker

    def _compare(self, servers: float, began: float, ended: float) -> None:
        """Log it if the clock of this machine, which showed `began` and `ended` before
        and after the server's showed `servers`, is far from that."""
        apart = max(began - servers, servers - ended, 0.0)
        if (is_apart := apart > MOST_APART) and not self._is_apart:
            log.error("process.clock_is_off seconds=%.0f set=the_time", apart)
        self._is_apart = is_apart

    async def _count(self, connection: psycopg.AsyncConnection) -> None:
        """Log it if nobody hears, or nobody answers."""
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

    async def _owned(self, connection: psycopg.AsyncConnection) -> list[ThreadKey]:
        cursor = await connection.execute(OWNED, [self._id])
        return [ThreadKey(*row) for row in await cursor.fetchall()]

    async def _pass_on(self, connection: psycopg.AsyncConnection, stops: Stops) -> None:
        """Pass on what a lost notification may have told."""
        if self._role == GATEWAY:
            return
        cursor = await connection.execute(ASKED, [self._id])
        for how, key in await cursor.fetchall():
            stops(how, key)
