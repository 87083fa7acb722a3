"""The store's port for searching messages and answers."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.scope import Scope
from bot.domain.search import Hits
from bot.text.words import Term


class SearchStore(Protocol):
    """Searches stored messages and answers. Deleted ones are never found.

    A message is found once the change that stored it is durable, and no longer found
    once the change that deleted it is durable.
    """

    async def channels_with(self, place: Scope, terms: Sequence[Term]) -> list[Scope]:
        """Return the channels in the workspace of `place` where all of `terms` occur
        close together.

        Newest first. Only these channels are worth passing to `search`.
        """
        ...

    async def search(
        self,
        channels: Sequence[Scope],
        terms: Sequence[Term],
        most: int,
        before: int | None = None,
    ) -> Hits:
        """Return at most `most` messages and answers in `channels` with all of `terms`,
        newest first.

        `channels` are of one workspace. With `before`, only messages with lower
        numbers. The search is limited to a bounded number of messages: it may return
        fewer hits than exist, or none, though older ones are left.
        """
        ...
