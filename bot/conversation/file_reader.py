"""Reads the files of messages, and stores the content for Claude.

Rule 1: the content is stored before Claude is asked, so that every request repeats it
byte for byte.

Rule 2: no file holds up an answer. A file that does not arrive in time is not read, and
the reason is stored, too.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from bot.context.files import Accepted, apart
from bot.domain.attachment import Attachment, FileContent, StoredFile
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError, FileUnread, Unread
from bot.ports.files import FileStore, IsDear, never_dear
from bot.ports.platform import Adapter, FileSource
from bot.runtime.retry import retry_until_success
from bot.runtime.scratch import scratch_file

log = logging.getLogger(__name__)

# The most files of one turn, the most bytes of one file, and the most bytes of all
# files of a turn. A request has at most 32 MB (Claude facts 1.5), and larger images are
# made smaller.
MOST_FILES = 20
MOST_BYTES = 32 * 1024 * 1024
TURN_BYTES = 4 * MOST_BYTES

# How long the files of a turn may take to arrive, in seconds: a person waits.
PATIENCE = 15.0
TRIES = 3

# How many files are fetched and read at once. Reading one may take a few hundred
# megabytes of memory.
AT_ONCE = 3


class FileReader:
    """Fetches, reads and stores the files of turns."""

    def __init__(
        self,
        store: FileStore,
        adapters: Mapping[str, Adapter],
        patience: float = PATIENCE,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._patience = patience
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(
        self,
        thread: ThreadKey,
        messages: Sequence[Message],
        accepted: Accepted,
        is_dear: IsDear = never_dear,
    ) -> Mapping[str, Sequence[StoredFile]]:
        """Read the files of `messages` that were not read before.

        `messages` are in the order of posting. Return the stored result of every file,
        by message. Files for which `is_dear` holds wait for a decision.
        """
        having = [each for each in messages if each.files]
        if not having:
            return {}
        ids = [each.message for each in having]
        known = await self._store.stored_files(thread, ids)
        wanted = [
            (message.message, file)
            for message in _newest_first(having)
            for file in message.files
            if file.key not in {each.key for each in known[message.message]}
        ]
        reading = _Reading(
            thread,
            accepted,
            is_dear,
            asyncio.get_running_loop().time() + self._patience,
        )
        async with asyncio.TaskGroup() as tasks:
            for message, file in wanted[:MOST_FILES]:
                tasks.create_task(self._read(reading, message, file))
        for message, file in wanted[MOST_FILES:]:
            await self._store.store_unread(thread, message, file, Unread.TOO_MANY)
        return await self._store.stored_files(thread, ids) if wanted else known

    async def _read(self, reading: "_Reading", message: str, file: Attachment) -> None:
        thread = reading.thread
        # A file that was read before need not be fetched.
        is_dear = reading.is_dear
        if await self._store.link_file(thread, message, file, is_dear=is_dear):
            return
        try:
            async with self._places:
                await self._fetch_and_store(reading, message, file)
        except FileUnread as error:
            log.info("file.unread thread=%s why=%s", thread, error.reason.value)
            await self._store.store_unread(thread, message, file, error.reason)

    async def _fetch_and_store(
        self, reading: "_Reading", message: str, file: Attachment
    ) -> None:
        """Fetch one file and store its content. Raises FileUnread."""
        thread = reading.thread
        most = min(MOST_BYTES, reading.room)
        if most <= 0:
            raise FileUnread(Unread.TOO_MANY)
        if file.size is not None and file.size > MOST_BYTES:
            raise FileUnread(Unread.TOO_LARGE)
        source = self._adapters[thread.platform].files
        if source is None:
            raise FileUnread(Unread.UNAVAILABLE)
        try:
            with scratch_file() as (into, path):
                await _fetch(source, reading, file, into, most)
                size = into.tell()
                reading.room -= size
                digest = await asyncio.to_thread(_digest, path)
                if await self._store.link_file(
                    thread, message, file, digest, reading.is_dear
                ):
                    return
                content = await asyncio.to_thread(
                    _content, path, file.name, reading.accepted
                )
        except OSError as error:
            log.warning("file.no_scratch thread=%s %s", thread, error)
            raise FileUnread(Unread.UNAVAILABLE) from None
        await self._store.store_file(
            thread, message, file, digest, size, content, reading.is_dear
        )


class _Reading:
    """The state of reading the files of one turn."""

    def __init__(
        self, thread: ThreadKey, accepted: Accepted, is_dear: IsDear, until: float
    ) -> None:
        self.thread = thread
        self.accepted = accepted
        self.is_dear = is_dear
        #: The deadline, by the event loop's clock.
        self.until = until
        #: How many bytes may still be fetched.
        self.room = TURN_BYTES


async def _fetch(
    source: FileSource, reading: _Reading, file: Attachment, into: BinaryIO, most: int
) -> None:
    """Write `file` to `into`. Raises FileUnread."""
    place = Scope.of(reading.thread)

    async def attempt() -> None:
        into.seek(0)
        into.truncate()
        await source.fetch(place, file, into, most)
        into.flush()

    try:
        async with asyncio.timeout_at(reading.until):
            await retry_until_success(attempt, most=TRIES)
    except (DeliveryError, TimeoutError) as error:
        log.warning("file.not_fetched thread=%s %s", reading.thread, error)
        raise FileUnread(Unread.UNAVAILABLE) from None


def _newest_first(messages: Iterable[Message]) -> list[Message]:
    """Return `messages`, in the order of posting, with the newest question first."""
    newest = list(messages)[::-1]
    return sorted(newest, key=lambda each: not each.addressed)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(path: Path, name: str, accepted: Accepted) -> FileContent:
    try:
        return apart.read(path, name, accepted)
    except FileUnread:
        raise
    except Exception as error:
        # An unforeseen error of a library that reads files.
        log.warning("file.unreadable error=%s", type(error).__name__)
        raise FileUnread(Unread.BROKEN) from None
