"""The store's ports for processes that share a database."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.call_lease import CallLease
from bot.domain.listed_process import ListedProcess
from bot.domain.outage import Outage
from bot.domain.platform import Rate, WriteKind
from bot.domain.scope import Scope, ThreadKey
from bot.domain.shard_range import ShardRange
from bot.domain.shared_rate import RateAsk, RateState
from bot.domain.turn import Turn


class OwnedThreads(Protocol):
    """Threads, each of which at most one process answers.

    What is written for a turn, its parts, files and reserve included, raises ThreadLost
    once another process has taken the thread.
    """

    async def take_turn(self, thread: ThreadKey) -> Turn | None:
        """Return the oldest turn of `thread` that is not DELIVERED, for this process to
        answer: `thread` is its own from now on. None if there is no such turn, or if
        another process that runs has the thread."""
        ...

    async def leave_thread(self, thread: ThreadKey) -> None:
        """Let other processes take `thread`, if it is this one's."""


class LateWriteStore(Protocol):
    """Corrections of what a process wrote to a platform after another one had taken the
    thread, for the one that lost it."""

    async def known_messages(self, turn: Turn, index: int) -> frozenset[str] | None:
        """Return the ids of the messages that `turn` and later ones of its thread have;
        None as long as it is open which one part `index` of `turn` gets."""
        ...

    async def deliver_again(self, turn: Turn, message: str) -> bool:
        """Have `message` of `turn`, or of the turn that took it over, written again:
        set that turn from DELIVERED to UNDELIVERED. Return False if it is UNDELIVERED
        already, so that its last write may be over; then ask again later. Does nothing
        if it will be written anyhow, or was deleted."""
        ...


class Gateways(Protocol):
    """Agreements among processes that receive events."""

    async def take_slot(self, name: str, seconds: float) -> float:
        """Take the next turn at `name`, of which there is one in `seconds` for all
        processes together; return in how many seconds it is. Raises StorageError."""
        ...

    async def lease_calls(
        self, name: str, want: int, each: float, burst: int
    ) -> CallLease:
        """Lease at most `want` calls of `name`, of which all processes together make
        one in `each` seconds, at most `burst` at once. Raises StorageError."""
        ...

    async def claim_event(self, name: str) -> bool:
        """Return whether this process is the first that takes the event `name`, which
        others may hear, too. Raises StorageError."""
        ...

    async def claim_shards(self, bot: str, shards: ShardRange) -> Sequence[ShardRange]:
        """Store that this process has `shards` of `bot`, unless they cross those of
        another that runs; return those of the others. Raises StorageError."""
        ...

    async def note_outage(self, name: str, since: float) -> None:
        """Store that events of `name` may be missing since then, in seconds since 1970,
        unless another process that runs catches up with that already; this process
        receives them again. Raises StorageError."""

    async def take_outage(self, name: str) -> Outage | None:
        """Return what is to be caught up with of `name`, for this process to do; None
        for nothing, or if another process that runs does. Raises StorageError."""
        ...

    async def end_outage(self, outage: Outage) -> None:
        """Store that this process has caught up with `outage`, unless it was noted
        again since. Raises StorageError."""


class SharedTurns(Protocol):
    """Turns that any process may answer."""

    async def running_turns(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """Return the threads in `place` of which a turn is not WAITING and not
        DELIVERED, each with the key of the turn."""
        ...

    async def waiting_threads_of(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads in `place` whose oldest open turn is WAITING and was asked
        by `asker`, oldest question first."""
        ...

    async def ask_to_stop(self, thread: ThreadKey, turn: str, how: str) -> bool:
        """Have the turn of `thread` with the key `turn`, or the oldest open one if that
        is "", stopped, whichever process has it: `how` is "stop", or "withdraw" if
        nothing is to be left of it. Return False if it has ended, or was asked for
        before."""
        ...

    async def processes(self) -> list[ListedProcess]:
        """Return the processes that run on a database that several share."""


class RateStore(Protocol):
    """Rates of writes that processes share; see `PartStore.store_part`."""

    async def ask_rates(self, asks: Sequence[RateAsk]) -> Sequence[RateState]:
        """Ask for a write of which nothing is stored. Raises StorageError."""
        ...

    async def close_rate(
        self, scope: str, kind: WriteKind, rate: Rate, seconds: float
    ) -> None:
        """Have no process write in the scope for `seconds`, and allow one write then.
        Raises StorageError."""
