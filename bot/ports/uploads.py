"""Ports for the files of an answer: on its platform, and in the store."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn


class Uploads(Protocol):
    """Puts files below one answer, in two steps: what `prepare` returns is stored
    before `post`, so that a crash between any two steps doubles nothing."""

    async def prepare(self, files: Sequence[AnswerFile]) -> Sequence[str]:
        """Send `files` to the platform, where nobody sees them yet; return their ids,
        "" for those that get one only by `post`.

        Raises UploadRefused, Throttled, ThreadGone or another DeliveryError.
        """
        ...

    async def post(
        self, files: Sequence[AnswerFile], uploads: Sequence[Upload], *, again: bool
    ) -> Sequence[str]:
        """Show `files`, which were prepared as `uploads`, in one message; return their
        ids.

        `again` says that an earlier call may have done that. Raises as `prepare`, and
        UploadLost if the platform has not kept them.
        """
        ...

    async def remove(self, uploads: Sequence[Upload]) -> None:
        """Delete files, if they are there. Raises DeliveryError."""


class UploadStore(Protocol):
    """The files of answers, without their content, which is in the answer's text.

    A repeated answer takes over those of the one before, without their digests.
    """

    async def store_uploads(self, turn: Turn, uploads: Sequence[Upload]) -> None:
        """Store files of the answer to `turn`; known ones are replaced."""

    async def forget_uploads(self, turn: Turn, batch: int) -> None:
        """Delete the files with this `batch`, which are gone on the platform."""

    async def answered(self, thread: ThreadKey, turn: str = "") -> Turn | None:
        """Return the turn of `thread` with the key `turn`, or with "" the last, whose
        answer was DELIVERED and not written again; None if there is none (left)."""
        ...
