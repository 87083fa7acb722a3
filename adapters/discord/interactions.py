"""Passes commands from slash commands, menus, buttons and forms on to the core, and
shows the results.

Rule: nothing is decided here. Person and place are determined anew for each command, so
an old button or form grants no right that the person has lost.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import discord

from adapters.discord import components, events, interaction_responses, markup, modals
from adapters.discord import files as discord_files
from adapters.discord.components import Drawn
from adapters.discord.members import People
from adapters.discord.name_cache import NameCache
from adapters.discord.thread_titles import with_title
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.errors import StorageError, ThreadkeepError, Unacceptable
from bot.messages.commands import STALE
from bot.messages.controls import NO_ANSWER, NOT_SAID, NOWHERE, THANKS
from bot.ports.host import Host
from bot.text.characters import replace_lone_surrogates
from bot.ui.command_spec import CommandSpec, ParameterType
from bot.ui.elements import SILENCE, Command, CommandResult, File, Form, Response

log = logging.getLogger(__name__)

# The fewest characters of a rejected line that is returned as a file.
WORTH_KEEPING = 200

#: The value of a command's option or of a form's field.
Given = str | int | discord.Attachment

Interaction = discord.Interaction[discord.Client]


class Interactions:
    """Handles all commands on Discord, except questions."""

    def __init__(self, names: NameCache, people: People, host: Host) -> None:
        self._names = names
        self._people = people
        self._host = host
        self._catalog = {each.name: each for each in host.commands.catalog}

    async def give(
        self,
        interaction: Interaction,
        verb: CommandSpec,
        given: Mapping[str, Given | None],
    ) -> None:
        """Carry out a slash command."""
        some = {name: value for name, value in given.items() if value is not None}
        await self._carry_out(interaction, Command(verb.name), some)

    async def pressed(self, interaction: Interaction, line: str) -> None:
        """Carry out the command of a button or a menu."""
        command = components.chosen_command(line, components.values(_data(interaction)))
        await self._carry_out(interaction, command)

    async def file_wanted(self, interaction: Interaction, line: str) -> None:
        """Open the form of a command with file inputs."""
        await self._carry_out(interaction, Command.of_line(line), files=True)

    async def submitted(self, interaction: Interaction, line: str) -> None:
        """Carry out the command of a submitted form."""
        data = _data(interaction)
        files = modals.uploads(data)
        given: dict[str, Given] = {}
        for name, value in modals.submitted_values(data, interaction.guild_id).items():
            if name not in files:
                given[name] = value
            elif found := discord_files.find_files(interaction, value):
                given[name] = found[0]
        await self._carry_out(interaction, Command.of_line(line), given)

    async def rated(self, interaction: Interaction, turn: str, *, good: bool) -> None:
        """Store a reader's rating of an answer."""
        message = interaction.message
        thread = events.answered_in(interaction.channel, message) if message else None
        if thread is None:
            await interaction_responses.tell(interaction, NOWHERE)
            return
        work = self._host.conversations.feedback(thread, turn, good)
        try:
            known, waits = await interaction_responses.await_or_defer(
                interaction, work, ephemeral=True
            )
        except StorageError as error:
            log.error("discord.not_remembered %s", error)
            await interaction_responses.tell(interaction, error.user_text)
            return
        drawn = Drawn(THANKS if known else NO_ANSWER)
        await interaction_responses.show(
            interaction, drawn, ephemeral=True, waits=waits
        )

    async def triage(self, interaction: Interaction, message: discord.Message) -> None:
        """Triage `message`, for which somebody chose the menu entry."""
        thread = events.thread_of(message.channel, message.id)
        us = interaction.client.user
        about = events.original(message)
        heard = events.message_of(about, us.id, thread) if thread and us else None
        if heard is None or message.channel.id != interaction.channel_id:
            await interaction_responses.tell(
                interaction, NOT_SAID if thread else NOWHERE
            )
            return
        heard = with_title(heard, message.channel)
        self._names.note(interaction.guild_id, [interaction.user, about.author])
        work = self._triage(interaction, heard)
        try:
            (response, names), waits = await interaction_responses.await_or_defer(
                interaction, work, ephemeral=False
            )
        except StorageError as error:
            log.error("discord.not_sorted %s", error)
            await interaction_responses.tell(interaction, error.user_text)
            return
        drawn = components.draw(response, names)
        await interaction_responses.show(
            interaction, drawn, ephemeral=not response.public, waits=waits
        )

    async def receipt(self, interaction: Interaction, message: discord.Message) -> None:
        """Show the receipt of the answer `message`, or of the answer to the question
        `message`."""
        command = Command("receipt", {"answer": str(message.id)})
        await self._carry_out(interaction, command)

    async def _triage(
        self, interaction: Interaction, message: Message
    ) -> tuple[Response, Mapping[str, str]]:
        """Triage `message`; return the response, and the names of the people it refers
        to."""
        person = await self._people.of(interaction)
        response = await self._host.commands.triage(message, person)
        return response, await self._names.display_names(
            interaction.guild_id, response.whole
        )

    async def _carry_out(
        self,
        interaction: Interaction,
        command: Command,
        given: Mapping[str, Given] | None = None,
        *,
        files: bool = False,
    ) -> None:
        place = _place(interaction, command)
        verb = self._catalog.get(command.verb)
        if place is None or verb is None:
            text = NOWHERE if place is None else STALE
            await interaction_responses.tell(interaction, text)
            return
        self._names.note(interaction.guild_id, [interaction.user])
        work = self._work(interaction, command, given or {}, place)
        try:
            (
                (reply, given_all, names),
                waits,
            ) = await interaction_responses.await_or_defer(
                interaction, work, ephemeral=not verb.public
            )
        except ThreadkeepError as error:
            log.error("discord.not_carried_out verb=%s %s", verb.name, error)
            await interaction_responses.tell(interaction, error.user_text)
            return
        if isinstance(reply, Form):
            await self._ask(interaction, reply, given_all, waits=waits, files=files)
            return
        if reply is SILENCE:
            await interaction_responses.acknowledge(interaction, waits=waits)
            return
        if reply.replaces or (reply.settles and not waits and _is_private(interaction)):
            await interaction_responses.replace(
                interaction, components.draw(reply, names), waits=waits
            )
            return
        response = _keep_rejected(reply, given_all) if given else reply
        drawn = components.draw(response, names)
        await interaction_responses.show(
            interaction, drawn, ephemeral=not response.public, waits=waits
        )
        if reply.settles and _is_notice(interaction):
            await interaction_responses.remove_notice(interaction)

    async def _work(
        self,
        interaction: Interaction,
        command: Command,
        given: Mapping[str, Given],
        place: Scope,
    ) -> tuple[CommandResult, Command, Mapping[str, str] | None]:
        """Return the result of `command` with the arguments `given`, the command with
        those arguments, and, if others may see the result, the names of the people it
        refers to."""
        try:
            arguments = {name: await _read(value) for name, value in given.items()}
        except Unacceptable as error:
            return Response(error.user_text), command, None
        command = command.having(arguments)
        person = await self._people.of(interaction)
        reply = await self._host.commands.run(command, place, person)
        # After a deferral everybody sees the result of some commands.
        if not isinstance(reply, Response) or not (
            reply.public or reply.replaces or self._catalog[command.verb].public
        ):
            return reply, command, None
        guild = interaction.guild_id
        return reply, command, await self._names.display_names(guild, reply.whole)

    async def _ask(
        self,
        interaction: Interaction,
        form: Form,
        command: Command,
        *,
        waits: bool,
        files: bool,
    ) -> None:
        """Open a form; if that is impossible, show how to go on."""
        field = None if files else modals.overlong(form)
        if field is not None:
            drawn = modals.as_file(field, command, self._file_command())
        elif waits or interaction.type is discord.InteractionType.modal_submit:
            drawn = modals.opener(command)
        else:
            guild = interaction.guild_id
            await interaction_responses.ask(
                interaction,
                modals.modal(
                    form, guild, files=files, names=_names(interaction.channel)
                ),
                modals.as_text(form),
            )
            return
        await interaction_responses.show(
            interaction, drawn, ephemeral=True, waits=waits
        )

    def _file_command(self) -> str:
        """Return the slash command that takes a file."""
        for verb in self._catalog.values():
            for parameter in verb.parameters:
                if parameter.takes is ParameterType.FILE:
                    return f"/claude {verb.name} {parameter.name}:"
        return "/claude"


