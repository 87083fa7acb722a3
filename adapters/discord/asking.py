"""Takes in questions that people ask by command: typed, or about a message."""

import logging
from functools import partial

import discord
from discord import ui

from adapters.discord import answers, drawing, events, markup
from adapters.discord.client import Link, translated
from adapters.discord.drawing import Drawn
from adapters.discord.names import Names
from adapters.discord.places import CARD_CHARS, Places
from adapters.discord.rights import lacking
from bot.errors import DeliveryError, StorageError
from bot.lru import LruDict
from bot.patience import insist
from bot.ports import Host
from bot.values import Heard, ThreadKey

log = logging.getLogger(__name__)

FILE_BYTES = 25 * 1024 * 1024

ABOUT = "Ask Claude about this"
#: What the custom_id of the form begins with, before the id of the message.
MARK = "about"
QUESTION = "question"
# How many messages that people are just asking about are kept.
MOST_TARGETS = 500

NO_QUESTION = "There was no question in this. Please ask me something."
NO_TARGET = "I can no longer read that message. Please ask about it in your own words."

Interaction = discord.Interaction[discord.Client]


class Asking:
    """Hands questions on, and shows them to all."""

    def __init__(self, link: Link, places: Places, names: Names, host: Host) -> None:
        self._link = link
        self._places = places
        self._names = names
        self._host = host
        self._targets: LruDict[int, discord.Message] = LruDict(MOST_TARGETS)

    async def open(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask what somebody wants to know about a message."""
        self._targets[message.id] = message
        await answers.ask(interaction, _form(message.id))

    async def submitted(self, interaction: Interaction, target: str) -> None:
        """Take in a question about the message `target`."""
        message = self._targets.get(int(target))
        if message is None or message.channel.id != interaction.channel_id:
            # A number that was forged leads to no message of another channel.
            message = await self._fetch(interaction, int(target))
        if message is None:
            await answers.tell(interaction, NO_TARGET)
            return
        given = drawing.filled(interaction.data or {}, interaction.guild_id)
        await self.ask(interaction, given.get(QUESTION, ""), about=message)

    async def ask(
        self,
        interaction: Interaction,
        question: str,
        file: discord.Attachment | None = None,
        about: discord.Message | None = None,
    ) -> None:
        """Remember a question, show it to all, and have it answered."""
        if refusal := self._refusal(interaction, question):
            await answers.tell(interaction, refusal)
            return
        channel, user = interaction.channel, interaction.user
        self._names.note(interaction.guild_id, [user])
        thread, place = events.thread_of(channel, interaction.id), None
        if isinstance(channel, events.Threaded):
            thread = place = self._places.ask(
                str(interaction.guild_id), str(channel.id), interaction.id
            )
        assert thread is not None
        too_large = file is not None and file.size > FILE_BYTES
        heard = Heard(
            thread=thread,
            message=str(interaction.id),
            at=interaction.created_at.timestamp(),
            author=str(user.id),
            text=question,
            addressed=True,
            opens=place is not None,
            files=(file.filename,) if file and not too_large else (),
            quotes=self._quotes(about, thread, fresh=place is not None),
        )
        shown = None
        try:
            shown = await self._remember(
                interaction, heard, _card(user.display_name, question, about)
            )
        finally:
            if place is not None:
                self._places.appeared(place, shown)
        if shown is not None:
            # Whoever deletes that message deletes the question.
            await insist(partial(self._host.hold, heard, str(shown)))
        if too_large and file is not None:
            size = file.size // (1024 * 1024)
            await answers.tell(
                interaction,
                f"{file.filename} has {size} MB, and I take 25 MB at the most: "
                "I answer without it.",
            )

    async def _remember(
        self, interaction: Interaction, heard: Heard, card: str
    ) -> int | None:
        """Hand `heard` on, and answer with `card`; the id of that message, if it is
        to be seen."""
        work = self._host.deliver(heard)
        try:
            _, waits = await answers.awaited(interaction, work, ephemeral=False)
        except StorageError as error:
            log.error("discord.not_remembered %s", error)
            await answers.tell(interaction, error.user_text)
            return None
        return await answers.show(
            interaction, Drawn(card), ephemeral=False, waits=waits
        )

    def _refusal(self, interaction: Interaction, question: str) -> str:
        """Why a question cannot be taken here; "" if it can."""
        channel = interaction.channel
        if events.thread_of(channel, interaction.id) is None:
            return answers.NOWHERE
        if not question.strip():
            return NO_QUESTION
        return lacking(channel, interaction.app_permissions)

    def _quotes(
        self, about: discord.Message | None, thread: ThreadKey, *, fresh: bool
    ) -> tuple[Heard, ...]:
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
    # What is sent comes to `Commands.submitted`, also after a restart.
    form.stop()
    form.add_item(
        ui.Label(
            text="Your question",
            component=ui.TextInput(
                custom_id=QUESTION,
                style=discord.TextStyle.paragraph,
                max_length=drawing.INPUT_CHARS,
            ),
        )
    )
    return form


def _card(author: str, question: str, about: discord.Message | None) -> str:
    """What everybody sees of a question that was asked by command."""
    name = discord.utils.escape_markdown(author)
    link = f"[this message]({about.jump_url})" if about else ""
    return markup.quoted(name, question, CARD_CHARS, link)
