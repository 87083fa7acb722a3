"""Files that belong to messages. Frozen values."""

import enum
from dataclasses import dataclass

from bot.errors import Unread
from bot.text.characters import replace_invalid


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a message, as the platform describes it.

    Do not rely on the description: type and size are determined from the bytes.
    """

    #: The name shown to people; never used as a path.
    name: str
    #: The download URL; "" if the platform gives none.
    url: str = ""
    #: The platform's id; "" if it has none.
    id: str = ""
    #: In bytes; None if unknown.
    size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", replace_invalid(self.name))
        object.__setattr__(self, "url", replace_invalid(self.url))
        object.__setattr__(self, "id", replace_invalid(self.id))

    @property
    def key(self) -> str:
        """The key of the file within its message."""
        return self.id or self.name


class FileKind(enum.Enum):
    """The form in which a file is given to Claude."""

    IMAGE = "image"
    #: A PDF, whose pages Claude sees.
    PDF = "pdf"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FileContent:
    """The content of a file as Claude reads it."""

    kind: FileKind
    #: "image/png", "application/pdf", "text/plain".
    media_type: str
    #: The bytes to send; text is encoded as UTF-8.
    data: bytes
    #: An upper bound of its tokens.
    tokens: int
    #: The number of pages in `data`; 0 for files without pages.
    pages: int = 0
    #: The number of pages in the whole file; more than `pages` if it was cut.
    all_pages: int = 0
    #: Whether only the beginning of a text was kept.
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ThreadFile:
    """A file of a thread with stored content.

    People can decide whether Claude reads it.
    """

    message: str
    name: str
    #: The SHA-256 of the posted file.
    digest: str
    #: These describe the whole file; see `FileContent`.
    kind: FileKind
    media_type: str
    tokens: int
    pages: int
    all_pages: int
    #: Why Claude does not read the file; None if Claude reads it.
    unread: Unread | None = None
    #: Whether people chose that Claude reads only the first pages.
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The result of reading a file of a message."""

    #: `Attachment.key`.
    key: str
    name: str
    #: Why Claude does not read the file; None if Claude reads it.
    unread: Unread | None = None
    #: As in `FileContent`.
    pages: int = 0
    all_pages: int = 0
    cut: bool = False
