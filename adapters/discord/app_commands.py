"""Application commands, and the dispatch of buttons, menus and forms.

Rule: commands are built from the core's catalog. Commands for admins are grouped under
a top-level command of their own, because Discord can hide only whole commands (platform
facts B7). Hiding them is not a permission check.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from adapters.discord import (
    ask_command,
    command_options,
    components,
    ids,
    interaction_responses,
)
from adapters.discord.ask_command import ABOUT, Asking
from adapters.discord.client import Link, translated
from adapters.discord.interactions import Interactions
from adapters.discord.members import People
from adapters.discord.name_cache import NameCache
from adapters.discord.servers import refusal
from adapters.discord.threads import ThreadResolver
from bot.domain.served_workspaces import ALL, Served
from bot.errors import StorageError, ThreadkeepError
from bot.messages import labels, summaries
from bot.messages.commands import STALE
from bot.ports.host import Host
from bot.ports.processes import Gateways
from bot.runtime.background import report
from bot.ui.command_spec import CommandSpec

log = logging.getLogger(__name__)

ROOT = "claude"
GATED = "claude-admin"

#: Entries in a message's menu.
SORT = labels.TRIAGE_THIS
RECEIPT = labels.RECEIPT

BROKEN = ThreadkeepError.user_text

# The fields of a command's definition that are compared.
TELLING = {
    *("name", "type", "description", "options", "required", "choices", "value"),
    *("min_length", "max_length", "min_value", "max_value", "autocomplete"),
    *("default_member_permissions", "contexts", "integration_types", "nsfw"),
}

Interaction = discord.Interaction[discord.Client]


class Tree(app_commands.CommandTree[discord.Client]):
    """Commands whose failures are reported to people and operators."""

    #: The guilds whose commands are run.
    served: Served = ALL
    #: The state shared with other gateways of the bot; None if there are none.
    gateways: Gateways | None = None

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Return whether this process runs the command: the guild is served, and no
        other process has claimed the interaction. In a guild that is not served, tell
        the person once the command is given."""
        is_typing = interaction.type is discord.InteractionType.autocomplete
        if not is_typing and not await is_first(self.gateways, interaction):
            return False
        why = refusal(self.served, interaction)
        if why and is_typing:
            await interaction_responses.suggest_nothing(interaction)
        elif why:
            await interaction_responses.tell(interaction, why)
        return not why

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        stale = (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)
        if isinstance(error, stale):
            await interaction_responses.tell(interaction, STALE)
            return
        cause = error.__cause__
        report("command", cause if isinstance(cause, Exception) else error)
        await interaction_responses.tell(interaction, BROKEN)


async def is_first(gateways: Gateways | None, interaction: Interaction) -> bool:
    """Return whether this process is the first to claim `interaction`. Discord delivers
    an interaction to every session of its shard."""
    if gateways is None:
        return True
    try:
        return await gateways.claim_event(f"discord {interaction.id}")
    except StorageError as error:
        # The command fails in the same way when it runs, and then tells the person.
        log.warning("discord.not_claimed %s", error)
        return True


