"""The settings page: sections, each with a button for its form.

The same page is a part of the bot's own page, the response to `settings`, and a window
for a channel that was chosen on the bot's page.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.commands import visibility
from bot.commands.catalog import ALL
from bot.commands.history import PROMPT
from bot.commands.router import Handler
from bot.commands.setting_forms import SettingForms
from bot.commands.show_settings import applying, change_menus
from bot.commands.usage import UsageScreen
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.errors import Unacceptable
from bot.messages import labels
from bot.messages import settings as messages
from bot.messages.commands import NO_OPTION
from bot.settings import overview, shared_channels
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.sections import (
    ACCESS,
    ANSWERS,
    INSTRUCTIONS,
    SECTION_BY_NAME,
    SECTIONS,
    SettingsSection,
    within,
)
from bot.settings.target import (
    OTHER,
    command_for_scope,
    scope_argument,
    where_from,
)
from bot.text import references
from bot.ui import formatting
from bot.ui.elements import Button, Command, Form, Menu, Response, Section

#: The sections that everybody sees, even if nothing in them is set.
ALWAYS = (INSTRUCTIONS, ANSWERS)


class SettingsPage:
    """Handlers of `settings` and of the forms of its sections."""

    def __init__(
        self, access: SettingsAccess, forms: SettingForms, usage: UsageScreen
    ) -> None:
        self._access = access
        self._forms = forms
        self._usage = usage

    def handlers(self) -> Mapping[str, Handler]:
        return {"settings": self.settings, "edit section": self.edit}

    async def settings(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Show the settings of a scope: those that differ from the default, or all."""
        policy, person = await self._access.about(command, place, person, PROMPT)
        where = scope_argument(command, policy.place)
        if command.arguments.get("view") == ALL:
            return await self._all(policy, where, place, person)
        title = f"**{labels.settings_of(where=name_of(where, policy.place))}**"
        sections = await self.sections(policy, person, where)
        [*most, last] = sections
        more = self._wider_pages(policy, place, where, person)
        last = replace(
            last,
            buttons=(*last.buttons, *more),
            menus=self._menus(policy, where, person),
        )
        return Response(title, sections=(*most, last))

    async def sections(
        self, policy: EffectiveSettings, person: Person, where: str
    ) -> tuple[Section, ...]:
        """Return the sections of the place of `policy`, as `person` may see and change
        them. `where` is that place as their commands name it. The last section says
        that the rest is the default.

        Raises StorageError, and DeliveryError when the platform cannot be asked now.
        """
        prompt = visibility.prompt(await self._access.prompt(policy), person)
        seen = await visibility.policy(self._access, policy, person)
        known = self._access.known(policy.place)
        offered = self._access.offered(policy, person)
        budgets = await self._budgets(policy, person)
        found = []
        for section in SECTIONS:
            mine = within(offered, section, form=True)
            is_default = overview.is_default(section, policy, known)
            note = self._note(section, policy, person)
            if is_default and not (mine or note or section in ALWAYS):
                continue
            text = overview.text(section, seen, prompt, known, budgets)
            edit = Command("edit section", {"where": where, "section": section.name})
            buttons = (Button(section.button, edit),) if mine else ()
            lines = "\n".join(filter(None, (text, note)))
            found.append(Section(section.label, lines, (), buttons, apart=False))
        return (*found, self._rest(policy, where, person))

    async def _budgets(self, policy: EffectiveSettings, person: Person) -> str:
        """Describe the budgets and their use; "" if `person` may not see all of
        them."""
        for cap in policy.caps.budgets:
            total = cap.place.level is ScopeLevel.OPERATOR
            if not (total or visibility.has_balance(self._access, cap, person)):
                return ""
        return await self._usage.budgets(policy, person)

    def _rest(self, policy: EffectiveSettings, where: str, person: Person) -> Section:
        """Return the section that says that the rest is the default."""
        every = Command("settings", {"view": ALL, "where": where})
        buttons = [Button(labels.SHOW_ALL, every)]
        if not person.outsider:
            show = command_for_scope("prompt show", where)
            buttons.append(Button(labels.WHOLE_PROMPT, show))
        return Section("", messages.THE_REST, (), tuple(buttons), apart=False)

    def _note(
        self, section: SettingsSection, policy: EffectiveSettings, person: Person
    ) -> str:
        """Return a note about other rules for the people in a scope, or ""."""
        if section is not ACCESS:
            return ""
        lines = []
        if person.shared and policy.place.channel:
            lines.append(f"_{shared_channels.policy(policy)}_")
        if not self._access.admits_all(policy.place):
            lines.append(messages.OPERATOR_AUDIENCE)
        return "\n".join(lines)

    def _wider_pages(
        self, policy: EffectiveSettings, here: Scope, where: str, person: Person
    ) -> list[Button]:
        """Return buttons for the pages of the wider scopes around that of `policy`."""
        buttons: list[Button] = []
        if person.outsider or where.startswith(OTHER):
            return buttons
        for around in policy.place.around[1:]:
            if around.level is ScopeLevel.OPERATOR or self._access.is_nowhere(around):
                continue
            label = labels.settings_of(
                where=formatting.here(around.level, around.platform)
            )
            there = command_for_scope("settings", where_from(here, around))
            buttons.append(Button(label, there))
        return buttons

    def _menus(
        self, policy: EffectiveSettings, where: str, person: Person
    ) -> tuple[Menu, ...]:
        """Return the menu of channels below a page: for a workspace, to open the page
        of a channel; for a channel, to copy the settings of another one."""
        level = policy.place.level
        if level is ScopeLevel.WORKSPACE:
            return channel_menus(self._access, policy, person)
        if (
            level is not ScopeLevel.CHANNEL
            or person.outsider
            or self._access.is_direct(policy.place)
            or not self._access.may(person, policy)
        ):
            return ()
        copy = command_for_scope("copy settings", where)
        return (Menu(copy, "source", labels.COPY_FROM, channels=True),)

    async def _all(
        self, policy: EffectiveSettings, where: str, here: Scope, person: Person
    ) -> Response:
        """List everything that applies, with a menu for each level around it."""
        menus: list[Menu] = []
        for around in policy.place.around:
            if around.level is ScopeLevel.OPERATOR or self._access.is_nowhere(around):
                continue
            wider = await self._access.policy(around)
            there = where if around == policy.place else where_from(here, around)
            menus += change_menus(self._access, wider, person, there)
        applies = await applying(self._access, policy, person)
        if person.outsider:
            return Response(applies)
        show = Button(labels.WHOLE_PROMPT, command_for_scope("prompt show", where))
        return Response(applies, menus=tuple(menus), buttons=(show,))

    async def edit(self, command: Command, place: Scope, person: Person) -> Form:
        """Return the form of a section. Raises Unacceptable and Denied."""
        section = SECTION_BY_NAME.get(command.arguments.get("section", ""))
        if section is None:
            raise Unacceptable(NO_OPTION)
        policy, known = await self._access.about(command, place, person, PROMPT)
        options = within(self._access.offered(policy, known), section, form=True)
        for option in options or [PROMPT]:
            await self._access.require(person, place, policy, option)
        if not options:
            raise Unacceptable(NO_OPTION)
        where = scope_argument(command, policy.place)
        form = await self._forms.of(policy, options, where)
        title = form.title if len(options) == 1 else section.label
        return replace(form, title=title)


def channel_menus(
    access: SettingsAccess, policy: EffectiveSettings, person: Person
) -> tuple[Menu, ...]:
    """Return the menu that opens the page of a channel, for admins of the workspace
    of `policy`."""
    if not access.may(person, policy):
        return ()
    page = Command("settings")
    return (Menu(page, "where", labels.SET_UP_CHANNEL, channels=True),)


def name_of(where: str, place: Scope) -> str:
    """Return the name of the scope `place`, which a command calls `where`."""
    if where.startswith(OTHER):
        return references.channel(place.channel)
    return formatting.here(place.level, place.platform)
