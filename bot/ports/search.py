"""Port of the store for searching what was said."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.scope import Scope
from bot.domain.search import Hits
from bot.text.words import Term


class SearchStore(Protocol):
    """Searches stored messages and answers; deleted ones are never found.

    A message is found once the change that stored it is durable, and no longer once
    the change that deleted it is.
    """

    async def channels_with(self, place: Scope, terms: Sequence[Term]) -> list[Scope]:
        """Return the channels in the workspace of `place` in which all of `terms` occur
        close together, the newest first: those that `search` is worth asking for."""
        ...

    async def search(
        self,
        channels: Sequence[Scope],
        terms: Sequence[Term],
        most: int,
        before: int | None = None,
    ) -> Hits:
        """Return at most `most` messages and answers in `channels`, of one workspace,
        that have all of `terms`, newest first, of those with a number below `before`.

        Looks through a bounded number of messages, and may return fewer than there are,
        or none, though older ones are left.
        """
        ...
