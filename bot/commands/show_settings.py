"""Shows the settings that apply, the prompt, and the list of commands."""

from collections.abc import Iterable, Mapping

from bot.commands import visibility
from bot.commands.catalog import COMMANDS
from bot.commands.edit_settings import SettingsEditor
from bot.commands.history import PROMPT
from bot.commands.router import Handler
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages import labels
from bot.messages.commands import (
    HOW_TO_ASK,
    HOW_TO_COMMAND,
    HOW_TO_TALK_TO_OTHERS,
    prompt_of,
)
from bot.messages.settings import OPERATOR_AUDIENCE
from bot.settings import describe, sections, shared_channels
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME, Option
from bot.settings.target import command_for_scope, scope_argument
from bot.ui import formatting
from bot.ui.elements import Button, Choice, Command, CommandResult, File, Menu, Response

# The most characters of a prompt that a message shows; a longer prompt is attached as a
# file.
SHOWN_CHARS = 1_200


class SettingsScreen:
    """Handlers of the commands that show settings.

    People who may change the model or prompt get a form from `model` and `prompt`.
    """

    def __init__(self, access: SettingsAccess, editor: SettingsEditor) -> None:
        self._access = access
        self._editor = editor

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "help": self.help,
            "model": self.model,
            "prompt": self.prompt,
            "prompt show": self.show_prompt,
        }

    async def help(self, command: Command, place: Scope, person: Person) -> Response:
        """List the commands that `person` may give at `place`."""
        policy = await self._access.policy(place)
        admin = self._access.may(person, policy)
        verbs = [
            f"- **{verb.name}**: {verb.summary}"
            for verb in COMMANDS
            if not verb.hidden and (admin or not verb.admin)
        ]
        return Response(
            "\n".join([HOW_TO_ASK, HOW_TO_TALK_TO_OTHERS, HOW_TO_COMMAND, *verbs])
        )

    async def model(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Set the model, or show it; people who may change it get the form."""
        named = command.having({"option": "model"})
        if "value" in command.arguments:
            return await self._editor.set(named, place, person)
        model = BY_NAME["model"]
        policy, known = await self._access.about(command, place, person, model)
        if self._access.may(known, policy):
            return await self._editor.forms.option(named, place, person)
        return Response(describe.one(policy, model))

    async def prompt(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Show the prompt; people who may change it get the form."""
        policy, known = await self._access.about(command, place, person, PROMPT)
        if not self._access.may(known, policy):
            return await self.show_prompt(command, place, person)
        return await self._editor.set_prompt(command, place, person)

    async def show_prompt(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Show the whole prompt, with buttons for the actions that `person` may
        take."""
        await self._access.require_insider(person, place)
        policy, person = await self._access.about(command, place, person, PROMPT)
        version = await self._access.prompt(policy)
        text = version.text or ""
        where = formatting.here(policy.place.level, policy.place.platform)
        head = f"{prompt_of(where=where)} · {describe.prompt_source(policy, version)}"
        there = scope_argument(command, policy.place)
        buttons = [Button(labels.HISTORY, command_for_scope("prompt history", there))]
        if self._access.may(person, policy):
            # Without a scope, so that the form asks for one in a thread.
            change = Command("prompt set", command.arguments)
            buttons.insert(0, Button(labels.CHANGE, change))
            buttons.append(
                Button(labels.TRY_PROMPT, command_for_scope("prompt try", there))
            )
        if len(text) > SHOWN_CHARS:
            shown = f"{head}\n{_quote(text[:SHOWN_CHARS])}…"
            return Response(
                shown, buttons=tuple(buttons), file=File("prompt.txt", text)
            )
        return Response(f"{head}\n{_quote(text)}", buttons=tuple(buttons))


async def applying(
    access: SettingsAccess, policy: EffectiveSettings, person: Person
) -> str:
    """Describe the settings that apply at the place of `policy`, as far as `person` may
    see them.

    Raises StorageError, and DeliveryError when the platform cannot be asked now.
    """
    prompt = await access.prompt(policy)
    seen = await visibility.policy(access, policy, person)
    known = access.known(policy.place)
    shown = describe.settings(seen, visibility.prompt(prompt, person), known)
    if person.shared and policy.place.channel:
        shown = f"{shown}\n_{shared_channels.policy(policy)}_"
    limited = not access.admits_all(policy.place)
    return f"{shown}\n{OPERATOR_AUDIENCE}" if limited else shown


def change_menus(
    access: SettingsAccess, policy: EffectiveSettings, person: Person, where: str
) -> tuple[Menu, ...]:
    """Return the menu of the settings that `person` may change at the place of
    `policy`, or () if there are none. `where` is that place as the menu's command names
    it."""
    offered = access.offered(policy, person)
    label = labels.change_for(
        where=formatting.here(policy.place.level, policy.place.platform)
    )
    return (change_menu(offered, where, label),) if offered else ()


def change_menu(options: Iterable[Option], where: str, label: str) -> Menu:
    """Return a menu that opens the form of one of `options`."""
    choices = tuple(
        Choice(option.name, option.label, option.about[:75], group)
        for group, option in sections.group_options(options)
    )
    return Menu(command_for_scope("edit", where), "option", label, choices)


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
