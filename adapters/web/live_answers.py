"""Answers that programs read while they are written.

Rule 1: what is sent is what is stored. Each change of a thread has its answer read from
the store again, once for all its readers, so that a reader can be cut off at any time
and go on from the store, in this process or the next.
Rule 2: a reader holds no queue. It is woken, and takes what there is then; a slow one
skips what was in between.
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

# The pause between two looks at an answer of which nothing new was shown, in seconds: a
# turn may end without an answer, or be deleted.
LOOK_EVERY = 5.0


@dataclass(eq=False)
class Live:
    """One answer with all that read it."""

    #: As it was stored last; None if the message is gone.
    answer: AnswerSoFar | None = None
    #: Counts the changes.
    version: int = 0
    #: Set once the answer was read.
    known: bool = False
    #: Whether reading it has ended, and no change follows.
    ended: bool = False
    readers: int = 0
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    def put(self, answer: AnswerSoFar | None) -> None:
        """Let all readers see `answer`."""
        if self.known and answer == self.answer:
            return
        self.answer, self.known = answer, True
        self.version += 1
        self._wake()

    def end(self) -> None:
        """Let all readers see that no change follows."""
        self.ended = True
        self._wake()

    async def changed(self, since: int) -> None:
        """Wait until there is a later version than `since`, or no other follows."""
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
            # Subscribed before the store is read, so that nothing falls between.
            with self._threads.subscribe(thread) as changes:
                while not changes.ended:
                    # While the store cannot be read, what was read stays.
                    with contextlib.suppress(StorageError):
                        live.put(await self._read(thread, message))
                    if live.known and (live.answer is None or live.answer.is_final):
                        break
                    await changes.changes(LOOK_EVERY)
        finally:
            live.end()
