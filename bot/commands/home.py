"""The bot's own page (Slack's App Home): settings, usage, channels, latest changes."""

from dataclasses import replace

from bot.commands import visibility
from bot.commands.settings_page import SettingsPage, channel_menus
from bot.commands.usage import UsageScreen, details_button
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Setting
from bot.messages import labels, plurals
from bot.messages.commands import HOW_TO_ASK, SET_UP_HERE, more_channels
from bot.ports.settings import SettingsStore
from bot.settings import audit_lines, describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.target import OTHER, command_for_scope
from bot.text import references
from bot.ui import formatting
from bot.ui.elements import Button, Page, Section

# The most channels with settings of their own that are listed: a page holds 100 blocks
# (platform facts A5.4).
MOST_CHANNELS = 20

# The most changes and refusals that are listed; `audit` lists more.
MOST_CHANGES, MOST_REFUSALS = 8, 3


class HomePage:
    """Builds the page that a person sees when they open the bot's own page."""

    def __init__(
        self,
        store: SettingsStore,
        access: SettingsAccess,
        usage: UsageScreen,
        settings: SettingsPage,
    ) -> None:
        self._store = store
        self._access = access
        self._usage = usage
        self._settings = settings

    async def page(self, place: Scope, person: Person) -> Page:
        """Return the page of the workspace `place` for `person`.

        Raises StorageError, and DeliveryError when the platform cannot be asked now.
        """
        policy = await self._access.policy(place)
        if self._access.may(person, policy):
            return await self._admin_page(policy, person)
        # Guests do not see the settings of the whole workspace.
        return Page(
            (
                *(() if person.outsider else await self._applying(policy, person)),
                Section(
                    labels.OWN_USAGE,
                    await self._usage.own(place, person),
                    buttons=(details_button(ScopeLevel.WORKSPACE.value),),
                ),
                Section(labels.HOW_TO_TALK, HOW_TO_ASK),
            )
        )

    async def _applying(
        self, policy: EffectiveSettings, person: Person
    ) -> tuple[Section, ...]:
        """Return a title, and the sections of the settings that apply in the
        workspace."""
        name = formatting.here(ScopeLevel.WORKSPACE, policy.place.platform)
        title = Section(labels.settings_of(where=name), "")
        where = ScopeLevel.WORKSPACE.value
        return (title, *await self._settings.sections(policy, person, where))

    async def _admin_page(self, policy: EffectiveSettings, person: Person) -> Page:
        *settings, rest = await self._applying(policy, person)
        buttons = (*rest.buttons, *_workspace_buttons())
        menus = channel_menus(self._access, policy, person)
        channels = await self._channels(policy.place)
        return Page(
            (
                *settings,
                replace(rest, buttons=buttons),
                Section(labels.CHANNELS, SET_UP_HERE, menus),
                *channels,
                Section(
                    labels.USAGE,
                    await self._usage.by_account(policy),
                    buttons=(details_button(ScopeLevel.WORKSPACE.value),),
                ),
                Section("", await self._latest(policy.place)),
            )
        )

    async def _channels(self, place: Scope) -> list[Section]:
        """Return a section for each channel with settings of its own."""
        by_channel: dict[Scope, list[Setting]] = {}
        for setting in await self._store.list_settings(place):
            direct = self._access.is_direct(setting.place)
            if setting.place.level is ScopeLevel.CHANNEL and not direct:
                by_channel.setdefault(setting.place, []).append(setting)
        sections = []
        for channel, settings in list(by_channel.items())[:MOST_CHANNELS]:
            name = references.channel(channel.channel)
            text = "\n".join(describe.own(setting) for setting in settings)
            page = command_for_scope("settings", f"{OTHER}{channel.channel}")
            button = Button(labels.CHANGE, page)
            sections.append(Section(name, text, (), (button,), apart=False))
        if left := len(by_channel) - len(sections):
            text = more_channels(count=plurals.MORE_CHANNELS(left))
            sections.append(Section(labels.MORE_CHANNELS, text, apart=False))
        return sections

    async def _latest(self, place: Scope) -> str:
        """List the latest changes and refusals in `place`."""
        entries = await self._store.audit(place, 0.0, MOST_CHANGES)
        refused = await self._store.refusals(place, 0.0, MOST_REFUSALS)
        seen = visibility.audit(self._access, entries, place)
        denied = visibility.audit(self._access, refused, place)
        parts = audit_lines.audit(seen, place), audit_lines.refusals(denied, place)
        return "\n".join(filter(None, parts))


def _workspace_buttons() -> tuple[Button, ...]:
    where = ScopeLevel.WORKSPACE.value
    return (
        Button(labels.HISTORY, command_for_scope("prompt history", where)),
        Button(labels.TRY_PROMPT, command_for_scope("prompt try", where)),
        Button(labels.AUDIT, command_for_scope("audit", where)),
    )
