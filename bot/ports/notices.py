"""The store's ports for what people are told once: notices, and signs of waiting.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey


class NoticeStore(Protocol):
    """Notices that are given only once."""

    async def claim_notice(
        self,
        place: Scope,
        name: str,
        turn: str,
        now: float,
        until: float | None = None,
    ) -> bool:
        """Return whether the turn with the key `turn` is to give the notice `name` in
        `place`: the first that claims it, at each attempt. Others may from `until` on,
        in seconds since 1970; None for never."""
        ...


class SignStore(Protocol):
    """Messages that show a sign while they wait behind an answer."""

    async def claim_sign(self, message: Message) -> bool:
        """Store that `message` gets the sign; return False if its turn is no longer
        WAITING, and it gets none."""
        ...

    async def signs(self) -> list[tuple[ThreadKey, str]]:
        """Return all messages that may show the sign, oldest first."""
        ...

    async def past_signs(
        self, thread: ThreadKey | None = None
    ) -> list[tuple[ThreadKey, str]]:
        """Return the messages of `thread`, or of all, that may still show the sign and
        no longer wait, oldest first."""
        ...

    async def forget_sign(
        self, thread: ThreadKey, message: str, tried: bool = False
    ) -> None:
        """Store that `message` shows no sign; with `tried`, that taking it away failed
        once more, which is tolerated a few times."""
