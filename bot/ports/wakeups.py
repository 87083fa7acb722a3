"""Protocols of processes that share a database: what wakes them, and what they do then.

A process that has its database for itself needs none of this: who takes in a message
also has it answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.scope import Scope, ThreadKey

#: The roles of a process: it hears and answers, or one of the two.
SERVE, GATEWAY, WORK = "serve", "gateway", "work"


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that one process of all does from time to time."""

    name: str
    #: When, as a line of a crontab.
    cron: str
    work: Callable[[], Awaitable[object]]


class Answerer(Protocol):
    """This process's work for the threads of all. Nothing here raises."""

    async def drain(self, thread: ThreadKey) -> bool:
        """Take the open turns of `thread` to their ends, or the first of them while all
        places are taken. Return False if there is no place for its platform or
        workspace now. If the caller is cancelled, they go on."""
        ...

    async def sort(self, case: int, channel: Scope) -> bool:
        """Classify the triage case `case` of `channel`, and show the result; return
        False if there is no place for it now."""
        ...

    def release(self, threads: Sequence[ThreadKey]) -> None:
        """Leave those of `threads`, which are said to be answered here, that are not: a
        server that was replaced by its replica forgets what ended last."""

    def stop(self, turn: str) -> None:
        """Stop the turn with the key `turn`, if it runs here."""

    def withdraw(self, turn: str) -> None:
        """Stop the turn with the key `turn` and leave nothing, if it runs here and none
        of its answer shows."""


class Wakeups(Protocol):
    """Wakes this process when there is work for it, whoever heard of that."""

    #: One of the roles.
    role: str

    async def attend(self, answerer: Answerer) -> None:
        """Be known to the others as a process that runs, and pass on who is to be
        stopped, until cancelled."""

    async def entered(self) -> None:
        """Wait until the others know this process."""

    def is_awake(self) -> bool:
        """Return whether the others know this process now, and it fetches its work if
        it is to do any."""
        ...

    async def work(
        self, answerer: Answerer, chores: Sequence[Chore], closing: asyncio.Event
    ) -> None:
        """Have `answerer` do what there is to do. Once `closing` is set, take nothing
        new, and return when all that was begun has ended."""

    async def leave(self) -> None:
        """Leave all threads of this process to the others. Raises StorageError."""
