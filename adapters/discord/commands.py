"""The commands that people see behind "/" and on a message, and what becomes of them.

Rule: persist, then answer. Discord waits three seconds for a first answer (platform
facts B2); where remembering takes longer, it is told to wait.
"""

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import Any

import discord
from discord import app_commands

from adapters.discord import events, markup
from adapters.discord.client import Link, translated
from adapters.discord.names import Names
from adapters.discord.places import CARD_CHARS, Places
from adapters.discord.rights import lacking
from bot.errors import DeliveryError, StorageError, ThreadkeepError
from bot.ports import Host
from bot.trace import where
from bot.values import Heard, ThreadKey
from bot.verbs import VERBS, Verb

log = logging.getLogger(__name__)

# How long remembering may take before Discord is told to wait, in seconds.
PROMPT = 1.5

# The most that a question may be: what Discord lets people type (facts B7).
QUESTION_CHARS = 6_000
FILE_BYTES = 25 * 1024 * 1024

ABOUT = "Ask Claude about this"
# Before the id of the message that a form asks about.
ABOUT_ID = "about:"
# How many messages that people are just asking about are kept.
MOST_TARGETS = 500

STALE = (
    "This is left over from an earlier version and does nothing any more. "
    "Type / to see what there is now."
)
NOWHERE = "I cannot talk in this kind of channel. Please ask me in a text channel."
NO_QUESTION = "There was no question in this. Please ask me something."
NO_TARGET = "I can no longer read that message. Please ask about it in your own words."
BROKEN = ThreadkeepError.user_text

# What of a command's definition people or Discord can tell from another.
TELLING = {
    *("name", "type", "description", "options", "required", "choices", "value"),
    *("min_length", "max_length", "autocomplete", "default_member_permissions"),
    *("contexts", "integration_types", "nsfw"),
}

Interaction = discord.Interaction[discord.Client]


class Form(discord.ui.Modal):
    """Asks what somebody wants to know about a message."""

    def __init__(self, message: int) -> None:
        # What is sent comes to `Commands.submitted`, also after a restart.
        super().__init__(
            title=ABOUT, custom_id=f"{ABOUT_ID}{message}", timeout=15 * 60.0
        )
        self.add_item(
            discord.ui.Label(
                text="Your question",
                component=discord.ui.TextInput(
                    custom_id="question",
                    style=discord.TextStyle.paragraph,
                    max_length=4_000,
                ),
            )
        )


class Tree(app_commands.CommandTree[discord.Client]):
    """Commands whose failures people and operators can read."""

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        stale = (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)
        if isinstance(error, stale):
            await _tell(interaction, STALE)
            return
        cause = error.__cause__ or error
        log.error("discord.command_failed at=%s", where(cause))
        await _tell(interaction, BROKEN)


