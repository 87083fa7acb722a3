"""The port of the store for what Claude reads of files."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.attachment import Attachment, FileContent, StoredFile, ThreadFile
from bot.domain.scope import ThreadKey
from bot.errors import Unread

#: Decides by its tokens whether people are asked before a file is read. A pure
#: function: the store calls it inside a transaction, which may be repeated.
IsDear = Callable[[int], bool]


def never_dear(tokens: int) -> bool:
    """Return False: people are asked about no file."""
    return False


class FileChoices(Protocol):
    """Decisions of people about the files of a thread."""

    async def thread_files(
        self, thread: ThreadKey, turn: str = ""
    ) -> Sequence[ThreadFile]:
        """Return the files of `thread` whose content is stored, oldest message first;
        with the key of a `turn` those of its messages. Refused ones are left out."""
        ...

    async def decide_file(
        self,
        thread: ThreadKey,
        digest: str,
        unread: Unread | None,
        cut: FileContent | None = None,
    ) -> bool:
        """Store for all files of `thread` whose posted bytes have the SHA-256 `digest`
        why Claude does not read them; None if it does, and then only `cut`, if one is
        given. Return whether that changes anything."""
        ...

    async def file_data(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of the contents that are stored for `digests`."""
        ...


class FileStore(FileChoices, Protocol):
    """The contents of files that Claude reads: each stored once, by its digest.

    A content is deleted with the last message that has it. Nothing is stored for a
    message that was deleted meanwhile, or a file that it has no longer. What was
    decided about a file applies when it is posted again in the thread; about a new one
    that `is_dear`, people are to decide: it is unread as WAITING.
    """

    async def stored_files(
        self, thread: ThreadKey, messages: Collection[str]
    ) -> Mapping[str, Sequence[StoredFile]]:
        """Return what became of the files of `messages`, by message, in the order of
        posting; without those of which that is not stored."""
        ...

    async def link_file(
        self,
        thread: ThreadKey,
        message: str,
        file: Attachment,
        digest: str = "",
        is_dear: IsDear = never_dear,
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
        is_dear: IsDear = never_dear,
    ) -> None:
        """Store what Claude reads of `file` of `message`, whose `posted_size` bytes
        have the SHA-256 `digest`. What is stored for that stays."""

    async def store_unread(
        self, thread: ThreadKey, message: str, file: Attachment, reason: Unread
    ) -> None:
        """Store why Claude does not read `file` of `message`."""

    async def refuse_files(self, digests: Collection[str]) -> None:
        """Store that Claude refused the contents with these digests."""
