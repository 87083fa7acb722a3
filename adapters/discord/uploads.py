"""Attaches the files of an answer to one message in its thread on Discord.

Discord has no step between sending a file and showing it. So posts carry a nonce: for a
while, Discord returns the first message for the same nonce (platform facts B5). Later,
the bot's messages in the thread are searched for one with files of the same sizes,
because Discord changes names.
"""

import contextlib
import io
import logging
import time
from collections.abc import Sequence
from typing import Any

import discord

from adapters.discord import ids, outgoing
from adapters.discord.attaching import AttachRights
from adapters.discord.client import Link, translated
from adapters.discord.errors import Archived, BlockedByAutoMod, Forbidden
from adapters.discord.own_posts import own_posts
from adapters.discord.threads import ThreadResolver
from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.turn import Turn
from bot.errors import ThreadGone, Unfit, UploadRefused
from bot.messages.answer_files import MAY_NOT_ATTACH

log = logging.getLogger(__name__)

# Part of the error for a missing permission. The error for a locked thread does not
# contain it.
LACKING = "code 50013"

# How long Discord certainly recognizes a nonce, in seconds ("a few minutes").
REMEMBERED = 60.0


class DiscordUploads:
    """Implements `bot.ports.uploads.Uploads` in one thread."""

    def __init__(
        self, link: Link, threads: ThreadResolver, rights: AttachRights, turn: Turn
    ) -> None:
        self._link = link
        self._threads = threads
        self._rights = rights
        self._turn = turn

    async def prepare(self, files: Sequence[AnswerFile]) -> Sequence[str]:
        """Do nothing: files come with the message that shows them."""
        return [""] * len(files)

    async def post(
        self, files: Sequence[AnswerFile], uploads: Sequence[Upload], *, again: bool
    ) -> Sequence[str]:
        """Post a message with `files`, unless it is there; return its id for each.
        Raises DeliveryError."""
        is_late = time.time() - self._turn.touched > REMEMBERED
        message = await self._find(files) if again and is_late else None
        if message is None:
            message = await self._post(files, uploads[0].batch)
        return [str(message)] * len(uploads)

    async def remove(self, uploads: Sequence[Upload]) -> None:
        """Delete the messages with files. Raises DeliveryError."""
        channel = await self._threads.reach(self._turn)
        for message in sorted({each.id for each in uploads if ids.is_id(each.id)}):
            with contextlib.suppress(ThreadGone, Archived):
                async with translated("delete a file"):
                    await channel.get_partial_message(int(message)).delete()

    async def _post(self, files: Sequence[AnswerFile], batch: int) -> int:
        channel = await self._threads.reach(self._turn)
        question = self._threads.question(self._turn, channel)
        more: dict[str, Any] = {} if question is None else {"reference": question}
        attached = [discord.File(io.BytesIO(f.data), f.name) for f in files]
        try:
            async with translated("attach"):
                posted = await outgoing.post(
                    channel,
                    "",
                    files=attached,
                    nonce=f"{self._turn.key}-f{batch}",
                    **more,
                )
        except Forbidden as error:
            if LACKING not in str(error):
                raise
            # Text can still be written here.
            self._rights.deny(self._turn.thread.channel)
            raise UploadRefused(str(error), MAY_NOT_ATTACH) from error
        except (BlockedByAutoMod, Unfit) as error:
            raise UploadRefused(str(error)) from error
        return posted.id

    async def _find(self, files: Sequence[AnswerFile]) -> int | None:
        """Return the bot's message since `turn.touched` with `files`, if there is
        one."""
        sizes = [len(each.data) for each in files]
        known = {each.id for each in self._turn.uploads}
        channel = await self._threads.reach(self._turn)
        try:
            async with translated("look for a file"):
                found = await own_posts(self._link, channel, self._turn.touched)
        except ThreadGone as error:
            # Without permission to read, a second post is better than none.
            log.warning("discord.cannot_look thread=%s %s", self._turn.thread, error)
            return None
        for message in found:
            attached = [each.size for each in message.attachments]
            if attached == sizes and str(message.id) not in known:
                return message.id
        return None
