"""The jobs of this process: Procrastinate fetches them, the answerer does the work.

Rule 1: the engine's worker stops itself when its connection breaks. It is restarted for
as long as the process runs; work that has begun continues in the meantime.
Rule 2: there is always a periodic task. Without one, the engine does not notice that
one of its own tasks has ended.
Rule 3: a thread is fetched only for a free place. A thread that must wait is left to
other processes, whose next job is the one that is due (`rounds.sql`).
"""

import asyncio
import logging
import select
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import procrastinate
import psycopg
from procrastinate import BaseConnector, JobContext
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from bot.domain.scope import Scope, ThreadKey
from bot.errors import error_location
from bot.ports.wakeups import Answerer, PeriodicTask
from bot.runtime.retry import Backoff
from storage.engine.presence import BEAT, Presence

log = logging.getLogger(__name__)

#: The number of queues for threads. A hash selects the queue (`wakeups.sql`).
QUEUES = 16
#: The queues of jobs that need no place for a thread.
CASES, CHORES = "cases", "chores"

# Time that the engine's own statements wait for a connection, and time between two
# polls for jobs without a notification, in seconds.
TIMEOUT = 5.0
POLL = 1.0

#: Time after which the engine itself forgets a worker, in seconds. The reaper notices
#: earlier and more reliably.
FORGET = 3600.0

# Delay before a job without a free place is tried again, in seconds.
LATER = 2

# Number of jobs other than threads that may run at once.
SPARE = 8

# Connections for fetching and finishing jobs. One more listens.
CONNECTIONS = 4

#: The task that answers a thread.
DRAIN = "drain"

BACKOFF = Backoff(first=0.2, longest=5.0)


class JobRunner:
    """Runs the jobs of this process, with at most `at_once` threads at a time.

    With `queues`, only the thread jobs of those queues.
    """

    def __init__(
        self,
        address: str,
        presence: Presence,
        *,
        at_once: int,
        queues: Sequence[int] = (),
    ) -> None:
        self._address = address
        self._presence = presence
        self._at_once = at_once
        threads = map("threads-{}".format, queues)
        self._queues = [*threads, CASES, CHORES] if queues else None

    async def run(
        self,
        answerer: Answerer,
        periodic_tasks: Sequence[PeriodicTask],
        closing: asyncio.Event,
    ) -> None:
        """Run jobs until `closing` is set and all begun jobs have ended."""
        failures = 0
        while not closing.is_set():
            await self._presence.entered.wait()
            try:
                await self._work(answerer, periodic_tasks, closing)
                failures = 0
            except Exception as error:
                # An error of the engine is logged without its message, which may
                # contain values.
                log.warning("engine.failed at=%s", error_location(error))
                failures += 1
            if not closing.is_set():
                pause = BACKOFF.pause(failures or 1)
                log.warning("engine.starts_again in=%.1f", pause)
                await asyncio.sleep(pause)

    async def _work(
        self,
        answerer: Answerer,
        periodic_tasks: Sequence[PeriodicTask],
        closing: asyncio.Event,
    ) -> None:
        places = _Places(self._at_once)
        engine = _engine(self._address, answerer, periodic_tasks, places)
        try:
            await engine.open_async()
            worker = _Worker(
                engine,
                self._presence,
                queues=self._queues,
                concurrency=self._at_once + SPARE,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=BEAT,
                stalled_worker_timeout=FORGET,
                # If the worker stops by itself, nothing waits: the work continues
                # without jobs.
                shutdown_graceful_timeout=0.0,
                delete_jobs="always",
                install_signal_handlers=False,
            )
            places.freed = worker.look
            async with asyncio.TaskGroup() as tasks:
                stopper = tasks.create_task(_stop(worker, closing))
                try:
                    await worker.run()  # type: ignore[no-untyped-call]
                finally:
                    self._presence.worker = 0
                    stopper.cancel()
        finally:
            # Also after an opening that was cancelled: tasks of the pool that are
            # connecting ignore their cancellation, and end only with the pool.
            await engine.close_async()


