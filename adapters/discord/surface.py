"""Shows one reply in a Discord thread: posts and edits its messages, and shows a typing
indicator until there is text.

Rule: no post or edit shows a preview, or notifies anyone but the person that a part
calls. This includes edits, whose mentions Discord evaluates again with its own defaults
(platform facts B5).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Self

import discord

from adapters.discord import components, ids, outgoing
from adapters.discord.attaching import AttachRights
from adapters.discord.client import Link, translated
from adapters.discord.content import SPOKEN
from adapters.discord.errors import Archived, BlockedByAutoMod, Forbidden, Hidden
from adapters.discord.own_posts import own_posts
from adapters.discord.threads import ThreadResolver
from adapters.discord.uploads import REMEMBERED, DiscordUploads
from bot.domain.platform import WriteKind
from bot.domain.reply import MORE, PLACEHOLDER, READY, Part
from bot.domain.turn import Turn
from bot.errors import (
    AccessRevoked,
    DeliveryError,
    MessageGone,
    Rerouted,
    StorageError,
    ThreadGone,
    Unfit,
)
from bot.messages.controls import BLOCKED, HIDDEN, NOT_SHOWN
from bot.runtime import background
from bot.text import links

log = logging.getLogger(__name__)

# Seconds between two typing indicators; each is shown for ten seconds (facts B5).
TYPING = 8.0


class DiscordSurface:
    """Implements `bot.ports.platform.Surface` in a Discord thread."""

    #: None, because the typing indicator shows no text.
    sign = None

    def __init__(
        self,
        link: Link,
        threads: ThreadResolver,
        turn: Turn,
        uploads: DiscordUploads | None,
    ) -> None:
        #: The files below the answer; None if no files can be attached here.
        self.uploads = uploads
        self._link = link
        self._threads = threads
        self._turn = turn
        known = [s for s in turn.shown if s.message and ids.is_id(s.message)]
        self._ids = {s.index: int(s.message or 0) for s in known}
        #: The indices of messages whose post has an unknown outcome.
        self._unsure = {s.index for s in turn.shown if not s.message}
        #: The indices of messages of the answer that this one repeats, which were not
        #: edited yet.
        self._former = set(self._ids) if turn.is_repeat else set()
        #: The indices of messages whose next post may return an existing message.
        self._doubted = set(self._unsure)
        #: The indices of messages that the server's AutoMod blocked.
        self._blocked: set[int] = set()
        self._typing: asyncio.Task[None] | None = None

    async def announce(self) -> bool:
        """Start the typing indicator; return whether Discord accepted it."""
        if self._turn.attempts and self._ids:
            # The turn is resumed after a crash: its message already shows that an
            # answer is coming.
            return True
        typed = asyncio.get_running_loop().create_future()
        self._typing = background.begin("type", self._type(typed))
        # A finished task would take a kilobyte of memory until its answer ends.
        self._typing.add_done_callback(self._forget_typing)
        return bool(await typed)

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the one way to write `part`: a post first, then edits."""
        return (WriteKind.EDIT if part.index in self._ids else WriteKind.POST,)

    async def show(self, part: Part, way: WriteKind) -> str:
        """Write `part`; return the id of its message. Raises DeliveryError or
        AccessRevoked."""
        if part.index in self._unsure:
            await self._find()
        try:
            message = await self._write_some(part)
        except Forbidden:
            await self._threads.tell(self._turn, NOT_SHOWN)
            raise
        except Hidden:
            await self._threads.tell_in_person(self._turn, HIDDEN)
            raise
        if self._typing is not None and part.text.strip():
            # The indicator that shows now expires by itself.
            self._typing.cancel()
        return str(message)

    @property
    def deletions(self) -> Self:
        """This surface, which can delete its messages."""
        return self

    async def remove(self, index: int) -> None:
        """Delete message `index`. Raises DeliveryError."""
        if index in self._unsure:
            # No post follows that would find the message by its nonce.
            await self._match()
            self._unsure.clear()
        if message := self._ids.pop(index, None):
            await self._delete(message)

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Delete the post of message `index` unless its id is in `known`. A message in
        `known` was posted by another process: for the same nonce, Discord returns the
        existing message, but only for a while. Raises DeliveryError."""
        message = self._ids.get(index)
        if message is not None and str(message) not in known:
            log.info("reply.taken_back thread=%s part=%d", self._turn.thread, index)
            await self._delete(message)

    async def close(self) -> None:
        """Stop the typing indicator."""
        if self._typing is not None:
            self._typing.cancel()
            await asyncio.wait({self._typing})

    async def _write_some(self, part: Part) -> int:
        """Write `part`, or a notice that the server blocks it. The notice is better
        than a message that is never completed."""
        if part.index not in self._blocked:
            try:
                return await self._write(part, _content(part))
            except BlockedByAutoMod as error:
                log.warning("discord.blocked thread=%s %s", self._turn.thread, error)
                # The text only grows: it would be blocked each time.
                self._blocked.add(part.index)
        try:
            return await self._write(part, BLOCKED)
        except (Unfit, BlockedByAutoMod) as worse:
            await self._threads.tell(self._turn, BLOCKED)
            raise ThreadGone(str(worse)) from worse

    async def _write(self, part: Part, content: str) -> int:
        index = part.index
        if message := self._ids.get(index):
            try:
                await self._edit(message, part, content)
            except Archived:
                return await self._write_archived(part, content)
            except MessageGone as error:
                if index not in self._former:
                    raise
                # People deleted the old answer, and want a new one.
                del self._ids[index]
                raise Rerouted(str(error)) from error
            self._former.discard(index)
            return message
        try:
            posted = await self._post(part, content)
        except DeliveryError:
            self._doubted.add(index)
            raise
        self._ids[index] = posted.id
        if posted.content != content and index in self._doubted:
            # Discord returned the message of an earlier post, with its earlier text.
            await self._edit(posted.id, part, content)
        return posted.id

    async def _write_archived(self, part: Part, content: str) -> int:
        """Edit an existing message in an archived thread."""
        message = self._ids[part.index]
        try:
            await self._open()
        except ThreadGone:
            # Even without permission to unarchive the thread, a new message opens it
            # (facts B6). It replaces the existing message.
            posted = await self._post(part, content, anew=True)
            self._ids[part.index] = posted.id
            await self._delete(message)
        else:
            await self._edit(message, part, content)
        return self._ids[part.index]

    async def _edit(self, message: int, part: Part, content: str) -> None:
        channel = await self._threads.reach(self._turn)
        async with translated("edit"):
            await outgoing.edit(
                *(self._link.client, channel.id, message, content),
                # None removes the controls of an earlier attempt.
                view=self._controls(part),
                calls=_allowed_mentions(part),
            )

    async def _post(
        self, part: Part, content: str, *, anew: bool = False
    ) -> discord.Message:
        channel = await self._threads.reach(self._turn)
        # For the same nonce within a few minutes, Discord returns the first message
        # (facts B5), so a post may be repeated.
        nonce = f"{self._turn.key}-{part.index}{'-anew' * anew}"
        question = self._threads.question(self._turn, channel)
        more: dict[str, Any] = {} if question is None else {"reference": question}
        async with translated("post"):
            return await outgoing.post(
                channel,
                content,
                view=self._controls(part),
                calls=_allowed_mentions(part),
                nonce=nonce,
                **more,
            )

    def _controls(self, part: Part) -> discord.ui.View | None:
        return components.answer(part.offers, self._turn.key)

    async def _open(self) -> None:
        """Unarchive the thread, for which permission to write is enough.

        A new message would also open the thread, but would leave two messages if the
        process crashed before deleting the first.
        """
        thread = ids.number(self._turn.thread.thread, "open a thread")
        async with translated("open a thread"):
            await self._link.client.http.edit_channel(thread, archived=False)

    async def _delete(self, message: int) -> None:
        channel = await self._threads.reach(self._turn)
        with contextlib.suppress(ThreadGone, Archived):
            async with translated("delete"):
                await channel.get_partial_message(message).delete()

    async def _find(self) -> None:
        """Find the posts of unknown outcome that succeeded.

        For a while, a post with the same nonce returns the existing message. Later, the
        posts are the bot's messages since `turn.touched` that the turn does not know,
        because no other answer is written in the thread at the same time.
        """
        if time.time() - self._turn.touched > REMEMBERED:
            await self._match()
        self._unsure.clear()

    async def _match(self) -> None:
        """Assign the unknown messages of the thread to the posts of unknown outcome."""
        try:
            found = await self._look()
        except ThreadGone as error:
            # Without permission to read, a second post is better than none.
            log.warning("discord.cannot_look thread=%s %s", self._turn.thread, error)
            return
        for index, message in zip(sorted(self._unsure), found, strict=False):
            self._ids.setdefault(index, message)

    async def _look(self) -> list[int]:
        """Return the bot's messages since `turn.touched` that the turn does not
        know."""
        channel = await self._threads.reach(self._turn)
        question = self._threads.question(self._turn, channel)
        replies_to = question.message_id if question else None
        known = max(self._ids.values(), default=0)
        async with translated("look for a post"):
            found = await own_posts(
                self._link, channel, self._turn.touched, after=known
            )
        return [
            message.id
            for message in found
            if message.interaction_metadata is None
            # Skip notices, which are silent and, in a thread, mostly replies.
            and (message.reference and message.reference.message_id) == replies_to
            and not message.flags.suppress_notifications
            # Skip the message with the files of an answer.
            and not message.attachments
            and message.type in SPOKEN
        ]

    def _forget_typing(self, typing: asyncio.Task[None]) -> None:
        self._typing = None

    async def _type(self, typed: asyncio.Future[bool]) -> None:
        try:
            channel = await self._threads.reach(self._turn)
            while True:
                async with translated("type"):
                    await channel.typing()
                if not typed.done():
                    typed.set_result(True)
                await asyncio.sleep(TYPING)
        except (DeliveryError, StorageError, AccessRevoked) as error:
            # The indicator is optional. A write meets the same error and handles it.
            log.info("discord.not_typing thread=%s %s", self._turn.thread, error)
        finally:
            if not typed.done():
                typed.set_result(False)


@contextlib.asynccontextmanager
async def open_surface(
    link: Link, threads: ThreadResolver, rights: AttachRights, turn: Turn
) -> AsyncIterator[DiscordSurface]:
    """Yield a surface for `turn`, and close it on exit."""
    may = rights.may(turn.thread.channel)
    uploads = DiscordUploads(link, threads, rights, turn) if may else None
    surface = DiscordSurface(link, threads, turn, uploads)
    try:
        yield surface
    finally:
        await surface.close()


def _allowed_mentions(part: Part) -> discord.AllowedMentions:
    """Return the allowed mentions of `part`: the person that it calls, and nobody
    else."""
    if not ids.is_id(part.calls):
        return outgoing.NOBODY
    return outgoing.mention_of(int(part.calls))


def _content(part: Part) -> str:
    if part.calls:
        return f"<@{part.calls}>, {READY}"
    if not part.text.strip():
        return PLACEHOLDER
    text = part.text.strip("\n")
    if part.final:
        return text
    return f"{links.without_open_link(text).rstrip()}{MORE}".lstrip()
