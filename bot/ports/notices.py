"""The store's ports for notices, which people get once, and for signs of waiting.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey


class NoticeStore(Protocol):
    """Notices that are shown only once."""

    async def claim_notice(
        self,
        place: Scope,
        name: str,
        turn: str,
        now: float,
        until: float | None = None,
    ) -> bool:
        """Return whether the turn with the key `turn` should show the notice `name` in
        `place`.

        The first turn that claims the notice gets True, at each of its attempts. Other
        turns may claim it from `until` on, in seconds since 1970; None for never.
        """
        ...


class SignStore(Protocol):
    """Messages marked with a sign while they wait behind another answer."""

    async def claim_sign(self, message: Message) -> bool:
        """Store that `message` gets the sign.

        Returns False, and stores nothing, if its turn is no longer WAITING.
        """
        ...

    async def signs(self) -> list[tuple[ThreadKey, str]]:
        """Return all messages that may show the sign, oldest first."""
        ...

    async def past_signs(
        self, thread: ThreadKey | None = None
    ) -> list[tuple[ThreadKey, str]]:
        """Return the messages that may still show the sign but no longer wait, oldest
        first.

        Only messages of `thread`, unless `thread` is None.
        """
        ...

    async def forget_sign(
        self, thread: ThreadKey, message: str, tried: bool = False
    ) -> None:
        """Store that `message` shows no sign.

        With `tried`, store instead that removing the sign failed once more. A few
        failures are tolerated.
        """
