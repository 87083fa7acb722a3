"""The store's port for the contents of files that Claude reads."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.attachment import Attachment, FileContent, StoredFile, ThreadFile
from bot.domain.scope import ThreadKey
from bot.errors import Unread

#: Decides from its number of tokens whether people are asked before a file is read. A
#: pure function: the store calls it inside a transaction, which may be retried.
IsDear = Callable[[int], bool]


def never_dear(tokens: int) -> bool:
    """Return False, so that people are never asked."""
    return False


class FileChoices(Protocol):
    """Decisions of people about the files of a thread."""

    async def thread_files(
        self, thread: ThreadKey, turn: str = ""
    ) -> Sequence[ThreadFile]:
        """Return the files of `thread` whose content is stored, oldest message first.

        With a `turn` key, only the files of that turn's messages. Files that Claude
        refused are left out.
        """
        ...

    async def decide_file(
        self,
        thread: ThreadKey,
        digest: str,
        unread: Unread | None,
        cut: FileContent | None = None,
    ) -> bool:
        """Store a decision for all files of `thread` whose posted bytes have the
        SHA-256 `digest`.

        `unread` is the reason why Claude does not read the files, or None if Claude
        does. With `cut`, Claude reads only that content. Returns whether the decision
        changes anything.
        """
        ...

    async def file_data(self, digests: Collection[str]) -> Mapping[str, bytes]:
        """Return the stored bytes of the contents with these digests, by digest."""
        ...


class FileStore(FileChoices, Protocol):
    """The contents of files that Claude reads, each stored once under its digest.

    A content is deleted with the last message that refers to it. Nothing is stored for
    a message that was deleted in the meantime, or for a file that its message no longer
    has. A decision about a file applies again when the file is posted again in the
    thread. A new file for which `is_dear` returns True is stored as unread with the
    reason WAITING, until people decide.
    """

    async def stored_files(
        self, thread: ThreadKey, messages: Collection[str]
    ) -> Mapping[str, Sequence[StoredFile]]:
        """Return the stored outcomes for the files of `messages`, by message, in
        posting order.

        Files without a stored outcome are left out.
        """
        ...

    async def link_file(
        self,
        thread: ThreadKey,
        message: str,
        file: Attachment,
        digest: str = "",
        is_dear: IsDear = never_dear,
    ) -> bool:
        """Link `file` of `message` to the content that is stored under `digest`.

        With "" as `digest`, use the content of a file with the same id and size in the
        workspace. Returns False if there is no such content.
        """
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
        """Store the content that Claude reads of `file` of `message`.

        The `posted_size` bytes of the file have the SHA-256 `digest`. A content already
        stored under `digest` is kept.
        """

    async def store_unread(
        self, thread: ThreadKey, message: str, file: Attachment, reason: Unread
    ) -> None:
        """Store why Claude does not read `file` of `message`."""

    async def refuse_files(self, digests: Collection[str]) -> None:
        """Store that Claude refused the contents with these digests."""
