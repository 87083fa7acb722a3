"""Uploads the files of an answer to its thread on Slack: sends them, then shows them.

Slack assigns a file's id when the upload is announced, so after a crash `files.info`
says whether the file is shown. Slack shows a file some time after it accepts it, and
sometimes never. Its developers advise to ask until the file is there
(slackapi/python-slack-sdk#1277).
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from adapters.slack import files
from adapters.slack.client import SlackClient
from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.scope import Scope
from bot.errors import DeliveryError, ThreadGone, UploadLost, UploadRefused

log = logging.getLogger(__name__)

#: The scope that uploads require.
UPLOADING = "files:write"

# The pauses between checks whether Slack shows a file, in seconds.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)

# Slack's error codes for files that it will not accept in any later attempt either
# (Slack's pages of the methods).
REFUSED = (
    *("blocked_file_type", "file_upload_size_restricted", "file_uploads_disabled"),
    *("file_uploads_except_images_disabled", "posting_to_channel_denied"),
    *("invalid_arguments", "storage_limit_reached", "slack_connect_file_upload"),
)
# Slack's error codes for files that do not exist.
ABSENT = ("file_not_found", "file_deleted")


class SlackUploads:
    """`bot.ports.uploads.Uploads` in one thread."""

    def __init__(self, client: SlackClient, place: Scope) -> None:
        self._client = client
        self._place = place

    async def prepare(self, sent: Sequence[AnswerFile]) -> Sequence[str]:
        """Send files to Slack; return their ids. Raises DeliveryError."""
        try:
            return [await files.send(self._client, f.name, f.data) for f in sent]
        except DeliveryError as error:
            raise _meaning(error) from error

    async def post(
        self, sent: Sequence[AnswerFile], uploads: Sequence[Upload], *, again: bool
    ) -> Sequence[str]:
        """Show files, unless Slack shows them already; return their ids. Raises
        DeliveryError."""
        names = {each.id: each.name for each in uploads}
        first = uploads[0].id
        if again and await self._comes_up(first):
            return list(names)
        try:
            await files.show(self._client, self._place, names)
        except DeliveryError as error:
            raise _meaning(error) from error
        if not await self._comes_up(first):
            raise UploadRefused("no_shares")
        return list(names)

    async def remove(self, uploads: Sequence[Upload]) -> None:
        """Delete files, with the message that shows them. Raises DeliveryError."""
        for each in filter(None, (upload.id for upload in uploads)):
            try:
                await self._client.call_when_allowed("files.delete", file=each)
            except DeliveryError as error:
                if not _says(error, ABSENT):
                    raise

    async def _comes_up(self, id: str) -> bool:
        """Return whether Slack shows a file in any channel now or within some
        seconds."""
        for pause in (*PAUSES, None):
            try:
                answer = await self._client.call_when_allowed("files.info", file=id)
            except ThreadGone as error:
                # The app lacks the scope files:read. Slack shows most files that it
                # accepts.
                log.info("slack.unsure_of_file %s", error)
                return True
            except DeliveryError as error:
                if _says(error, ABSENT):
                    return False
                raise
            file: Any = answer.get("file") or {}
            if any((file.get("shares") or {}).values()):
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False


def _meaning(error: DeliveryError) -> DeliveryError:
    if _says(error, ABSENT):
        return UploadLost(str(error))
    return UploadRefused(str(error)) if _says(error, REFUSED) else error


def _says(error: DeliveryError, codes: Sequence[str]) -> bool:
    return any(code in str(error) for code in codes)
