"""Copies the settings of one channel to another: first shows the changes, then saves
them in one transaction.

Rule 1: a person copies only settings that they may read there and set here. This is
checked before showing and again before saving. Each value is validated as if the person
had typed it.
Rule 2: the saved changes are those that were shown. If either channel has changed in
between, the changes are shown again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands import visibility
from bot.commands.edit_settings import SettingsEditor
from bot.commands.history import PROMPT
from bot.commands.router import Handler
from bot.commands.setting_forms import field_text
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages import labels, phrases
from bot.ports.settings import SettingsStore
from bot.settings import describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import Option
from bot.settings.target import OTHER, number, scope_argument
from bot.text import references
from bot.ui import formatting
from bot.ui.elements import Button, Command, Response, Style


@dataclass(frozen=True, slots=True)
class _Copy:
    """The settings that a person may copy from `source` to the place of `policy`."""

    source: Scope
    policy: EffectiveSettings
    #: Values by option, in the format of a form; only those that differ.
    values: Mapping[str, str]
    #: The changes, with one or more lines for each.
    lines: Sequence[str]
    #: The labels of the settings that the person may not see or set.
    left_out: Sequence[str]
    #: The id of the newest audit entry of both channels.
    newest: int


class SettingsCopier:
    """Handlers of the commands that copy settings."""

    def __init__(
        self, store: SettingsStore, access: SettingsAccess, editor: SettingsEditor
    ) -> None:
        self._store = store
        self._access = access
        self._editor = editor

    def handlers(self) -> Mapping[str, Handler]:
        return {"copy settings": self.show, "copy save": self.save}

    async def show(self, command: Command, place: Scope, person: Person) -> Response:
        """Show the changes that copying would make, with a button that saves them."""
        return self._preview(command, await self._find(command, place, person))

    async def save(self, command: Command, place: Scope, person: Person) -> Response:
        """Save the changes that were shown, or show them again if they differ now."""
        found = await self._find(command, place, person)
        base = number(command, "base")
        if base is None or found.newest > base:
            return self._preview(command, found, note=messages.COPY_CHANGED)
        if not found.values:
            return self._preview(command, found)
        return await self._editor.save_copied(
            found.values, found.policy, place, person, base
        )

    async def _find(self, command: Command, place: Scope, person: Person) -> _Copy:
        """Return the settings that can be copied. Raises Unacceptable, Denied and
        DeliveryError."""
        await self._access.require_insider(person, place)
        policy, known = await self._access.about(command, place, person, PROMPT)
        if policy.place.level is not ScopeLevel.CHANNEL:
            raise Unacceptable(messages.COPY_TO_CHANNEL)
        await self._access.require(person, place, policy, PROMPT)
        channel = command.arguments.get("source", "").removeprefix(OTHER)
        source = Scope(place.platform, place.workspace, channel)
        if not channel or source == policy.place:
            raise Unacceptable(messages.COPY_FROM_ANOTHER)
        there = await self._access.reach(person, place, source)
        await self._access.require_insider(there, source)
        theirs = await self._access.policy(source)
        seen = await visibility.policy(self._access, theirs, there)
        values: dict[str, str] = {}
        lines: list[str] = []
        left_out: list[str] = []
        for option in self._access.known(policy.place):
            theirs_own = theirs.own(option.name)
            if theirs_own is None or ScopeLevel.CHANNEL not in option.levels:
                continue
            hidden = option.names_channel and seen[option.name] != theirs_own.value
            if hidden or not self._access.may_set(known, policy, option):
                left_out.append(option.label)
                continue
            before, after = await self._both(option, policy, theirs)
            if before == after:
                continue
            values[option.name] = field_text(option, after)
            lines += _change(option, before, after)
        newest = [await self._newest(each) for each in (source, policy.place)]
        return _Copy(source, policy, values, lines, left_out, max(newest))

    async def _both(
        self, option: Option, ours: EffectiveSettings, theirs: EffectiveSettings
    ) -> tuple[str | None, str]:
        """Return the own values of `option` here (None if it is not set) and there (""
        if it is not set). The value of a versioned option is its text."""
        found: list[str | None] = []
        for policy in (ours, theirs):
            setting = policy.own(option.name)
            value = setting.value if setting else None
            if setting and option.versioned:
                value = (await self._access.prompt(policy)).text
            found.append(value)
        return found[0], found[1] or ""

    async def _newest(self, place: Scope) -> int:
        entries = await self._store.audit(place, 0.0, 1)
        return entries[0].id if entries else 0

    def _preview(self, command: Command, found: _Copy, note: str = "") -> Response:
        where = scope_argument(command, found.policy.place)
        target = formatting.here(ScopeLevel.CHANNEL, found.policy.place.platform)
        if where.startswith(OTHER):
            target = references.channel(found.policy.place.channel)
        source = references.channel(found.source.channel)
        lines = [note] if note else []
        if found.values:
            lines.append(messages.copy_from(source=source, target=target))
            lines += [*found.lines, "", messages.COPY_KEEPS]
        else:
            lines.append(messages.nothing_to_copy(source=source, target=target))
        if found.left_out:
            names = ", ".join(found.left_out)
            lines.append(messages.copy_left_out(settings=names))
        if not found.values:
            return Response("\n".join(lines))
        given = {
            "where": where,
            "source": found.source.channel,
            "base": str(found.newest),
        }
        button = Button(labels.COPY, Command("copy save", given), Style.PRIMARY)
        return Response("\n".join(lines), buttons=(button,))


def _change(option: Option, before: str | None, after: str) -> list[str]:
    """Describe the change of one option."""
    if option.versioned:
        lines = [f"- **{option.label}**:"]
        return lines + [f"> {line}" for line in formatting.excerpt(after).splitlines()]
    old = phrases.NOT_SET if before is None else describe.format_value(option, before)
    return [f"- **{option.label}**: {old} → {describe.format_value(option, after)}"]
