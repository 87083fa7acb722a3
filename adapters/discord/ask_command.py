"""Handles questions asked by command: `/ask`, or about a message."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

import discord
from discord import ui

from adapters.discord import (
    events,
    interaction_responses,
    markup,
    message_files,
    modals,
)
from adapters.discord.bot_permissions import lacking
from adapters.discord.client import Link, translated
from adapters.discord.components import Drawn
from adapters.discord.name_cache import NameCache
from adapters.discord.threads import APPEARS, CARD_CHARS, ThreadResolver
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.errors import DeliveryError, StorageError
from bot.messages import controls as messages
from bot.messages import labels
from bot.messages.controls import NO_QUESTION, NO_TARGET, NOWHERE
from bot.ports.host import Host
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

FILE_BYTES = 25 * 1024 * 1024

ABOUT = labels.ASK_ABOUT_THIS
#: Prefix of the form's custom_id, before the id of the message.
MARK = "about"
QUESTION = "question"
# How many messages with an open form about them are kept.
MOST_TARGETS = 500

Interaction = discord.Interaction[discord.Client]


class Asking:
    """Passes questions on to the inbox, and shows them to everybody."""

    def __init__(
        self, link: Link, threads: ThreadResolver, names: NameCache, host: Host
    ) -> None:
        self._link = link
        self._threads = threads
        self._names = names
        self._host = host
        self._targets: LruDict[int, discord.Message] = LruDict(MOST_TARGETS)

    async def open(self, interaction: Interaction, message: discord.Message) -> None:
        """Open the form for a question about a message."""
        self._targets[message.id] = message
        await interaction_responses.ask(interaction, _form(message.id))

    async def submitted(self, interaction: Interaction, target: str) -> None:
        """Ask the submitted question about the message `target`."""
        message = self._targets.get(int(target))
        if message is None or message.channel.id != interaction.channel_id:
            # A forged id must not lead to a message of another channel.
            message = await self._fetch(interaction, int(target))
        if message is None:
            await interaction_responses.tell(interaction, NO_TARGET)
            return
        given = modals.submitted_values(interaction.data or {}, interaction.guild_id)
        await self.ask(interaction, given.get(QUESTION, ""), about=message)

    async def ask(
        self,
        interaction: Interaction,
        question: str,
        file: discord.Attachment | None = None,
        about: discord.Message | None = None,
    ) -> None:
        """Store a question, show it to everybody, and queue it for an answer."""
        if refusal := self._refusal(interaction, question):
            await interaction_responses.tell(interaction, refusal)
            return
        channel, user = interaction.channel, interaction.user
        self._names.note(interaction.guild_id, [user])
        thread, place = events.thread_of(channel, interaction.id), None
        if isinstance(channel, events.Threaded):
            thread = place = self._threads.ask(
                str(interaction.guild_id), str(channel.id), interaction.id
            )
        assert thread is not None
        too_large = file is not None and file.size > FILE_BYTES
        message = Message(
            thread=thread,
            message=str(interaction.id),
            at=interaction.created_at.timestamp(),
            author=str(user.id),
            text=question,
            addressed=True,
            opens=place is not None,
            files=(message_files.uploaded_file(file),)
            if file and not too_large
            else (),
            quotes=self._quotes(about, thread, fresh=place is not None),
        )
        # No other process may start the turn before its thread exists.
        held = place is not None and self._host.gateways is not None
        shown = None
        try:
            shown = await self._remember(
                interaction,
                message,
                _card(user.display_name, question, about),
                held=held,
            )
        finally:
            if place is not None:
                self._threads.appeared(place, shown)
            if held:
                await self._begin(message, shown)
        if shown is not None:
            # Deleting the message that shows the question then deletes the question.
            await retry_until_success(
                partial(self._host.inbox.hold, message, str(shown))
            )
        if too_large and file is not None:
            size = file.size // (1024 * 1024)
            await interaction_responses.tell(
                interaction,
                messages.answered_without_file(
                    file=message_files.name_of(file),
                    megabytes=size,
                    most=FILE_BYTES // (1024 * 1024),
                ),
            )

    async def _begin(self, message: Message, shown: int | None) -> None:
        """Create a thread on the message `shown`, if there is one, and release the held
        question so that a process answers it."""
        thread = message.thread
        place = replace(thread, thread=str(shown)) if shown is not None else thread
        if shown is not None:
            try:
                async with asyncio.timeout(APPEARS):
                    await self._threads.make(place, message)
            except (DeliveryError, TimeoutError) as error:
                # The process that answers tries again to create the thread.
                log.warning("thread.not_made thread=%s %s", place, error)
        await retry_until_success(partial(self._host.inbox.begin, thread, place))

    async def _remember(
        self, interaction: Interaction, message: Message, card: str, *, held: bool
    ) -> int | None:
        """Store `message`, and respond with `card`; return the id of the response, or
        None if there is none."""
        work = self._host.inbox.receive(message, held=held)
        try:
            _, waits = await interaction_responses.await_or_defer(
                interaction, work, ephemeral=False
            )
        except StorageError as error:
            log.error("discord.not_remembered %s", error)
            await interaction_responses.tell(interaction, error.user_text)
            return None
        return await interaction_responses.show(
            interaction, Drawn(card), ephemeral=False, waits=waits
        )

    def _refusal(self, interaction: Interaction, question: str) -> str:
        """Return why a question is not accepted here, or ""."""
        channel = interaction.channel
        if events.thread_of(channel, interaction.id) is None:
            return NOWHERE
        if not question.strip():
            return NO_QUESTION
        return lacking(channel, interaction.app_permissions)

    def _quotes(
        self, about: discord.Message | None, thread: ThreadKey, *, fresh: bool
    ) -> tuple[Message, ...]:
        if about is None:
            return ()
        self._names.note(about.guild.id if about.guild else None, [about.author])
        return (events.quote(about, self._link.us, thread, fresh=fresh),)

    async def _fetch(
        self, interaction: Interaction, message: int
    ) -> discord.Message | None:
        if interaction.channel_id is None:
            return None
        channel = self._link.client.get_partial_messageable(
            interaction.channel_id, guild_id=interaction.guild_id
        )
        try:
            async with translated("read a message"):
                return await channel.fetch_message(message)
        except DeliveryError as error:
            log.info("discord.no_target message=%s %s", message, error)
            return None


def _form(message: int) -> ui.Modal:
    form = ui.Modal(title=ABOUT, custom_id=f"{MARK}:{message}")
    # Submissions go to `Commands.submitted`, also after a restart.
    form.stop()
    form.add_item(
        ui.Label(
            text=labels.YOUR_QUESTION,
            component=ui.TextInput(
                custom_id=QUESTION,
                style=discord.TextStyle.paragraph,
                max_length=modals.INPUT_CHARS,
            ),
        )
    )
    return form


def _card(author: str, question: str, about: discord.Message | None) -> str:
    """Return the message that shows a question asked by command."""
    name = discord.utils.escape_markdown(author)
    link = f"[{messages.THIS_MESSAGE}]({about.jump_url})" if about else ""
    return markup.quoted(name, question, CARD_CHARS, link)