class Commands:
    """Handles commands, menus, buttons and forms."""

    def __init__(
        self,
        link: Link,
        threads: ThreadResolver,
        names: NameCache,
        people: People,
        host: Host,
    ) -> None:
        self._link = link
        self._host = host
        self._asking = Asking(link, threads, names, host)
        self._interactions = Interactions(names, people, host)

    def tree(self) -> Tree:
        """Return the commands, bound to the client in use."""
        tree = Tree(
            self._link.client,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=False
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

        tree.served, tree.gateways = self._host.served, self._host.gateways

        @app_commands.describe(question=summaries.ASK_QUESTION, file=summaries.ASK_FILE)
        async def ask(
            interaction: Interaction,
            question: app_commands.Range[str, 1, command_options.TEXT_CHARS],
            file: discord.Attachment | None = None,
        ) -> None:
            await self._asking.ask(interaction, question, file)

        async def about(interaction: Interaction, message: discord.Message) -> None:
            await self._asking.open(interaction, message)

        tree.add_command(
            app_commands.Command(name="ask", description=summaries.ASK, callback=ask)
        )

        async def sort(interaction: Interaction, message: discord.Message) -> None:
            await self._interactions.triage(interaction, message)

        tree.add_command(app_commands.ContextMenu(name=ABOUT, callback=about))
        tree.add_command(app_commands.ContextMenu(name=SORT, callback=sort))

        async def receipt(interaction: Interaction, message: discord.Message) -> None:
            await self._interactions.receipt(interaction, message)

        tree.add_command(app_commands.ContextMenu(name=RECEIPT, callback=receipt))
        everybody = app_commands.Group(name=ROOT, description=summaries.FOR_EVERYBODY)
        admins = app_commands.Group(
            name=GATED,
            description=summaries.FOR_ADMINS,
            default_permissions=discord.Permissions(manage_channels=True),
            # Direct messages have no admins.
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=False, private_channel=False
            ),
        )
        for verb in self._host.commands.catalog:
            if verb.own:
                self._add(tree, verb)
            elif not verb.hidden:
                self._add(admins if verb.admin else everybody, verb)
        for group in (everybody, admins):
            if group.commands:
                tree.add_command(group)
        return tree

    async def submitted(self, interaction: Interaction) -> None:
        """Handle a button, menu or form, however old it is."""
        try:
            if await is_first(self._host.gateways, interaction):
                await self._on_submit(interaction)
        except Exception as error:
            # The person waits for a response, whatever failed (see `Tree.on_error`).
            report("take in a control", error)
            await interaction_responses.tell(interaction, BROKEN)

    async def _on_submit(self, interaction: Interaction) -> None:
        if why := refusal(self._host.served, interaction):
            await interaction_responses.tell(interaction, why)
            return
        data: Mapping[str, Any] = interaction.data or {}
        mark, _, rest = str(data.get("custom_id", "")).partition(":")
        if interaction.type is discord.InteractionType.modal_submit:
            if mark == components.FORM:
                await self._interactions.submitted(interaction, rest)
                return
            if mark == ask_command.MARK and ids.is_id(rest):
                await self._asking.submitted(interaction, rest)
                return
        elif mark == components.DO:
            await self._interactions.pressed(interaction, rest)
            return
        elif mark == components.FILES:
            await self._interactions.file_wanted(interaction, rest)
            return
        elif mark in (components.GOOD, components.BAD):
            await self._interactions.rated(
                interaction, rest, good=mark == components.GOOD
            )
            return
        await interaction_responses.tell(interaction, STALE)

    def _add(self, root: Tree | app_commands.Group, verb: CommandSpec) -> None:
        """Add the command of `verb` to `root`, in a group if its name has two words."""

        async def work(interaction: Interaction, **given: Any) -> None:
            await self._interactions.give(interaction, verb, given)

        *way, name = verb.name.split()
        parent: Tree | app_commands.Group = root
        for word in way:
            known = parent.get_command(word)
            if not isinstance(known, app_commands.Group):
                known = app_commands.Group(name=word, description=self._summary(word))
                parent.add_command(known)
            parent = known
        parent.add_command(
            app_commands.Command(
                name=name,
                description=verb.summary,
                callback=command_options.typed(verb, work),
            )
        )

    def _summary(self, word: str) -> str:
        """Return the description of a group: the summary of the command of the same
        name, or a general one."""
        catalog = self._host.commands.catalog
        found = {verb.name: verb.summary for verb in catalog}
        return found.get(word, summaries.all_about(subject=word))


async def register(tree: Tree) -> None:
    """Register the commands with Discord, unless they are registered already.

    A restart must not register them again: Discord allows 200 new commands a day
    (facts B7). Raises DeliveryError.
    """
    client = tree.client
    application = client.application_id
    assert application is not None
    ours = [command.to_dict(tree) for command in tree.get_commands()]
    async with translated("read the commands"):
        theirs = await client.http.get_global_commands(application)
    if (found := digest(ours)) == digest(theirs):
        log.info("discord.commands_known digest=%s", found)
        return
    async with translated("register the commands"):
        await tree.sync()
    log.info("discord.commands_registered digest=%s", found)


def digest(commands: Iterable[Mapping[str, Any]]) -> str:
    """Return a hash of `commands`, for comparing our definitions with Discord's. The
    hash ignores the order, and fields that Discord adds."""
    telling = sorted(
        (_telling(each) for each in commands), key=lambda each: each["name"]
    )
    return hashlib.sha256(json.dumps(telling, sort_keys=True).encode()).hexdigest()[:16]


def _telling(value: Any) -> Any:
    if isinstance(value, dict):
        telling = {k: _telling(v) for k, v in value.items() if k in TELLING}
        if telling.get("default_member_permissions") is not None:
            # A number in our definition, and text in Discord's.
            telling["default_member_permissions"] = str(
                telling["default_member_permissions"]
            )
        # Missing, false and empty values are equivalent.
        return {k: v for k, v in telling.items() if v not in (None, False, [], "")}
    if isinstance(value, list | tuple):
        return [_telling(each) for each in value]
    return value
