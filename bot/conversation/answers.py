"""The running and waiting answers, of this process or of all that share a database."""

import time
from collections.abc import Callable
from typing import Protocol

from bot.conversation.dispatcher import ThreadDispatcher
from bot.domain.scope import Scope, ThreadKey
from bot.ports.notices import NoticeStore
from bot.ports.processes import SharedTurns


class Answers(Protocol):
    """The answers of threads, for the code that takes in messages and commands.

    Each method may raise StorageError.
    """

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool | None:
        """Schedule the open turns of `thread`, in which `asker` wrote at `at`.

        `at` is in seconds since 1970. Return whether to tell `asker` that many
        questions wait; None if that is not known yet, and `is_crowded_out` has to be
        asked later.
        """
        ...

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        """Return whether to tell `asker` that `thread` still waits for a slot.

        Returns False if an older question of `asker` waits, too.
        """
        ...

    async def is_running(self, thread: ThreadKey) -> bool:
        """Return whether a message in `thread` has to wait for a running turn."""
        ...

    async def delays(self, thread: ThreadKey, author: str, message: str) -> bool:
        """Return whether to tell `author` that a message waits for the running turn.

        `message` is the id of that message. Records that `author` is told now, so that
        later calls for the same turn return False.
        """
        ...

    async def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """Return the threads in `place` with a running turn, each with its key."""
        ...

    async def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads in `place` in which `asker` waits for a slot.

        The thread with the oldest question comes first.
        """
        ...

    async def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        """Stop a turn of `thread`, and return whether it will stop.

        `turn` is the turn's key; "" means the running turn or, if none runs, the next.
        """
        ...

    async def withdraw(self, thread: ThreadKey, turn: str) -> None:
        """Stop the running turn `turn`, whose questions were deleted.

        Does nothing if a part of its answer shows.
        """

    async def begin_anew(self, channel: Scope) -> None:
        """End the running turns of `channel`, whose threads the store knows by another
        id now, and begin them again in their new places."""


class LocalAnswers:
    """The answers of a process that shares its database with no other."""

    def __init__(self, dispatcher: ThreadDispatcher) -> None:
        self._dispatcher = dispatcher

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool:
        return self._dispatcher.put(thread, asker, at)

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        # `put` has returned the result at once.
        return False

    async def is_running(self, thread: ThreadKey) -> bool:
        return self._dispatcher.is_running(thread)

    async def delays(self, thread: ThreadKey, author: str, message: str) -> bool:
        return self._dispatcher.delays(thread, author)

    async def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        return self._dispatcher.running(place)

    async def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        return self._dispatcher.waiting(place, asker)

    async def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        return self._dispatcher.stop(thread, turn)

    async def withdraw(self, thread: ThreadKey, turn: str) -> None:
        self._dispatcher.withdraw(thread, turn)

    async def begin_anew(self, channel: Scope) -> None:
        # The channel is the same in all workspaces that share it.
        self._dispatcher.leave_channel(channel)
        await self._dispatcher.resume()


class SharedStore(SharedTurns, NoticeStore, Protocol):
    """The part of the store that shared answers use."""


class SharedAnswers:
    """The answers of all processes that share `store`.

    A request is stored, and the database passes it on to the process that has the
    thread.
    """

    def __init__(
        self, store: SharedStore, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._now = now

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool | None:
        # A process was woken in the transaction that stored the turn. Whether one had a
        # free slot shows a little later.
        return None

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        waiting = await self._store.waiting_threads_of(Scope(thread.platform), asker)
        return waiting[:1] == [thread]

    async def is_running(self, thread: ThreadKey) -> bool:
        return bool(await self._store.running_turns(Scope.of(thread)))

    async def delays(self, thread: ThreadKey, author: str, message: str) -> bool:
        for _, turn in await self._store.running_turns(Scope.of(thread)):
            name = f"waits {turn} {author}"
            # The message makes the claim, so that the author's next message is not
            # answered with the same notice.
            return await self._store.claim_notice(
                Scope.of(thread), name, message, self._now()
            )
        return False

    async def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        return await self._store.running_turns(place)

    async def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        return await self._store.waiting_threads_of(place, asker)

    async def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        return await self._store.ask_to_stop(thread, turn, "stop")

    async def withdraw(self, thread: ThreadKey, turn: str) -> None:
        await self._store.ask_to_stop(thread, turn, "withdraw")

    async def begin_anew(self, channel: Scope) -> None:
        # The processes that answer there have lost their threads, and the engine wakes
        # others.
        pass
