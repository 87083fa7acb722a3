"""Files that belong to an answer. Frozen values."""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class AnswerFile:
    """A part of an answer that is sent as a file."""

    #: Safe to show and to use as a file name; unique within an answer.
    name: str
    text: str
    #: The same part as Markdown, used if the file cannot be sent.
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
    """A file of an answer, as far as we know its state on the platform."""

    #: Files that became visible together have the same number.
    batch: int
    position: int
    name: str
    #: `AnswerFile.digest`; "" for a file of an earlier answer to the question.
    digest: str
    #: The platform's id of the file or of the message that shows it; "" if there is
    #: none yet.
    id: str = ""
    #: Whether readers see the file; False if unknown.
    is_shown: bool = False
