"""Files that belong to messages. Frozen values."""

import enum
from dataclasses import dataclass

from bot.errors import Unread
from bot.text.characters import replace_invalid


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a message, as the platform describes it.

    Nothing of it is to be relied on: type and size are those of its bytes.
    """

    #: As people see it; never used as a path.
    name: str
    #: The address of its bytes; "" if the platform gives none.
    url: str = ""
    #: The platform's id; "" if it has none.
    id: str = ""
    #: Bytes; None if unknown.
    size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", replace_invalid(self.name))
        object.__setattr__(self, "url", replace_invalid(self.url))
        object.__setattr__(self, "id", replace_invalid(self.id))

    @property
    def key(self) -> str:
        """Return the key of the file among those of its message."""
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
    #: The bytes that are sent: text is UTF-8.
    data: bytes
    #: The most tokens that it counts as.
    tokens: int
    #: The pages in `data`; 0 for what has none.
    pages: int = 0
    #: The pages of the whole file; more than `pages` if it was cut.
    all_pages: int = 0
    #: Whether a text was cut to its beginning.
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ThreadFile:
    """A file of a thread whose content is stored, so that people may decide whether
    Claude reads it."""

    message: str
    name: str
    #: The SHA-256 of what was posted.
    digest: str
    #: All of it, as in `FileContent`.
    kind: FileKind
    media_type: str
    tokens: int
    pages: int
    all_pages: int
    #: Why Claude does not read it; None if it does.
    unread: Unread | None = None
    #: Whether Claude reads only its first pages, because people chose that.
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The result of reading a file of a message."""

    #: `Attachment.key`.
    key: str
    name: str
    #: Why Claude does not read it; None if it does.
    unread: Unread | None = None
    #: As in `FileContent`.
    pages: int = 0
    all_pages: int = 0
    cut: bool = False
