"""One reply in a Discord thread: messages, posted and edited, and typing until
there is something to read.

Rule: nothing that leaves here notifies anyone or opens a preview, on edits neither:
Discord reads the mentions of an edit anew, with its own defaults (platform facts
B5).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import discord

from adapters.discord import components, ids
from adapters.discord.client import Archived, Link, Unfit, translated
from adapters.discord.events import SPOKEN
from adapters.discord.threads import ThreadResolver
from bot.domain.platform import WriteKind
from bot.domain.reply import MORE, PLACEHOLDER, READY, Part
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, DeliveryError, StorageError, ThreadGone
from bot.runtime import background

log = logging.getLogger(__name__)

CUT = "_(The rest of this message could not be shown here.)_"
# What a message may hold however Discord counts: each character as two.
SAFE_CHARS = 900

NOBODY = discord.AllowedMentions.none()

# Typing is shown for ten seconds (facts B5).
TYPING = 8.0

# How long, in seconds, Discord certainly knows a nonce again ("a few minutes").
REMEMBERED = 60.0
# How far our clock and Discord's may be apart, in seconds. No more, lest the answer
# before this one be taken for it.
SKEW = 5.0
# How many of the messages in the thread since then are looked through.
LOOK = 100


class DiscordSurface:
    """Where the reply to `turn` appears."""

    def __init__(self, link: Link, threads: ThreadResolver, turn: Turn) -> None:
        self._link = link
        self._threads = threads
        self._turn = turn
        known = [s for s in turn.shown if s.message and ids.is_id(s.message)]
        self._ids = {s.index: int(s.message or 0) for s in known}
        self._unsure = {s.index for s in turn.shown if not s.message}
        #: Those that a post may find, instead of making them.
        self._doubted = set(self._unsure)
        self._typing: asyncio.Task[None] | None = None

    async def announce(self) -> bool:
        """See `bot.ports.platform.Surface`."""
        if self._turn.attempts and self._ids:
            # Taken up after a crash: what is there says so.
            return True
        typed = asyncio.get_running_loop().create_future()
        self._typing = background.begin("type", self._type(typed))
        return bool(await typed)

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """See `bot.ports.platform.Surface`."""
        return (WriteKind.EDIT if part.index in self._ids else WriteKind.POST,)

    async def show(self, part: Part, way: WriteKind) -> str:
        """See `bot.ports.platform.Surface`."""
        if part.index in self._unsure:
            await self._find()
        try:
            message = await self._write(part, _content(part))
        except Unfit as error:
            # Most of it is better than a message that never ends.
            log.error("discord.unfit thread=%s %s", self._turn.thread, error)
            try:
                message = await self._write(part, _cut(part.text))
            except Unfit as worse:
                raise ThreadGone(str(worse)) from worse
        if self._typing is not None and part.text.strip():
            # What is shown now fades by itself.
            self._typing.cancel()
        return str(message)

    async def remove(self, index: int) -> None:
        """See `bot.ports.platform.Surface`."""
        if index in self._unsure:
            # Nothing is posted any more that would find it by its nonce.
            await self._match()
            self._unsure.clear()
        if message := self._ids.pop(index, None):
            await self._delete(message)

    async def close(self) -> None:
        """Leave nothing behind that still runs."""
        if self._typing is not None:
            self._typing.cancel()
            await asyncio.wait({self._typing})

    async def _write(self, part: Part, content: str) -> int:
        index = part.index
        if message := self._ids.get(index):
            try:
                await self._edit(message, part, content)
            except Archived:
                return await self._write_archived(part, content)
            return message
        try:
            posted = await self._post(part, content)
        except DeliveryError:
            self._doubted.add(index)
            raise
        self._ids[index] = posted.id
        if posted.content != content and index in self._doubted:
            # It had been there all the time, and reads what it read then.
            await self._edit(posted.id, part, content)
        return posted.id

    async def _write_archived(self, part: Part, content: str) -> int:
        """Write a message that is there, in a thread that was put away."""
        message = self._ids[part.index]
        try:
            await self._open()
        except ThreadGone:
            # Where that is not for us to do, a new message opens it all the same
            # (facts B6), and takes the place of the one that is there.
            posted = await self._post(part, content, anew=True)
            self._ids[part.index] = posted.id
            await self._delete(message)
        else:
            await self._edit(message, part, content)
        return self._ids[part.index]

    async def _edit(self, message: int, part: Part, content: str) -> None:
        channel = await self._threads.reach(self._turn)
        async with translated("edit"):
            await channel.get_partial_message(message).edit(
                content=content,
                allowed_mentions=_called(part),
                # None takes away what an earlier attempt showed.
                view=self._controls(part),
            )

    async def _post(
        self, part: Part, content: str, *, anew: bool = False
    ) -> discord.Message:
        channel = await self._threads.reach(self._turn)
        # Discord returns the first message to who sends the same nonce again
        # within a few minutes (facts B5), so a post may be repeated.
        nonce = f"{self._turn.key}-{part.index}{'-anew' * anew}"
        more: dict[str, Any] = {}
        if controls := self._controls(part):
            more["view"] = controls
        async with translated("post"):
            return await channel.send(
                content,
                nonce=nonce,
                allowed_mentions=_called(part),
                suppress_embeds=True,
                **more,
            )

    def _controls(self, part: Part) -> discord.ui.View | None:
        return components.answer(part.offers, self._turn.key)

    async def _open(self) -> None:
        """Open the thread again, which who may write in it may do.

        A new message would do the same, and leave two if we crashed before the
        first was taken away.
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
        """Look which posts of unknown outcome succeeded after all.

        For a while a post with the same nonce finds them. Later they are those of
        our messages since the turn's last sign of life that it does not know: no
        other answer is written in a thread at the same time.
        """
        if time.time() - self._turn.touched > REMEMBERED:
            await self._match()
        self._unsure.clear()

    async def _match(self) -> None:
        """Take what is found in the thread for the posts of unknown outcome."""
        try:
            found = await self._look()
        except ThreadGone as error:
            # Without the right to read, a second post is better than none.
            log.warning("discord.cannot_look thread=%s %s", self._turn.thread, error)
            return
        for index, message in zip(sorted(self._unsure), found, strict=False):
            self._ids.setdefault(index, message)

    async def _look(self) -> list[int]:
        """Our messages since the turn's last sign of life that it does not know."""
        began = datetime.fromtimestamp(max(0.0, self._turn.touched - SKEW), UTC)
        after = max(discord.utils.time_snowflake(began), 0, *self._ids.values())
        channel = await self._threads.reach(self._turn)
        async with translated("look for a post"):
            return [
                message.id
                async for message in channel.history(
                    limit=LOOK, after=discord.Object(after), oldest_first=True
                )
                if message.author.id == self._link.us
                and message.interaction_metadata is None
                # As notices do.
                and message.reference is None
                and message.type in SPOKEN
            ]

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
            # It is nice to have. What we write meets the same, and knows what to do.
            log.info("discord.not_typing thread=%s %s", self._turn.thread, error)
        finally:
            if not typed.done():
                typed.set_result(False)


@contextlib.asynccontextmanager
async def open_surface(
    link: Link, threads: ThreadResolver, turn: Turn
) -> AsyncIterator[DiscordSurface]:
    """A surface for `turn`."""
    surface = DiscordSurface(link, threads, turn)
    try:
        yield surface
    finally:
        await surface.close()


def _called(part: Part) -> discord.AllowedMentions:
    """Whom `part` may notify: who waited for the answer, and nobody else."""
    if not ids.is_id(part.calls):
        return NOBODY
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        users=[discord.Object(int(part.calls))],
        replied_user=False,
    )


def _content(part: Part) -> str:
    if part.calls:
        return f"<@{part.calls}>, {READY}"
    if not part.text.strip():
        return PLACEHOLDER
    text = part.text.strip("\n")
    return text if part.final else f"{text.rstrip()}{MORE}".lstrip()


def _cut(text: str) -> str:
    """As much of `text` as a message holds however its characters are counted."""
    return f"{text.strip()[:SAFE_CHARS]}\n{CUT}"
