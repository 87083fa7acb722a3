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
    """Threads, each answered by at most one process.

    Writes for a turn, including its parts, files and reserve, raise ThreadLost once
    another process has taken the thread.
    """

    async def take_turn(self, thread: ThreadKey) -> Turn | None:
        """Take `thread` for this process, and return its oldest turn that is not
        DELIVERED.

        None if there is no such turn, or if another running process has the thread.
        """
        ...

    async def leave_thread(self, thread: ThreadKey) -> None:
        """Release `thread` to other processes, if this process has it."""


class LateWriteStore(Protocol):
    """Corrections of writes that a process made after another one had taken the thread.

    Used by the process that lost the thread.
    """

    async def known_messages(self, turn: Turn, index: int) -> frozenset[str] | None:
        """Return the ids of the messages of `turn` and of later turns of its thread.

        None until it is known which message part `index` of `turn` gets.
        """
        ...

    async def deliver_again(self, turn: Turn, message: str) -> bool:
        """Have `message` of `turn`, or of the turn that took it over, written again.

        Sets that turn from DELIVERED to UNDELIVERED. Returns False if the turn is
        already UNDELIVERED, because its last write may be over; then ask again later.
        Does nothing if the message will be written anyway, or was deleted.
        """
        ...


class Gateways(Protocol):
    """Coordination among processes that receive events."""

    async def take_slot(self, name: str, seconds: float) -> float:
        """Take the next slot of `name`, of which all processes together get one per
        `seconds`.

        Returns the number of seconds until the slot. Raises StorageError.
        """
        ...

    async def lease_calls(
        self, name: str, want: int, each: float, burst: int
    ) -> CallLease:
        """Lease at most `want` calls of `name`.

        All processes together make one call per `each` seconds, with bursts of at most
        `burst`. Raises StorageError.
        """
        ...

    async def claim_event(self, name: str) -> bool:
        """Return whether this process is the first to take the event `name`.

        Other processes may receive the same event. Raises StorageError.
        """
        ...

    async def claim_shards(self, bot: str, shards: ShardRange) -> Sequence[ShardRange]:
        """Store that this process has `shards` of `bot`, unless they overlap those of
        another running process.

        Returns the shards of the other processes. Raises StorageError.
        """
        ...

    async def note_outage(self, name: str, since: float) -> None:
        """Store that events of `name` may be missing since `since`, in seconds since
        1970.

        This process receives events again. Nothing is stored if another running process
        already catches up with `name`, which is not a part. Raises StorageError.
        """

    async def take_outage(self, name: str) -> Outage | None:
        """Take over the outage of `name` or of a part of it, for this process to catch
        up with.

        None if there is no outage, or if another running process catches up with it.
        Raises StorageError.
        """
        ...

    async def end_outage(self, outage: Outage) -> None:
        """Store that this process has caught up with `outage`, unless the outage was
        noted again since. Raises StorageError."""


class SharedTurns(Protocol):
    """Turns that any process may answer."""

    async def running_turns(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """Return the threads in `place` with a turn that has begun and is not
        DELIVERED, each with the turn's key."""
        ...

    async def waiting_threads_of(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads in `place` whose oldest open turn is WAITING and was asked
        by `asker`.

        Oldest question first.
        """
        ...

    async def ask_to_stop(self, thread: ThreadKey, turn: str, how: str) -> bool:
        """Ask the process that has the turn of `thread` with the key `turn` to stop it.

        "" as `turn` means the oldest open turn. `how` is "stop", or "withdraw" if
        nothing of the answer should remain. Returns False if the turn has ended, or was
        asked to stop before.
        """
        ...

    async def processes(self) -> list[ListedProcess]:
        """Return the running processes of a database that several processes share."""


class RateStore(Protocol):
    """Rates of writes that processes share. See `PartStore.store_part`."""

    async def ask_rates(self, asks: Sequence[RateAsk]) -> Sequence[RateState]:
        """Ask the shared rates for a write that stores nothing.

        Returns the answer to each ask. Raises StorageError.
        """
        ...

    async def close_rate(
        self, scope: str, kind: WriteKind, rate: Rate, seconds: float
    ) -> None:
        """Block writes of all processes in the scope for `seconds`, then allow one
        write.

        Raises StorageError.
        """
