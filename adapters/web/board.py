"""Stores the messages of the local workspace, then shows them on open pages.

Rule: each write is stored before it is published, so that a page which reads the store
after it subscribed misses nothing.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from adapters.web import directory
from adapters.web.threads import Threads
from bot.domain.attachment import Attachment
from bot.domain.post import Post
from bot.domain.scope import Scope, ThreadKey
from bot.errors import ThreadGone
from bot.ports.posts import PostStore

#: The workspace, as a place.
HERE = Scope(directory.PLATFORM, directory.WORKSPACE)


class Board:
    """Posts, edits and deletes messages of the local workspace."""

    def __init__(self, store: PostStore, threads: Threads) -> None:
        self.store = store
        self.threads = threads
        self._last = 0
        # A change of signs reads the message, changes it and writes it.
        self._signing = asyncio.Lock()

    def new_id(self) -> str:
        """Return an id for a message: the time in nanoseconds, never the same twice."""
        self._last = max(self._last + 1, time.time_ns())
        return str(self._last)

    def thread(self, channel: str, thread: str) -> ThreadKey:
        """Return the key of a thread of the workspace."""
        return ThreadKey(directory.PLATFORM, directory.WORKSPACE, channel, thread)

    async def put(self, post: Post, files: Mapping[str, bytes] | None = None) -> None:
        """Store `post` and show it. Raises StorageError."""
        await self.store.put_post(post, files or {})
        self.threads.publish(post)

    async def post(
        self,
        channel: str,
        thread: str,
        author: str,
        text: str,
        *,
        id: str = "",
        body: str = "",
        reader: str = "",
        files: tuple[Attachment, ...] = (),
        contents: Mapping[str, bytes] | None = None,
    ) -> Post:
        """Post a message, as the root of a thread if `thread` is ""; return it. It gets
        a new id unless `id` is given. Raises StorageError."""
        id = id or self.new_id()
        key = self.thread(channel, thread or id)
        made = Post(key, id, time.time(), author, text, body=body, reader=reader)
        made = replace(made, files=files)
        await self.put(made, contents)
        return made

    async def find(self, message: str) -> Post | None:
        """Return a message of the workspace. Raises StorageError."""
        return await self.store.post(HERE, message)

    async def posted_file(self, file: str) -> tuple[Post, bytes] | None:
        """Return the bytes of a file, with its post. Raises StorageError."""
        return await self.store.posted_file(HERE, file)

    async def delete(self, post: Post) -> None:
        """Delete `post`. Raises StorageError."""
        await self.store.delete_posts(HERE, [post.message])
        self.threads.publish(post, gone=True)

    async def sign(self, message: str, sign: str, *, add: bool) -> None:
        """Add or remove a reaction. Raises ThreadGone, or StorageError."""
        async with self._signing:
            found = await self.find(message)
            if found is None:
                raise ThreadGone("the message was deleted")
            others = tuple(each for each in found.signs if each != sign)
            signs = (*others, sign) if add else others
            if signs != found.signs:
                await self.put(replace(found, signs=signs))
