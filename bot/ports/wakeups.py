"""Protocols for processes that share a database: what wakes them, and what they then
do.

A process with its own database needs none of this: the process that receives a message
also answers it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.scope import Scope, ThreadKey

#: The roles of a process: it receives events and answers, or does one of the two.
SERVE, GATEWAY, WORK = "serve", "gateway", "work"


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A periodic task that one of all processes runs."""

    name: str
    #: The schedule, in crontab format.
    cron: str
    work: Callable[[], Awaitable[object]]


class Answerer(Protocol):
    """This process's work on shared threads and cases. Nothing here raises."""

    async def drain(self, thread: ThreadKey) -> bool:
        """Complete the open turns of `thread`, or only the first one while all places
        are taken.

        Returns False if there is no place for its platform or workspace now. The turns
        continue if the caller is cancelled.
        """
        ...

    async def sort(self, case: int, channel: Scope) -> bool:
        """Classify the triage case `case` of `channel`, and show the result.

        Returns False if there is no place for the case now.
        """
        ...

    def release(self, threads: Sequence[ThreadKey]) -> None:
        """Release each of `threads` that this process is not answering.

        The database lists them as answered here. It may be wrong after a failover: a
        replica can lack the last commits.
        """

    def stop(self, turn: str) -> None:
        """Stop the turn with the key `turn`, if it runs here."""

    def withdraw(self, turn: str) -> None:
        """Stop the turn with the key `turn` and leave nothing of it.

        Does nothing unless the turn runs here and none of its answer is visible.
        """


class Wakeups(Protocol):
    """Wakes this process when there is work for it, whichever process received the
    event."""

    #: One of the roles.
    role: str

    async def attend(self, answerer: Answerer) -> None:
        """Register this process as running, and pass on requests to stop turns, until
        cancelled."""

    async def entered(self) -> None:
        """Wait until this process is registered."""

    def is_awake(self) -> bool:
        """Return whether this process is registered and, if its role includes work,
        fetches jobs."""
        ...

    async def work(
        self,
        answerer: Answerer,
        periodic_tasks: Sequence[PeriodicTask],
        closing: asyncio.Event,
    ) -> None:
        """Have `answerer` do the pending work.

        Once `closing` is set, take no new work, and return when all begun work has
        ended.
        """

    async def leave(self) -> None:
        """Release all threads of this process to the others. Raises StorageError."""
