"""The jobs of this process: Procrastinate fetches them, the answerer does the work.

Rule 1: the engine's worker stops itself when its connection breaks. It is started again
for as long as the process runs, and what was begun goes on meanwhile.
Rule 2: there is always a periodic task: without one the engine does not notice that one
of its own tasks has ended.
"""

import asyncio
import logging
from collections.abc import Sequence

import procrastinate
from procrastinate import JobContext
from procrastinate.worker import Worker

from bot.domain.scope import Scope, ThreadKey
from bot.errors import error_location
from bot.ports.wakeups import Answerer, Chore
from bot.runtime.retry import Backoff
from storage.engine.presence import BEAT, Presence

log = logging.getLogger(__name__)

#: The queues of threads; which one is decided by a hash (`wakeups.sql`).
QUEUES = 16
CHORES = "chores"

# How long the engine's own statements wait for a connection, and how often it looks for
# jobs that no notification told of, in seconds.
TIMEOUT = 5.0
POLL = 1.0

#: After how long the engine itself forgets a worker, in seconds. The reaper knows
#: earlier, and better.
FORGET = 3600.0

# After how long a case is tried again for which there is no place, in seconds.
LATER = 2

# Jobs besides those of threads that may be done at once.
SPARE = 8

# The connections for fetching and finishing jobs; one more listens.
CONNECTIONS = 4

BACKOFF = Backoff(first=0.2, longest=5.0)


class JobRunner:
    """Runs the jobs of this process, with `at_once` threads at most; those of `queues`
    alone, if they are given."""

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
        self._queues = [*map("threads-{}".format, queues), CHORES] if queues else None

    async def run(
        self, answerer: Answerer, chores: Sequence[Chore], closing: asyncio.Event
    ) -> None:
        """Run jobs until `closing` is set and those that were begun have ended."""
        failures = 0
        while not closing.is_set():
            await self._presence.entered.wait()
            try:
                await self._work(answerer, chores, closing)
                failures = 0
            except Exception as error:
                # Of the engine: without the message, which may name values.
                log.warning("engine.failed at=%s", error_location(error))
                failures += 1
            if not closing.is_set():
                pause = BACKOFF.pause(failures or 1)
                log.warning("engine.starts_again in=%.1f", pause)
                await asyncio.sleep(pause)

    async def _work(
        self, answerer: Answerer, chores: Sequence[Chore], closing: asyncio.Event
    ) -> None:
        engine = _engine(self._address, answerer, chores)
        async with engine.open_async():
            worker = _Worker(
                engine,
                self._presence,
                queues=self._queues,
                concurrency=self._at_once + SPARE,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=BEAT,
                stalled_worker_timeout=FORGET,
                # If it stops by itself, nothing waits: the work goes on without jobs.
                shutdown_graceful_timeout=0.0,
                delete_jobs="always",
                install_signal_handlers=False,
            )
            async with asyncio.TaskGroup() as tasks:
                stopper = tasks.create_task(_stop(worker, closing))
                try:
                    await worker.run()  # type: ignore[no-untyped-call]
                finally:
                    self._presence.worker = 0
                    stopper.cancel()


class _Worker(Worker):
    """Tells the others its number before it fetches its first job."""

    def __init__(
        self, engine: procrastinate.App, presence: Presence, **options: object
    ) -> None:
        super().__init__(engine, **options)  # type: ignore[arg-type]
        self._presence = presence

    async def _run_loop(self) -> None:
        self._presence.worker = self.worker_id or 0
        await super()._run_loop()  # type: ignore[no-untyped-call]


async def _stop(worker: Worker, closing: asyncio.Event) -> None:
    await closing.wait()
    worker.shutdown_graceful_timeout = None
    worker.stop()  # type: ignore[no-untyped-call]


def _engine(
    address: str, answerer: Answerer, chores: Sequence[Chore]
) -> procrastinate.App:
    """Return the engine with its tasks."""
    connector = procrastinate.PsycopgConnector(
        conninfo=address, min_size=1, max_size=CONNECTIONS, timeout=TIMEOUT
    )
    engine = procrastinate.App(connector=connector)

    @engine.task(name="drain")
    async def drain(platform: str, workspace: str, channel: str, thread: str) -> None:
        await answerer.drain(ThreadKey(platform, workspace, channel, thread))

    @engine.task(name="sort", pass_context=True)
    async def sort(
        context: JobContext, case: int, platform: str, workspace: str, channel: str
    ) -> None:
        if await answerer.sort(case, Scope(platform, workspace, channel)):
            return
        # Not in line here: it would take the place of a thread.
        job = context.job
        later = engine.configure_task(
            "sort", lock=job.lock, queue=job.queue, schedule_in={"seconds": LATER}
        )
        await later.defer_async(**job.task_kwargs)

    for chore in chores:
        _add(engine, chore)
    _add(engine, Chore("watched", "* * * * *", _nothing))
    return engine


def _add(engine: procrastinate.App, chore: Chore) -> None:
    async def work(timestamp: int) -> None:
        await chore.work()

    # One at a time, and none that waits behind another.
    name = chore.name
    task = engine.task(name=name, queue=CHORES, lock=name, queueing_lock=name)(work)
    engine.periodic(cron=chore.cron)(task)


async def _nothing() -> None:
    pass
