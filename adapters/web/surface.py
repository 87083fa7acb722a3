"""Shows replies of the bot in the local workspace."""

import time
from collections.abc import Collection, Sequence
from typing import Self

from adapters.web.board import Board
from bot.domain.platform import WriteKind
from bot.domain.post import Post
from bot.domain.reply import READY, Part
from bot.domain.turn import Turn
from bot.errors import DeliveryError, StorageError


class WebSurface:
    """Implements `bot.ports.platform.Surface` in the local workspace.

    The id of a new message is derived from the turn, so a post that is repeated after a
    crash replaces the first one.
    """

    #: None: a placeholder shows that an answer is coming, and the whole answer is text.
    sign = uploads = None

    def __init__(self, board: Board, turn: Turn) -> None:
        self._board = board
        self._turn = turn
        self._ids = {each.index: each.message for each in turn.shown if each.message}

    @property
    def deletions(self) -> Self:
        """This surface, which can delete its messages."""
        return self

    async def announce(self) -> bool:
        """Return False, so that a placeholder, which can be stopped, is shown at
        once."""
        return False

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the one way to write: a post, then edits."""
        return (WriteKind.EDIT if part.index in self._ids else WriteKind.POST,)

    async def show(self, part: Part, way: WriteKind) -> str:
        """Store and show the text of `part`. Raises DeliveryError."""
        message = self._id(part.index)
        text = f"@{part.calls}, {READY}" if part.calls else part.text
        post = Post(
            self._turn.thread,
            message,
            time.time(),
            "",
            text,
            turn=self._turn.key,
            index=part.index,
            final=part.final,
            controls=tuple(each.value for each in part.offers),
        )
        try:
            await self._board.put(post)
        except StorageError as error:
            raise DeliveryError(str(error)) from error
        self._ids[part.index] = message
        return message

    async def remove(self, index: int) -> None:
        """Delete message `index`. Raises DeliveryError."""
        try:
            found = await self._board.find(self._id(index))
            if found is not None:
                await self._board.delete(found)
        except StorageError as error:
            raise DeliveryError(str(error)) from error
        self._ids.pop(index, None)

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Delete message `index` unless its id is in `known`; the id is the same in
        every process. Raises DeliveryError."""
        if self._id(index) not in known:
            await self.remove(index)

    def _id(self, index: int) -> str:
        return self._ids.get(index) or f"{self._turn.key}-{index}"
