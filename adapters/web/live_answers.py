"""Answers that programs read while they are written.

Rule 1: only stored text is sent. After each change of a thread, its answer is read from
the store again, once for all readers. So a reader can be disconnected at any time and
resume from the store, in this process or the next.
Rule 2: a reader has no queue. When it is woken, it takes the current answer, so a slow
reader skips the versions in between.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from adapters.web.threads import Threads, TooManyReaders
from bot.domain.api_thread import AnswerSoFar
from bot.domain.scope import ThreadKey
from bot.errors import StorageError
from bot.runtime import background

#: Reads the answer to a message from the store. Raises StorageError.
Read = Callable[[ThreadKey, str], Awaitable[AnswerSoFar | None]]

#: The most streams that are open at once: each is a connection and a task.
MOST_STREAMS = 2_000

# How often an answer without changes is read again, in seconds: a turn may end without
# an answer, or be deleted.
LOOK_EVERY = 5.0


@dataclass(eq=False)
class Live:
    """One answer, and its readers."""

    #: The answer as it was last stored; None if the message is gone.
    answer: AnswerSoFar | None = None
    #: The number of changes so far.
    version: int = 0
    #: Set once the answer was read.
    known: bool = False
    #: Whether no change follows, because the answer is no longer read from the store.
    ended: bool = False
    readers: int = 0
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    def put(self, answer: AnswerSoFar | None) -> None:
        """Pass `answer` to all readers."""
        if self.known and answer == self.answer:
            return
        self.answer, self.known = answer, True
        self.version += 1
        self._wake()

    def end(self) -> None:
        """Tell all readers that no change follows."""
        self.ended = True
        self._wake()

    async def changed(self, since: int) -> None:
        """Wait until the version differs from `since`, or no change follows."""
        while self.version == since and not self.ended:
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class LiveAnswers:
    """The answers that are being read; `read` reads one from the store."""

    def __init__(self, read: Read, threads: Threads) -> None:
        self._read = read
        self._threads = threads
        self._live: dict[tuple[ThreadKey, str], Live] = {}
        #: The number of open streams.
        self.open = 0

    @contextlib.asynccontextmanager
    async def reading(self, thread: ThreadKey, message: str) -> AsyncIterator[Live]:
        """Follow the answer to `message` until the block ends. Raises
        TooManyReaders."""
        if self.open >= MOST_STREAMS:
            raise TooManyReaders
        key = (thread, message)
        live = self._live.get(key)
        if live is None or live.ended:
            live = self._live[key] = Live()
            live.task = background.begin("read answer", self._follow(live, *key))
        live.readers += 1
        self.open += 1
        try:
            yield live
        finally:
            self.open -= 1
            live.readers -= 1
            if not live.readers:
                if self._live.get(key) is live:
                    del self._live[key]
                if live.task is not None:
                    background.end(live.task)

    async def _follow(self, live: Live, thread: ThreadKey, message: str) -> None:
        try:
            # Subscribe before the store is read, so that no change is missed.
            with self._threads.subscribe(thread) as changes:
                while not changes.ended:
                    # While the store cannot be read, readers keep the last version.
                    with contextlib.suppress(StorageError):
                        live.put(await self._read(thread, message))
                    if live.known and (live.answer is None or live.answer.is_final):
                        break
                    await changes.changes(LOOK_EVERY)
        finally:
            live.end()
