"""Attaches the files of one answer below it.

Order of durable steps: files sent to the platform, where nobody sees them; their ids
stored; files shown; that stored. After a crash between any two, the next attempt at the
turn continues from there. If an answer is written again, its old files are deleted once
the new ones are shown.

Rule: a file is never the only place of an answer's content. A file that the platform
does not accept in time is shown as text.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.turn import Turn
from bot.errors import (
    DeliveryError,
    StorageError,
    StorageRejected,
    ThreadGone,
    Throttled,
    Unfit,
    UploadLost,
    UploadRefused,
)
from bot.messages.answer_files import not_attached
from bot.ports.uploads import Uploads, UploadStore
from bot.runtime.retry import Backoff

T = TypeVar("T")

log = logging.getLogger(__name__)

# How long the last write of an answer waits for its files, in seconds, unless a rate
# limit lasts longer. After that, the files are shown as text.
PATIENCE = 30.0
# The longest wait with rate limits, in seconds.
MOST_PATIENCE = 120.0

# Pauses between attempts.
BACKOFF = Backoff(first=0.5, longest=10.0)


@dataclass(frozen=True, slots=True)
class NotAttached:
    """A file to show as text, and advice that would help; "" for none."""

    file: AnswerFile
    why: str = ""

    @property
    def markdown(self) -> str:
        """The text to show below the answer instead of the file."""
        told = not_attached(name=self.file.name, why=self.why)
        return f"\n\n{told}\n\n{self.file.markdown}"


class ReplyUploads:
    """The files below the answer to `turn`; `uploads` is None if there can be none."""

    def __init__(
        self,
        turn: Turn,
        uploads: Uploads | None,
        *,
        store: UploadStore,
        clock: Callable[[], float],
    ) -> None:
        self._turn = turn
        self._uploads = uploads
        self._store = store
        self._clock = clock
        known = groupby(turn.uploads, key=lambda each: each.batch)
        self._batches = {number: list(batch) for number, batch in known}
        self._kept: set[int] = set()

    @property
    def shown(self) -> frozenset[tuple[str, str]]:
        """The name and digest of each file that readers see."""
        return frozenset(
            (each.name, each.digest)
            for batch in self._batches.values()
            for each in batch
            if each.is_shown and each.digest
        )

    async def settle(self, files: Sequence[AnswerFile]) -> list[NotAttached]:
        """Show `files`; return all of them if that fails, else none.

        `clean_up` then deletes all other files.
        """
        if not files:
            return []
        if self._uploads is None:
            return [NotAttached(each) for each in files]
        try:
            await self._put(self._uploads, files)
        except (DeliveryError, StorageError) as error:
            thread, count = self._turn.thread, len(files)
            log.warning("reply.not_attached thread=%s n=%d %s", thread, count, error)
            why = error.user_text if isinstance(error, UploadRefused) else ""
            return [NotAttached(each, why) for each in files]
        return []

    async def add(self, files: Sequence[AnswerFile]) -> list[NotAttached]:
        """Show `files` beside the files that are shown already.

        Return all of `files` if that fails, in which case none of them stays; else
        none.
        """
        self._kept.update(self._batches)
        failed = await self.settle(files)
        await self.clean_up()
        return failed

    async def clean_up(self) -> None:
        """Delete the files that do not belong below the answer."""
        if self._uploads is None:
            return
        for number in sorted(self._batches.keys() - self._kept):
            try:
                await self._uploads.remove(self._batches[number])
                await self._store.forget_uploads(self._turn, number)
                del self._batches[number]
            except (DeliveryError, StorageError) as error:
                # A superfluous file is better than a turn that never ends.
                log.warning("reply.old_file thread=%s %s", self._turn.thread, error)

    async def _put(self, uploads: Uploads, files: Sequence[AnswerFile]) -> None:
        number = self._find_batch(files)
        is_again = number is not None
        if number is None:
            number = await self._prepare(uploads, files)
        try:
            await self._show(uploads, files, number, again=is_again)
        except UploadLost as error:
            log.info("reply.file_lost thread=%s %s", self._turn.thread, error)
            number = await self._prepare(uploads, files)
            await self._show(uploads, files, number, again=False)
        self._kept.add(number)

    def _find_batch(self, files: Sequence[AnswerFile]) -> int | None:
        """Return the batch of an earlier attempt that has exactly `files`, or None."""
        wanted = [(each.name, each.digest) for each in files]
        number: int
        for number, batch in self._batches.items():
            if [(each.name, each.digest) for each in batch] == wanted:
                return number
        return None

    async def _prepare(self, uploads: Uploads, files: Sequence[AnswerFile]) -> int:
        number = max(self._batches, default=-1) + 1

        async def send(again: bool) -> Sequence[str]:
            return await uploads.prepare(files)

        ids = await self._until_done(send)
        batch = [
            Upload(number, position, file.name, file.digest, id)
            for position, (file, id) in enumerate(zip(files, ids, strict=True))
        ]

        async def store(again: bool) -> None:
            await self._store.store_uploads(self._turn, batch)

        await self._until_done(store)
        self._batches[number] = batch
        return number

    async def _show(
        self, uploads: Uploads, files: Sequence[AnswerFile], number: int, *, again: bool
    ) -> None:
        batch = self._batches[number]
        if all(each.is_shown for each in batch):
            return

        async def post(repeats: bool) -> Sequence[str]:
            return await uploads.post(files, batch, again=again or repeats)

        ids = await self._until_done(post)
        shown = [
            replace(each, id=id, is_shown=True)
            for each, id in zip(batch, ids, strict=True)
        ]
        self._batches[number] = shown
        try:
            await self._store.store_uploads(self._turn, shown)
        except StorageError as error:
            # After a crash, the platform is asked whether it shows the files.
            log.warning("reply.unsaved thread=%s %s", self._turn.thread, error)

    async def _until_done(self, work: Callable[[bool], Awaitable[T]]) -> T:
        """Return the result of `work`, which takes whether it was tried before.

        Raises its last error if it fails for too long, or permanently.
        """
        began, tries = self._clock(), 0
        while True:
            try:
                return await work(tries > 0)
            except (ThreadGone, Unfit, UploadRefused, UploadLost, StorageRejected):
                raise
            except (DeliveryError, StorageError) as error:
                tries += 1
                pause, most = BACKOFF.pause(tries), PATIENCE
                if isinstance(error, Throttled):
                    pause, most = error.retry_after, MOST_PATIENCE
                if self._clock() + pause - began > most:
                    raise
            await asyncio.sleep(pause)
