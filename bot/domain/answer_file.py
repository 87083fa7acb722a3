"""Files that belong to an answer. Frozen values."""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class AnswerFile:
    """A part of an answer that is to be a file."""

    #: Safe to show and to use as a file name; different for each file of an answer.
    name: str
    text: str
    #: The same part as Markdown, for the case that it cannot be a file.
    markdown: str = ""

    @cached_property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of an answer, as the platform is known to have it."""

    #: Files that were made visible together have the same number.
    batch: int
    position: int
    name: str
    #: `AnswerFile.digest`; "" for a file of an earlier answer to the question.
    digest: str
    #: The platform's id of the file, or of the message that shows it; "" if it has
    #: none yet.
    id: str = ""
    #: Whether readers see it; False also if that is unknown.
    is_shown: bool = False