def _is_private(interaction: Interaction) -> bool:
    """Return True for a control of a message that only one person sees."""
    message = interaction.message
    is_control = interaction.type is discord.InteractionType.component
    return is_control and message is not None and message.flags.ephemeral


def _is_notice(interaction: Interaction) -> bool:
    """Return True for a control of a notice, which others see as well."""
    message = interaction.message
    is_control = interaction.type is discord.InteractionType.component
    # Only notices are silent; posts and answers are not.
    return is_control and message is not None and message.flags.suppress_notifications


def _names(channel: object) -> dict[str, str]:
    """Return the name of `channel`, or of the channel of a thread, by its id."""
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    if not isinstance(channel, discord.abc.GuildChannel):
        return {}
    return {str(channel.id): f"#{channel.name}"}


def _place(interaction: Interaction, command: Command) -> Scope | None:
    """Return the place of `command`: the thread of the answer that it is about, or else
    the place where it was given. None if that place is not supported."""
    message = interaction.message
    if message is not None and "turn" in command.arguments:
        thread = events.answered_in(interaction.channel, message)
        return Scope.of(thread) if thread else None
    return events.place_of(interaction.channel)


async def _read(value: Given) -> str:
    """Return a value as text. Raises Unacceptable for a file that is refused."""
    if isinstance(value, discord.Attachment):
        return await discord_files.text_of(value)
    return replace_lone_surrogates(markup.tokens(str(value)))


def _keep_rejected(response: Response, command: Command) -> Response:
    """Return `response` with the rejected text as a file: Discord discards a form once
    it is submitted, and the text may be a long prompt."""
    text = command.arguments.get(response.field, "")
    if response.file is not None or ("\n" not in text and len(text) < WORTH_KEEPING):
        return response
    return replace(response, file=File(f"{response.field}.txt", text))


def _data(interaction: Interaction) -> Mapping[str, Any]:
    return interaction.data or {}
