"""The store's port for the messages of a platform without a server of its own.

Rule: a post is the content that people see. The content that Claude reads belongs to
the other ports. Deleting a message there (`InboxStore.delete_messages`, `delete_scope`,
forgetting a person, retention) deletes its post and its files in the same transaction.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.post import Post, Topic
from bot.domain.scope import Scope, ThreadKey
from bot.ports.api_tokens import TokenList


class PostStore(Protocol):
    """Posts and the files that came with them."""

    async def put_post(self, post: Post, files: Mapping[str, bytes]) -> None:
        """Store `post`, or replace the stored post with its id, keeping that one's
        place and time.

        `files` are the bytes of its new files by id.
        """

    async def post(self, place: Scope, message: str) -> Post | None:
        """Return the post `message` of the workspace of `place`, or None."""
        ...

    async def posts(self, thread: ThreadKey) -> Sequence[Post]:
        """Return the posts of `thread`, oldest first. Of a long thread, only the newest
        2,000."""
        ...

    async def posts_since(self, place: Scope, since: float) -> Sequence[Post]:
        """Return people's posts in the workspace of `place` at or after `since`, oldest
        first.

        `since` is in seconds since 1970. At most the newest 2,000 are returned.
        """
        ...

    async def topics(self, place: Scope, most: int) -> Sequence[Topic]:
        """Return the newest `most` threads of the channel `place`, sorted by root,
        newest last."""
        ...

    async def delete_posts(self, place: Scope, messages: Sequence[str]) -> None:
        """Delete posts of the workspace of `place`, with their files."""

    async def posted_file(self, place: Scope, file: str) -> tuple[Post, bytes] | None:
        """Return the bytes of a file of the workspace of `place`, and the post of the
        file, or None."""
        ...


class WebStore(PostStore, TokenList, Protocol):
    """The part of the store that the web server uses."""
