"""Replies of the bot in the local workspace."""

import time
from collections.abc import Collection, Sequence

from adapters.web.board import Board
from bot.domain.completion import Activity
from bot.domain.platform import WriteKind
from bot.domain.post import Post
from bot.domain.reply import READY, Part
from bot.domain.turn import Turn
from bot.errors import DeliveryError, StorageError


class WebSurface:
    """`bot.ports.platform.Surface` in the local workspace.

    The id of a new message follows from the turn, so a post that is repeated after a
    crash is the same one.
    """

    def __init__(self, board: Board, turn: Turn) -> None:
        self._board = board
        self._turn = turn
        self._ids = {each.index: each.message for each in turn.shown if each.message}

    async def announce(self) -> bool:
        """Return False: the placeholder of the answer, which can be stopped, is shown
        at once."""
        return False

    def progress(self, activity: Activity) -> None:
        """Change nothing: the placeholder says that an answer is coming."""

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
        """Delete message `index`."""
        try:
            found = await self._board.find(self._id(index))
            if found is not None:
                await self._board.delete(found)
        except StorageError as error:
            raise DeliveryError(str(error)) from error
        self._ids.pop(index, None)

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Leave message `index`, which has the same id whoever posts it."""

    @property
    def uploads(self) -> None:
        """Return None: all of an answer is text."""
        return None

    def _id(self, index: int) -> str:
        return self._ids.get(index) or f"{self._turn.key}-{index}"
