"""The answers that run or wait, wherever that is: in this process, or in others that
share its database."""

import time
from collections.abc import Callable
from typing import Protocol

from bot.conversation.dispatcher import ThreadDispatcher
from bot.domain.scope import Scope, ThreadKey
from bot.ports.notices import NoticeStore
from bot.ports.processes import SharedTurns


class Answers(Protocol):
    """The answers of threads, for those who take in messages and commands. Each method
    may raise StorageError."""

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool | None:
        """Have the open turns of `thread` answered, in which `asker` wrote at `at`, in
        seconds since 1970; return whether they are to be told that many wait, None if
        `is_crowded_out` tells that after a while."""
        ...

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        """Return whether `thread` still waits for a place, and `asker` is to be told
        so: no older question of theirs does."""
        ...

    async def is_running(self, thread: ThreadKey) -> bool:
        """Return whether a message in `thread` has to wait for a running turn."""
        ...

    async def delays(self, thread: ThreadKey, author: str, message: str) -> bool:
        """Return whether the message with the id `message`, of `author` in `thread`,
        has to wait for the running turn and they were not told so yet; they are told
        now."""
        ...

    async def running(self, place: Scope) -> list[tuple[ThreadKey, str]]:
        """Return the threads in `place` whose turn runs, each with its key."""
        ...

    async def waiting(self, place: Scope, asker: str) -> list[ThreadKey]:
        """Return the threads in `place` in which `asker` waits for a place, oldest
        question first."""
        ...

    async def stop(self, thread: ThreadKey, turn: str = "") -> bool:
        """Stop a turn of `thread`: the one with the key `turn`, or if that is "" the
        running one or, if none runs, the next. Return whether it will stop."""
        ...

    async def withdraw(self, thread: ThreadKey, turn: str) -> None:
        """Stop the running turn of `thread` with the key `turn`, whose questions were
        deleted, unless some of its answer shows."""


class LocalAnswers:
    """The answers of this process, which is the only one."""

    def __init__(self, dispatcher: ThreadDispatcher) -> None:
        self._dispatcher = dispatcher

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool:
        return self._dispatcher.put(thread, asker, at)

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        # Known at once, and told.
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


class SharedStore(SharedTurns, NoticeStore, Protocol):
    """The part of the store that shared answers use."""


class SharedAnswers:
    """The answers of all processes that share `store`: what is asked here is stored,
    and the database tells the process that has the thread."""

    def __init__(
        self, store: SharedStore, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._now = now

    async def put(self, thread: ThreadKey, asker: str, at: float) -> bool | None:
        # A process was woken in the transaction that stored the turn. Soon it shows
        # whether one has a place.
        return None

    async def is_crowded_out(self, thread: ThreadKey, asker: str) -> bool:
        waiting = await self._store.waiting_threads_of(Scope(thread.platform), asker)
        return waiting[:1] == [thread]

    async def is_running(self, thread: ThreadKey) -> bool:
        return bool(await self._store.running_turns(Scope.of(thread)))

    async def delays(self, thread: ThreadKey, author: str, message: str) -> bool:
        for _, turn in await self._store.running_turns(Scope.of(thread)):
            name = f"waits {turn} {author}"
            # Claimed by the message, so that another one of theirs is not told again.
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
