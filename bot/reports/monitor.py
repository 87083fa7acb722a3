"""Reports the state of the running process, and whether it is ready."""

import asyncio
import time
from collections.abc import Callable

from bot.domain.reports import CallSum
from bot.domain.vitals import Ages, Connection, Vitals
from bot.errors import StorageError
from bot.messages import reports as messages
from bot.ports.reports import ReportStore

# A call is stored when it has ended, at most this many seconds after its own timestamp.
# The sums of earlier calls are final.
SETTLED = 600.0

# How long the result of a database check is cached, and the timeout of a check, in
# seconds. Each check is a write, and health is requested every few seconds.
FRESH = 5.0
PATIENCE = 5.0


class ProcessMonitor:
    """Implements `bot.ports.operator_reports.Monitor`.

    A connected platform must have been heard within `heard_within` seconds; with None a
    connection suffices. `is_awake` returns True if the process is woken when there is
    work for it.
    """

    def __init__(
        self,
        store: ReportStore,
        vitals: Callable[[], Vitals],
        heard_within: float | None = None,
        now: Callable[[], float] = time.time,
        is_awake: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._read = vitals
        self._within = heard_within
        self._now = now
        self._is_awake = is_awake
        #: The sums of the calls that ended before `_until`.
        self._settled: dict[tuple[str, str], CallSum] = {}
        self._until = vitals().started
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._broken = ""

    def vitals(self) -> Vitals:
        """Return the vitals of the process."""
        return self._read()

    async def open_turns(self) -> list[Ages]:
        """Return the number and age of open turns."""
        return await self._store.open_turns()

    async def calls(self) -> list[CallSum]:
        """Return the calls to models since the process started, by kind and model."""
        async with self._looking:
            until = self._now() - SETTLED
            if until > self._until:
                for each in await self._store.call_sums(self._until, until):
                    key = each.kind, each.model
                    self._settled[key] = _sum(self._settled.get(key), each)
                self._until = until
            newest = await self._store.call_sums(self._until, float("inf"))
        found = dict(self._settled)
        for each in newest:
            key = each.kind, each.model
            found[key] = _sum(found.get(key), each)
        return list(found.values())

    async def unready(self) -> list[str]:
        """Return the reasons why the process is not ready, one sentence each."""
        found = [await self._database()]
        found += [] if self._is_awake() else [messages.NOT_AWAKE]
        found += [self._connection(each) for each in self._read().connections]
        return [each for each in found if each]

    async def _database(self) -> str:
        async with self._looking:
            if self._now() - self._looked >= FRESH:
                self._broken = ""
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._store.require_writable()
                except StorageError as error:
                    self._broken = messages.database_unwritable(reason=error.user_text)
                except TimeoutError:
                    self._broken = messages.database_slow(seconds=int(PATIENCE))
                self._looked = self._now()
        return self._broken

    def _connection(self, each: Connection) -> str:
        if each.failure:
            return messages.shut_down(platform=each.platform, reason=each.failure)
        if each.is_local:
            return ""
        if each.since is None:
            return messages.not_connected(platform=each.platform)
        # A new connection may not have received an event yet.
        silent = self._now() - max(each.heard or 0.0, each.since)
        if self._within is not None and silent > self._within:
            return messages.not_heard(
                platform=each.platform, minutes=int(self._within / 60)
            )
        return ""


def _sum(before: CallSum | None, more: CallSum) -> CallSum:
    if before is None:
        return more
    return CallSum(
        *(more.kind, more.model, before.calls + more.calls),
        before.usage + more.usage,
        before.cost + more.cost,
    )