class _Worker(Worker):
    """Publishes its number before it fetches its first job."""

    def __init__(
        self, engine: procrastinate.App, presence: Presence, **options: object
    ) -> None:
        super().__init__(engine, **options)  # type: ignore[arg-type]
        self._presence = presence

    async def _run_loop(self) -> None:
        self._presence.worker = self.worker_id or 0
        await super()._run_loop()  # type: ignore[no-untyped-call]

    def look(self) -> None:
        """Look for jobs at once, as if a notification had arrived."""
        self._new_job_event.set()


class _Places:
    """The places for threads. There are fewer of them than places for jobs."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        #: Called when a place becomes free after all were taken.
        self.freed: Callable[[], None] = _nowhere

    @property
    def is_full(self) -> bool:
        return self._taken >= self._most

    def take(self) -> None:
        self._taken += 1

    def give(self) -> None:
        was_full = self.is_full
        self._taken -= 1
        if was_full:
            self.freed()


class _Jobs(JobManager):
    """Fetches threads only for free places."""

    def __init__(self, connector: BaseConnector, places: _Places) -> None:
        super().__init__(connector)
        self._places = places

    async def fetch_job(
        self, queues: Iterable[str] | None, worker_id: int
    ) -> Job | None:
        if self._places.is_full:
            queues = [CASES, CHORES]
        job = await super().fetch_job(queues, worker_id)
        if job is not None and job.task_name == DRAIN:
            self._places.take()
        return job


async def _stop(worker: Worker, closing: asyncio.Event) -> None:
    await closing.wait()
    worker.shutdown_graceful_timeout = None
    worker.stop()  # type: ignore[no-untyped-call]


def _engine(
    address: str,
    answerer: Answerer,
    periodic_tasks: Sequence[PeriodicTask],
    places: _Places,
) -> procrastinate.App:
    """Return the engine with its tasks."""
    connector = procrastinate.PsycopgConnector(
        pool_factory=_pool,
        conninfo=address,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=TIMEOUT,
    )
    engine = procrastinate.App(connector=connector)
    engine.job_manager = _Jobs(connector, places)

    @engine.task(name=DRAIN, pass_context=True)
    async def drain(
        context: JobContext,
        platform: str,
        workspace: str,
        channel: str,
        thread: str,
        asker: str = "",
    ) -> None:
        try:
            key = ThreadKey(platform, workspace, channel, thread)
            if not await answerer.drain(key):
                await later(context)
        finally:
            places.give()

    @engine.task(name="sort", pass_context=True)
    async def sort(
        context: JobContext, case: int, platform: str, workspace: str, channel: str
    ) -> None:
        if not await answerer.sort(case, Scope(platform, workspace, channel)):
            await later(context)

    async def later(context: JobContext) -> None:
        """Do the job again later, as a new job. Waiting here would take a place from
        another job."""
        job = context.job
        again = engine.configure_task(
            job.task_name,
            lock=job.lock,
            queue=job.queue,
            priority=job.priority,
            schedule_in={"seconds": LATER},
        )
        await again.defer_async(**job.task_kwargs)

    for periodic_task in periodic_tasks:
        _add(engine, periodic_task)
    _add(engine, PeriodicTask("watched", "* * * * *", _nothing))
    return engine


def _pool(**options: Any) -> AsyncConnectionPool:
    """Return a connection pool in which each statement is its own transaction.

    This saves the engine's round trips: two for a transaction, and one to check the
    connection.
    """
    return AsyncConnectionPool(
        **{**options, "configure": _commit_at_once, "check": _check}
    )


async def _commit_at_once(connection: psycopg.AsyncConnection) -> None:
    await connection.set_autocommit(True)


async def _check(connection: psycopg.AsyncConnection) -> None:
    """Raise psycopg.OperationalError if the server has closed `connection`.

    Apart from notices, only a closed connection has anything to read.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


def _add(engine: procrastinate.App, periodic_task: PeriodicTask) -> None:
    async def work(timestamp: int) -> None:
        await periodic_task.work()

    # One run at a time, and none queued behind another.
    name = periodic_task.name
    task = engine.task(name=name, queue=CHORES, lock=name, queueing_lock=name)(work)
    engine.periodic(cron=periodic_task.cron)(task)


async def _nothing() -> None:
    pass


def _nowhere() -> None:
    pass
