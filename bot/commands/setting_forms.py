"""Forms for changing settings: one option, or both budgets."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.errors import Unacceptable
from bot.messages import labels
from bot.messages.commands import EMPTY_IS_NOT_SET, NO_OPTION
from bot.ports.settings import SettingsStore
from bot.settings import describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME, Option
from bot.settings.target import scope_argument
from bot.ui.elements import Choice, Command, Field, Form, Kind

#: The value of the choice that removes a setting.
INHERIT_CHOICE = "inherit"


class SettingForms:
    """Builds the forms that the verb `save` is sent from."""

    def __init__(
        self,
        store: SettingsStore,
        access: SettingsAccess,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._access = access
        self._now = now

    async def option(self, command: Command, place: Scope, person: Person) -> Form:
        """Return the form of the option that `command` names.

        Raises Unacceptable if there is no such option, and Denied.
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
        policy, _ = await self._access.about(command, place, person, options[0])
        await self._access.require(person, place, policy, options[0])
        return await self.of(policy, options, scope_argument(command, policy.place))

    async def of(
        self, policy: EffectiveSettings, options: Sequence[Option], where: str
    ) -> Form:
        """Return the form of `options` at the place of `policy`, which the command of
        the form names as `where`. Rights are the caller's to check."""
        place = policy.place
        fields = [await self._field(policy, option) for option in options]
        if (
            any(option.kept for option in options)
            and place.level is not ScopeLevel.THREAD
        ):
            fields.append(_RUNNING)
        newest = await self._store.audit(place, 0.0, 1)
        base = str(newest[0].id if newest else 0)
        save = Command("save", {"where": where, "base": base})
        title = options[0].label if len(options) == 1 else labels.BUDGET
        applies = describe.values(policy, await self._access.prompt(policy), options)
        return Form(save, title[:24], tuple(fields), applies=applies)

    async def _field(self, policy: EffectiveSettings, option: Option) -> Field:
        own = policy.own(option.name)
        value = own.value if own else begins_with(policy, option)
        if option.versioned:
            version = await self._access.prompt(policy)
            value = version.text or ""
        if option.kind is Kind.CHOICE:
            inherited = await self._inherited(policy, option)
            today = datetime.fromtimestamp(self._now(), UTC).date()
            choices = (
                Choice(
                    INHERIT_CHOICE,
                    labels.not_set_here(inherited=option.show(inherited))[:75],
                ),
                *option.choices(today),
            )
            known = {choice.value for choice in choices}
            value = value if value in known else INHERIT_CHOICE
        else:
            choices = ()
        return Field(
            option.name,
            option.label,
            option.kind,
            field_text(option, value),
            choices=choices,
            most=option.most,
            required=option.versioned,
            hint="" if option.versioned else EMPTY_IS_NOT_SET,
        )

    async def _inherited(self, policy: EffectiveSettings, option: Option) -> str:
        """Return the value that would apply at the place of `policy` if `option` were
        not set there."""
        wider = policy.place.around[1]
        return (await self._access.policy(wider))[option.name]


def begins_with(policy: EffectiveSettings, option: Option) -> str:
    """Return the text that the field of `option` begins with where none is set: for an
    option with a template what applies, or that."""
    return (policy[option.name] or option.template) if option.template else ""


def field_text(option: Option, value: str) -> str:
    """Return the canonical `value` as a form's field shows it."""
    if option.name == "stop_sequences" and value:
        return "\n".join(option.show(value).replace("`", "").split(", "))
    return value


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
