"""Stored threads, as adapters read and control them (`bot.ports.platform`)."""

from bot.conversation.answers import Answers
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ThreadSummary
from bot.platforms import Platforms
from bot.ports.store import ThreadStore


class StoredConversations:
    """The threads in `store`, limited to workspaces that are served."""

    def __init__(
        self, store: ThreadStore, answers: Answers, platforms: Platforms
    ) -> None:
        self._store = store
        self._answers = answers
        self._serves = platforms.serves

    async def stop(self, thread: ThreadKey) -> bool:
        """Stop the answer in progress in `thread`; return False if there is none.
        Raises StorageError."""
        return self._serves(thread) and await self._answers.stop(thread)

    async def answering(self, thread: ThreadKey) -> bool:
        """Return whether `thread` has an open turn. Raises StorageError."""
        return self._serves(thread) and thread in await self._store.open_threads()

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Store a reader's rating of an answer; return False if the answer is unknown.

        Raises StorageError.
        """
        return self._serves(thread) and await self._store.record_feedback(
            thread, turn, good
        )

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """Return the threads of a channel, the most recently used first."""
        found = await self._store.list_threads(platform, channel)
        return [each for each in found if self._serves(each.thread)]

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """Return the threads with a message at or after `since`.

        Each comes with the id of its last stored message.
        """
        found = await self._store.newest_messages(platform, since)
        return [each for each in found if self._serves(each[0])]

    async def said(self, place: Scope, since: float) -> list[Message]:
        """Return people's stored messages in a thread or channel at or after `since`.
        Raises StorageError."""
        return await self._store.said(place, since) if self._serves(place) else []

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """Return the messages of `thread` as (author, text), oldest first."""
        return await self._store.transcript(thread) if self._serves(thread) else []
