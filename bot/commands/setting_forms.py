"""Forms for changing settings: one option, a section of them, or both budgets.

Rule: a form names the place that it changes. Opened in a thread without a place, it
asks whether to change the thread, its channel or more, and shows the values of the
channel, so that a thread is never changed by accident.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from bot.budgets.past_costs import PastCosts
from bot.commands.catalog import clears
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import OPERATOR
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages import labels, phrases
from bot.messages.commands import NO_OPTION
from bot.ports.settings import SettingsStore
from bot.settings import describe, mcp_choices
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME, Option, sequences
from bot.settings.target import scope_argument
from bot.ui import formatting
from bot.ui.elements import WHERE, Choice, Command, Field, Form, Kind

#: The value of the choice that removes a setting.
INHERIT_CHOICE = "inherit"

_BUDGETS = {
    "budget_day": (messages.USD_A_DAY, labels.A_DAY),
    "budget_month": (messages.USD_A_MONTH, labels.A_MONTH),
}
_UNITS = {
    **{name: unit for name, (unit, _) in _BUDGETS.items()},
    "triage_budget": messages.USD_A_DAY,
    "person_usd": messages.USD_AN_HOUR,
}
_EXAMPLES = {
    "budget_day": "5.00",
    "budget_month": "50.00",
    "person_usd": "0.50",
    "person_messages": "20",
    "max_tokens": "4096",
    "temperature": "0.2",
    "ping": "60",
    "triage_budget": "1.00",
    "file_price": "0.25",
    "attach_lines": "60",
}


class SettingForms:
    """Builds the forms that the command `save` submits."""

    def __init__(
        self,
        store: SettingsStore,
        access: SettingsAccess,
        costs: PastCosts,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._access = access
        self._costs = costs
        self._now = now

    async def option(self, command: Command, place: Scope, person: Person) -> Form:
        """Return the form of the option that `command` names.

        Raises Unacceptable if there is no such option, or Denied.
        """
        option = BY_NAME.get(command.arguments.get("option", ""))
        if option is None:
            raise Unacceptable(NO_OPTION)
        return await self._open(command, place, person, (option,))

    async def budgets(self, command: Command, place: Scope, person: Person) -> Form:
        """Return the form of both budgets. Raises Denied."""
        both = (BY_NAME["budget_day"], BY_NAME["budget_month"])
        return await self._open(command, place, person, both)

    async def _open(
        self, command: Command, place: Scope, person: Person, options: Sequence[Option]
    ) -> Form:
        asks = asks_where(command, place, options[0])
        if asks:
            command = command.having({WHERE: ScopeLevel.CHANNEL.value})
        policy, _ = await self._access.about(command, place, person, options[0])
        await self._access.require(person, place, policy, options[0])
        where = scope_argument(command, policy.place)
        levels = self._levels(policy, options[0], person) if asks else ()
        return await self.of(policy, options, where, levels)

    async def of(
        self,
        policy: EffectiveSettings,
        options: Sequence[Option],
        where: str,
        levels: Sequence[Choice] = (),
    ) -> Form:
        """Return the form of `options` at the place of `policy`, unless the person
        chooses another of `levels`. `where` is that place as the form's command names
        it. The caller checks permissions."""
        place = policy.place
        fields = [await self._field(policy, option) for option in options]
        if (
            any(option.kept for option in options)
            and place.level is not ScopeLevel.THREAD
        ):
            fields.append(_RUNNING)
        if levels:
            fields.insert(0, _where(levels))
        # The newest change in the whole workspace: another level may be chosen.
        newest = await self._store.audit(place.at(ScopeLevel.WORKSPACE), 0.0, 1)
        base = str(newest[0].id if newest else 0)
        save = Command("save", {WHERE: where, "base": base})
        title = options[0].label if len(options) == 1 else labels.BUDGET
        name = self._access.name(place)
        first = messages.form_for_chosen if levels else messages.form_for
        lines = [first(where=name), *await self._context(policy, options)]
        return Form(
            save,
            title[:24],
            tuple(fields),
            about=" ".join(lines),
            place="" if levels else name,
            applies=describe.values(policy, await self._access.prompt(policy), options),
        )

    def _levels(
        self, policy: EffectiveSettings, option: Option, person: Person
    ) -> tuple[Choice, ...]:
        """Return the scopes that the person may choose in a thread, the narrowest
        first."""
        place = policy.place
        channel = labels.HERE_CHANNEL
        if self._access.is_direct(place):
            channel = labels.HERE_DIRECT
        levels = [
            Choice(
                ScopeLevel.THREAD.value, labels.HERE_THREAD, messages.ONE_PLACE_ABOUT
            ),
            Choice(ScopeLevel.CHANNEL.value, channel),
        ]
        wide = place.at(ScopeLevel.WORKSPACE)
        if ScopeLevel.WORKSPACE in option.levels and self._access.may(
            person, policy, wide
        ):
            about = messages.EVERYWHERE_ABOUT
            workspace = ScopeLevel.WORKSPACE.value
            levels.append(Choice(workspace, labels.EVERYWHERE, about))
        return tuple(levels)

    async def _context(
        self, policy: EffectiveSettings, options: Sequence[Option]
    ) -> list[str]:
        """Return what a person should know before changing `options` in the scope of
        `policy`: the meaning of a single option, the spending so far, and the limits of
        wider scopes."""
        lines = [option.about for option in options[:1] if len(options) == 1]
        if any(option.name in _BUDGETS for option in options):
            lines.append(await self._costs.spent(policy.place))
        for option in options:
            lines += _wider(policy, option)
        return [line for line in lines if line]

    async def _field(self, policy: EffectiveSettings, option: Option) -> Field:
        own = policy.own(option.name)
        value = own.value if own else begins_with(policy, option)
        inherited = await self._inherited_value(policy, option)
        if option.versioned:
            version = await self._access.prompt(policy)
            value = version.text or ""
        kind = option.kind
        if kind is Kind.CHOICE:
            today = datetime.fromtimestamp(self._now(), UTC).date()
            choices = (
                Choice(
                    INHERIT_CHOICE,
                    labels.not_set_here(inherited=option.show(inherited))[:75],
                ),
                *self._access.choices(option, policy.place, today),
            )
            known = {choice.value for choice in choices}
            if own and value not in known and option.name == mcp_choices.OPTION:
                # Several servers, which a person can type: the form keeps them.
                choices = (*choices, Choice(value, option.show(value)[:75]))
                if len(value) > mcp_choices.CHOICE_CHARS:
                    choices, kind = (), Kind.LINE
            elif value not in known:
                value = INHERIT_CHOICE
        else:
            choices = ()
        return Field(
            option.name,
            option.label,
            kind,
            field_text(option, value),
            choices=choices,
            most=option.most,
            required=option.versioned,
            hint=_hint(option, inherited),
            placeholder=_EXAMPLES.get(option.name, ""),
        )

    async def _inherited_value(self, policy: EffectiveSettings, option: Option) -> str:
        """Return the value that would apply at the place of `policy` if `option` were
        not set there."""
        wider = policy.place.around[1]
        return (await self._access.policy(wider))[option.name]


def begins_with(policy: EffectiveSettings, option: Option) -> str:
    """Return the initial text of the field of `option` where it is not set: for an
    option with a template, the value that applies, or else the template; otherwise "".
    """
    return (policy[option.name] or option.template) if option.template else ""


def asks_where(command: Command, place: Scope, option: Option) -> bool:
    """Return True if the form of `option`, opened in `place` by `command`, should ask
    for the scope."""
    return (
        place.level is ScopeLevel.THREAD
        and ScopeLevel.THREAD in option.levels
        and not command.arguments.get(WHERE)
    )


def field_text(option: Option, value: str) -> str:
    """Return the canonical `value` as a form's field shows it."""
    if option.name in _UNITS and value:
        cents = f"{float(value):.2f}"
        return cents if float(cents) == float(value) else value
    if option.name != "stop_sequences" or not value:
        return value
    lines = "\n".join(sequences(value))
    # Lines that would be parsed as another value are shown as they are stored.
    return lines if option.read(lines, date.min) == value else value