class Commands:
    """Takes in what people ask and tell the bot by command."""

    def __init__(self, link: Link, places: Places, names: Names, host: Host) -> None:
        self._link = link
        self._places = places
        self._names = names
        self._host = host
        self._targets: OrderedDict[int, discord.Message] = OrderedDict()

    def tree(self) -> Tree:
        """The commands, bound to the client that is in use."""
        tree = Tree(
            self._link.client,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=False
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

        @app_commands.describe(
            question="What you want to know", file="A file that it is about"
        )
        async def ask(
            interaction: Interaction,
            question: app_commands.Range[str, 1, QUESTION_CHARS],
            file: discord.Attachment | None = None,
        ) -> None:
            await self._ask(interaction, question, file)

        async def about(interaction: Interaction, message: discord.Message) -> None:
            self._targets[message.id] = message
            if len(self._targets) > MOST_TARGETS:
                self._targets.popitem(last=False)
            await interaction.response.send_modal(Form(message.id))

        tree.add_command(
            app_commands.Command(
                name="ask", description="Ask Claude, in a thread.", callback=ask
            )
        )
        tree.add_command(app_commands.ContextMenu(name=ABOUT, callback=about))
        group = app_commands.Group(name="claude", description="Work with Claude here.")
        for verb in VERBS:
            group.add_command(self._command(verb))
        tree.add_command(group)
        return tree

    async def submitted(self, interaction: Interaction) -> None:
        """Take in a form that was sent, or say that a control is out of use."""
        data: Mapping[str, Any] = interaction.data or {}
        target = str(data.get("custom_id", "")).removeprefix(ABOUT_ID)
        is_form = interaction.type is discord.InteractionType.modal_submit
        if not (is_form and target.isdecimal()):
            await _tell(interaction, STALE)
            return
        message = self._targets.get(int(target)) or await self._fetch(
            interaction, int(target)
        )
        if message is None:
            await _tell(interaction, NO_TARGET)
            return
        question = next(_values(data.get("components") or ()), "")
        await self._ask(interaction, question, about=message)

    def _command(self, verb: Verb) -> app_commands.Command[Any, Any, Any]:
        async def run(interaction: Interaction) -> None:
            thread = events.thread_of(interaction.channel, interaction.id)
            if thread is None:
                await _tell(interaction, NOWHERE)
                return
            told = self._host.command(verb.name, thread)
            await _answer(interaction, told, ephemeral=not verb.public)

        return app_commands.Command(
            name=verb.name, description=verb.summary, callback=run
        )

    async def _ask(
        self,
        interaction: Interaction,
        question: str,
        file: discord.Attachment | None = None,
        about: discord.Message | None = None,
    ) -> None:
        """Remember a question, show it to all, and have it answered."""
        if refusal := self._refusal(interaction, question):
            await _tell(interaction, refusal)
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
        card = _card(user.display_name, question, about)
        shown = None
        try:
            shown = await _answer(interaction, self._remember(heard, card))
        finally:
            if place is not None:
                self._places.appeared(place, shown)
        if too_large and file is not None:
            size = file.size // (1024 * 1024)
            await _tell(
                interaction,
                f"{file.filename} has {size} MB, and I take 25 MB at the most: "
                "I answer without it.",
            )

    async def _remember(self, heard: Heard, card: str) -> str:
        await self._host.deliver(heard)
        return card

    def _refusal(self, interaction: Interaction, question: str) -> str:
        """Why a question cannot be taken here; "" if it can."""
        channel = interaction.channel
        if events.thread_of(channel, interaction.id) is None:
            return NOWHERE
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


async def register(tree: Tree) -> None:
    """Give Discord our commands, unless it has them already.

    A restart must not register again: of new commands Discord takes 200 a day
    (facts B7). Raises DeliveryError.
    """
    client = tree.client
    application = client.application_id
    assert application is not None
    ours = [command.to_dict(tree) for command in tree.get_commands()]
    async with translated("read the commands"):
        theirs = await client.http.get_global_commands(application)
    if digest(ours) == digest(theirs):
        log.info("discord.commands_known digest=%s", digest(ours))
        return
    async with translated("register the commands"):
        await tree.sync()
    log.info("discord.commands_registered digest=%s", digest(ours))


def digest(commands: Iterable[Mapping[str, Any]]) -> str:
    """A hash of `commands` that tells ours from those that Discord has: what it adds
    by itself does not count, nor does their order."""
    told = sorted((_telling(each) for each in commands), key=lambda each: each["name"])
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _telling(value: Any) -> Any:
    if isinstance(value, Mapping):
        told = {k: _telling(v) for k, v in value.items() if k in TELLING}
        # What is left out, off or empty means the same.
        return {k: v for k, v in told.items() if v not in (None, False, [], "")}
    if isinstance(value, list | tuple):
        return [_telling(each) for each in value]
    return value


async def _answer(
    interaction: Interaction, work: Awaitable[str], *, ephemeral: bool = False
) -> int | None:
    """Answer with what `work` returns, in time; return the message's id.

    None if nobody sees it: it came too late, or `work` failed and that was said.
    """
    doing = asyncio.ensure_future(work)
    await asyncio.wait({doing}, timeout=PROMPT)
    waits = not doing.done()
    try:
        async with translated("answer a command"):
            if waits:
                await interaction.response.defer(ephemeral=ephemeral, thinking=True)
    except DeliveryError as error:
        log.warning("discord.too_late %s", error)
    try:
        text = await doing
    except StorageError as error:
        log.error("discord.not_remembered %s", error)
        await _tell(interaction, error.user_text)
        return None
    try:
        async with translated("answer a command"):
            if waits:
                shown = await interaction.edit_original_response(content=text)
                return shown.id
            response = await interaction.response.send_message(
                text, ephemeral=ephemeral, suppress_embeds=True
            )
            return response.message_id
    except DeliveryError as error:
        # It is remembered, and is answered all the same.
        log.warning("discord.too_late %s", error)
        return None


async def _tell(interaction: Interaction, text: str) -> None:
    """Tell the one who gave a command, and nobody else."""
    try:
        async with translated("answer a command"):
            if interaction.response.is_done():
                await interaction.followup.send(text, ephemeral=True)
            else:
                await interaction.response.send_message(text, ephemeral=True)
    except DeliveryError as error:
        log.warning("discord.untold %s", error)


def _card(author: str, question: str, about: discord.Message | None) -> str:
    """What everybody sees of a question that was asked by command."""
    name = discord.utils.escape_markdown(author)
    link = f"[this message]({about.jump_url})" if about else ""
    return markup.quoted(name, question, CARD_CHARS, link)


def _values(components: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What people wrote into a form, top to bottom."""
    for each in components:
        if "value" in each:
            yield str(each["value"])
        yield from _values(each.get("components") or ())
        if inner := each.get("component"):
            yield from _values([inner])
