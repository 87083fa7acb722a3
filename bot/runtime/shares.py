"""Shares of a limited resource, such as memory."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class Share:
    """A share of the resource, held until it is given back."""

    def __init__(self, owner: "Shares", size: int) -> None:
        self._owner = owner
        self._size = size

    def give_back(self) -> None:
        """Return the share. A second call does nothing."""
        size, self._size = self._size, 0
        self._owner.free(size)


class Shares:
    """Hands out shares of `most` units, in the order of the requests."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[Share]:
        """Wait for a share of `size` units, and give it back on leaving.

        A request for more than the whole gets the whole. A request for 0 does not wait.
        """
        size = min(size, self._most)
        if size and (self._waiting or size > self._left):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.free(size)
                else:
                    self._waiting.remove((size, turn))
                    self.free(0)
                raise
        else:
            self._left -= size
        share = Share(self, size)
        try:
            yield share
        finally:
            share.give_back()

    def free(self, size: int) -> None:
        """Add `size` free units, and grant the waiting requests that now fit."""
        self._left += size
        while self._waiting and self._waiting[0][0] <= self._left:
            wanted, turn = self._waiting.popleft()
            self._left -= wanted
            turn.set_result(None)
