"""The port of the store for what Claude reads of files."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.attachment import Attachment, FileContent, StoredFile
from bot.domain.scope import ThreadKey
from bot.errors import Unread


class FileStore(Protocol):
    """What Claude reads of the files of messages: each content once, by its digest.

    A content is deleted with the last message that has it. Nothing is stored for a
    message that was deleted meanwhile, or a file that it has no longer.
    """

    async def stored_files(
        self, thread: ThreadKey, messages: Collection[str]
    ) -> Mapping[str, Sequence[StoredFile]]:
        """Return what became of the files of `messages`, by message, in the order of
        posting; without those of which that is not stored."""
        ...

    async def link_file(
        self, thread: ThreadKey, message: str, file: Attachment, digest: str = ""
    ) -> bool:
        """Give `file` of `message` the content that is stored for `digest`; for "",
        that of a file with the same id and size in the workspace. Return False if there
        is none."""
        ...

    async def store_file(
        self,
        thread: ThreadKey,
        message: str,
        file: Attachment,
        digest: str,
        posted_size: int,
        content: FileContent,
    ) -> None:
        """Store what Claude reads of `file` of `message`, whose `posted_size` bytes
        have the SHA-256 `digest`. What is stored for that stays."""

    async def store_unread(
        self, thread: ThreadKey, message: str, file: Attachment, reason: Unread
    ) -> None:
        """Store why Claude does not read `file` of `message`."""

    async def refuse_files(self, digests: Collection[str]) -> None:
        """Store that Claude refused the contents with these digests."""

    async def file_data(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of the contents that are stored for `digests`."""
        ...
