"""Shares of something limited, such as memory."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class Share:
    """A part of what there is, until it is given back."""

    def __init__(self, owner: "Shares", size: int) -> None:
        self._owner = owner
        self._size = size

    def give_back(self) -> None:
        """Let others have it; the second time does nothing."""
        size, self._size = self._size, 0
        self._owner.free(size)


class Shares:
    """Hands out shares of `most`, in the order in which they are asked for."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[Share]:
        """Wait for a share of `size`, and give it back on leaving. One that is larger
        than all there is gets all; one of nothing does not wait."""
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
        """Have `size` more, for those who wait."""
        self._left += size
        while self._waiting and self._waiting[0][0] <= self._left:
            wanted, turn = self._waiting.popleft()
            self._left -= wanted
            turn.set_result(None)
