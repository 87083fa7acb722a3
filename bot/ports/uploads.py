"""Ports for the files of an answer, on its platform and in the store."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn


class Uploads(Protocol):
    """Posts files below one answer, in two steps.

    The ids that `prepare` returns are stored before `post`, so that a crash between any
    two steps duplicates nothing.
    """

    async def prepare(self, files: Sequence[AnswerFile]) -> Sequence[str]:
        """Send `files` to the platform, where they are not visible yet; return their
        ids.

        The id is "" for files that get one only from `post`. Raises UploadRefused,
        Throttled, ThreadGone or another DeliveryError.
        """
        ...

    async def post(
        self, files: Sequence[AnswerFile], uploads: Sequence[Upload], *, again: bool
    ) -> Sequence[str]:
        """Show `files`, which were prepared as `uploads`, in one message; return their
        ids.

        `again` says that an earlier call may have done so. Raises the errors of
        `prepare`, and UploadLost if the platform has not kept the files.
        """
        ...

    async def remove(self, uploads: Sequence[Upload]) -> None:
        """Delete files, if they exist. Raises DeliveryError."""


class UploadStore(Protocol):
    """The files of answers, without their content, which is in the answer's text.

    An answer that is written again takes over the files of the earlier one, without
    their digests.
    """

    async def store_uploads(self, turn: Turn, uploads: Sequence[Upload]) -> None:
        """Store files of the answer to `turn`, replacing known ones."""

    async def forget_uploads(self, turn: Turn, batch: int) -> None:
        """Delete the files with this `batch`, which no longer exist on the platform."""

    async def answered(self, thread: ThreadKey, turn: str = "") -> Turn | None:
        """Return the turn of `thread` with the key `turn`, or the last one if `turn` is
        "".

        Only turns whose answer was DELIVERED and not written again. None if there is
        none (left).
        """
        ...
