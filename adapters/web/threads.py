"""Passes live changes of threads to open pages and streams.

Rule: the store is authoritative. A reader first subscribes, then reads the store, then
follows the changes. A reader that is disconnected does the same again, and loses
nothing.

A reader holds the newest version of each changed post rather than each change, so a
slow reader costs no more than a fast one. A reader with more than MOST changed posts is
ended.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.domain.post import Post
from bot.domain.scope import ThreadKey

#: The most changed posts that wait for one reader.
MOST = 500
#: The most readers at once: each page is one, and so is each answer that the API
#: streams.
MOST_READERS = 4_000


class TooManyReaders(Exception):
    """Too many pages and streams are open to begin another."""


@dataclass(frozen=True, slots=True)
class Change:
    """A post as it is now; `gone` if it was deleted."""

    post: Post
    gone: bool = False


class Reader:
    """Follows the changes that interest one reader."""

    def __init__(self, wants: Callable[[Post], bool]) -> None:
        self._wants = wants
        self._waiting: dict[str, Change] = {}
        self._woken = asyncio.Event()
        #: Whether the reader did not keep up, or the server stops. Its page or stream
        #: must then begin again.
        self.ended = False

    def offer(self, change: Change) -> None:
        """Hold `change` for the reader, if the reader wants it."""
        if self.ended or not self._wants(change.post):
            return
        self._waiting[change.post.message] = change
        if len(self._waiting) > MOST:
            self.end()
        self._woken.set()

    def end(self) -> None:
        """End the reader, and drop the waiting changes."""
        self.ended = True
        self._waiting.clear()
        self._woken.set()

    async def changes(self, timeout: float) -> list[Change]:
        """Return the changes since the last call, oldest first; wait for one, at most
        `timeout` seconds. Empty if there is none, or if the reader has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        self._woken.clear()
        found, self._waiting = list(self._waiting.values()), {}
        return found


class Threads:
    """Passes changes on to readers."""

    def __init__(self) -> None:
        #: Readers by the thread that they follow; None for readers of all threads.
        self._readers: dict[ThreadKey | None, set[Reader]] = {}
        #: The number of readers.
        self.open = 0

    @contextlib.contextmanager
    def reading(
        self, wants: Callable[[Post], bool], thread: ThreadKey | None = None
    ) -> Iterator[Reader]:
        """Follow the changes of posts that `wants` accepts, only in `thread` if that is
        given, until the block ends. Raises TooManyReaders."""
        if self.open >= MOST_READERS:
            raise TooManyReaders
        reader = Reader(wants)
        self._readers.setdefault(thread, set()).add(reader)
        self.open += 1
        try:
            yield reader
        finally:
            self.open -= 1
            others = self._readers[thread]
            others.discard(reader)
            if not others:
                del self._readers[thread]

    def subscribe(self, thread: ThreadKey) -> contextlib.AbstractContextManager[Reader]:
        """Follow the changes of one thread, until the block ends."""
        return self.reading(lambda post: True, thread)

    def publish(self, post: Post, *, gone: bool = False) -> None:
        """Pass the new version of `post` to all readers."""
        change = Change(post, gone)
        for key in (None, post.thread):
            for each in tuple(self._readers.get(key, ())):
                each.offer(change)

    def close(self) -> None:
        """End all readers."""
        for readers in self._readers.values():
            for each in readers:
                each.end()