def changed_values(
    written: Mapping[str, str], policy: EffectiveSettings
) -> dict[str, str]:
    """Return the values of a form that differ from the settings, or all if none does.

    A form of several fields submits all of them. Untouched values are not validated
    again: one may be a channel that only somebody else may name.
    """
    own = {setting.name: setting for setting in map(policy.own, written) if setting}
    found = {}
    for name, value in written.items():
        option, setting = BY_NAME[name], own.get(name)
        now = field_text(option, setting.value) if setting else ""
        inherits = setting is None and (not value.strip() or clears(option, value))
        if option.versioned or not (inherits or value == now):
            found[name] = value
    return found or dict(written)


def _hint(option: Option, inherited: str) -> str:
    """Return the unit of `option`, and the meaning of an empty field."""
    if option.versioned or option.kind is Kind.CHOICE:
        return ""
    if option.each_level and option.kind is Kind.LINE:
        empty = messages.EMPTY_IS_NO_LIMIT
    elif option.kind is Kind.LINE:
        empty = messages.empty_is(value=option.show(inherited))
    else:
        empty = messages.EMPTY_IS_WIDER
    return f"{_UNITS.get(option.name, '')} {empty}".strip()[:100]


def _wider(policy: EffectiveSettings, option: Option) -> Iterator[str]:
    """Yield the values of wider scopes that apply in addition to the value of
    `policy`."""
    if not option.each_level or option.kind is not Kind.LINE:
        return
    for each in policy.everywhere(option.name):
        by_operator = each.who == OPERATOR
        if each.place == policy.place and not by_operator:
            continue
        level = ScopeLevel.OPERATOR if by_operator else each.place.level
        where = formatting.here(level, policy.place.platform)
        if option.name in _BUDGETS:
            yield messages.budget_counts_as_well(
                whose=phrases.possessive(name=where[0].upper() + where[1:]),
                amount=option.show(each.value),
                period=_BUDGETS[option.name][1],
            )
        else:
            yield messages.limit_counts_as_well(
                setting=option.label, where=where, value=option.show(each.value)
            )


def _where(levels: Sequence[Choice]) -> Field:
    return Field(
        *(WHERE, labels.APPLIES_TO, Kind.CHOICE, ScopeLevel.CHANNEL.value),
        choices=tuple(levels),
    )


_RUNNING = Field(
    "running",
    labels.WHICH_THREADS,
    Kind.CHOICE,
    "no",
    choices=(
        Choice("no", labels.NEW_THREADS, labels.NEW_THREADS_ABOUT),
        Choice("yes", labels.ALL_THREADS, labels.ALL_THREADS_ABOUT),
    ),
)
