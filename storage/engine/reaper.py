"""Cleans up after processes that ended without unregistering.

One process at a time does this. It holds a lock for as long as it lives.

Rule: nothing here decides who answers in a thread; `threads.owner` does. A superfluous
job finds nothing to do.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from bot.runtime.lru import LruDict
from storage.engine.origin import is_gone
from storage.postgres.connection import name_of
from storage.postgres.lock_numbers import OURS, PROCESSES, REAPER

log = logging.getLogger(__name__)

#: Time without a heartbeat after which a process counts as silent, in seconds.
SILENT = 8.0

#: Minimum age of the reaper's own connection before it reaps anybody, in seconds. A
#: server that restarts, or cuts all connections, cuts this one too.
SETTLED = 5.0

#: Time between two searches for threads and cases without a job and for jobs without a
#: worker, in seconds; and between two updates of the statistics of the job table,
#: without which fetching a job takes a hundred times as long.
SWEEP = 1.0
ANALYZE = 30.0

# A thread or case that was woken and still has no job fails when it is tried. Each
# pause before it is woken again is twice the previous one, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
# The most woken threads and cases to remember.
MOST_WOKEN = 10_000

PROCESSES_LEFT = f"""
    SELECT id, worker, origin,
        seen_at < extract(epoch FROM clock_timestamp()) - {SILENT} AS is_silent,
        NOT EXISTS (
            SELECT 1 FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND classid = {PROCESSES}
              AND objid = (hashtext(id)::bigint & 4294967295)::oid
              AND database = (
                SELECT oid FROM pg_database WHERE datname = current_database()
              )
        ) AS is_unlocked
    FROM processes WHERE id <> %s
"""

# The engine announces only new jobs, not retried ones. A periodic task is not retried:
# its next run may already be queued, only one may be queued, and it comes in any case.
REQUEUE = """
    WITH left_behind AS (
        SELECT id, queue_name, queueing_lock FROM procrastinate_jobs
        WHERE status = 'doing' AND ({})
        FOR UPDATE SKIP LOCKED
    ), dropped AS (
        DELETE FROM procrastinate_jobs WHERE id IN (
            SELECT id FROM left_behind WHERE queueing_lock IS NOT NULL
        )
    ), stalled AS (
        SELECT id, queue_name FROM left_behind WHERE queueing_lock IS NULL
    ), tried_again AS MATERIALIZED (
        SELECT id, queue_name, procrastinate_retry_job_v2(id, NULL, NULL, NULL, NULL)
        FROM stalled
    )
    SELECT pg_notify(
        channel, json_build_object('type', 'job_inserted', 'job_id', id)::text
    )
    FROM tried_again, LATERAL (VALUES
        ('procrastinate_queue_v1#' || queue_name), ('procrastinate_any_queue_v1')
    ) AS told (channel)
"""
OF_WORKER = "worker_id = %s"
OF_NOBODY = f"""
    worker_id IS NULL OR worker_id IN (
        SELECT id FROM procrastinate_workers
        WHERE last_heartbeat < now() - make_interval(secs => {SILENT})
    )
"""

# A process that is suspended in a transaction holds locks for which others wait.
END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = %s
"""

THREADS_LEFT = """
    SELECT threads.id FROM threads
    WHERE id IN (SELECT thread_id FROM turns WHERE state <> 'delivered')
      AND owner NOT IN (SELECT id FROM processes)
      AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing')
          AND lock = concat_ws(':', platform, workspace, channel, threads.thread)
      )
"""
CASES_LEFT = """
    SELECT min(id) FROM cases
    WHERE auto = 1 AND shown = 0 AND text <> '' AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing')
          AND lock = concat_ws(':', 'cases', platform, workspace, channel)
      )
    GROUP BY platform, workspace, channel
"""


class Reaper:
    """Cleans up after ended processes, if no other process does.

    `reaped` is awaited after ended processes were found.
    """

    def __init__(
        self,
        reaped: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reaped = reaped
        self._clock = clock
        #: The connection that holds the lock.
        self._of: psycopg.AsyncConnection | None = None
        #: The processes that held no lock at the previous check.
        self._unlocked: set[str] = set()
        self._swept = self._analyzed = float("-inf")
        #: The threads and cases that were woken: when each may be woken again, and the
        #: pause after that.
        self._woken: LruDict[tuple[str, int], tuple[float, float]]
        self._woken = LruDict(MOST_WOKEN)

    async def look(
        self, connection: psycopg.AsyncConnection, me: str, age: float
    ) -> None:
        """Do the work that is due, on the `connection` of the process `me`.

        The connection has been open for `age` seconds.
        """
        if self._of is not connection and not await self._is_alone(connection):
            return
        self._of = connection
        now = self._clock()
        if now - self._analyzed >= ANALYZE:
            self._analyzed = now
            await connection.execute("ANALYZE procrastinate_jobs")
        is_settled = age >= SETTLED
        await self._reap(connection, me, is_settled=is_settled)
        if now - self._swept >= SWEEP:
            self._swept = now
            if is_settled:
                await connection.execute(REQUEUE.format(OF_NOBODY))
            await self._sweep(connection, now)

    async def _is_alone(self, connection: psycopg.AsyncConnection) -> bool:
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", [OURS, REAPER]
        )
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def _reap(
        self, connection: psycopg.AsyncConnection, me: str, *, is_settled: bool
    ) -> None:
        """Remove the ended processes from the list.

        Until all processes have had time to lock again, only those of this machine are
        removed.
        """
        cursor = await connection.execute(PROCESSES_LEFT, [me])
        unlocked, dead = set(), []
        for id, worker, of, is_silent, is_unlocked in await cursor.fetchall():
            if is_unlocked and is_settled:
                unlocked.add(id)
            # Seen twice, because a process whose connection was cut locks again at
            # once.
            is_lost = (is_settled and is_silent) or id in unlocked & self._unlocked
            if is_lost or is_gone(of):
                dead.append((id, worker))
        self._unlocked = unlocked
        for id, worker in dead:
            log.warning("process.ended id=%s", id)
            await connection.execute(END, [name_of(id)])
            async with connection.transaction():
                await connection.execute("DELETE FROM processes WHERE id = %s", [id])
                await connection.execute(REQUEUE.format(OF_WORKER), [worker])
                await connection.execute(
                    "DELETE FROM procrastinate_workers WHERE id = %s", [worker]
                )
        if dead:
            await self._reaped()

    async def _sweep(self, connection: psycopg.AsyncConnection, now: float) -> None:
        """Wake threads and cases that have no job."""
        for kind, left, wake in (
            ("thread", THREADS_LEFT, "threadkeep_wake"),
            ("case", CASES_LEFT, "threadkeep_wake_case"),
        ):
            cursor: Any = await connection.execute(left)
            for (number,) in await cursor.fetchall():
                if self._may_wake((kind, number), now):
                    log.info("process.woke %s=%d", kind, number)
                    await connection.execute(f"SELECT {wake}(%s)", [number])

    def _may_wake(self, what: tuple[str, int], now: float) -> bool:
        due, pause = self._woken.get(what, (now, FIRST_PAUSE))
        if now < due:
            return False
        if now - due > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        self._woken[what] = (now + pause, min(LONGEST_PAUSE, pause * 2))
        return True
