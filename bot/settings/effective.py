"""Says which settings apply at a place, and why. Pure.

The narrower level wins, and a running thread keeps what it began with until somebody
sets it for that thread, or for running threads, too. What counts at each level by
itself (budgets) is not replaced but added up.

Rule: no admin passes the operator's ceilings. They are applied here, when money is
about to be spent, so it does not matter when or how something larger was set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot.claude.catalog import find
from bot.domain.budget import Budget, BudgetLimits, Period, PersonLimit
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.served_workspaces import Served
from bot.domain.setting import OPERATOR, Setting, StoredSettings
from bot.settings.audience import Audience
from bot.settings.operator_limits import CEILINGS
from bot.settings.options import BY_NAME, ON, OPTIONS, misfits, sequences
from bot.settings.parsers import stored_usd

#: What a thread keeps beside options: why its model was chosen.
ROUTE = "route"

_PERIODS = {"budget_day": Period.DAY, "budget_month": Period.MONTH}
_TOTALS = {"budget_total_day": Period.DAY, "budget_total_month": Period.MONTH}


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator says for every workspace."""

    #: Canonical values by option, of the prompt its text; what is missing is the
    #: option's own default.
    values: Mapping[str, str] = field(default_factory=dict)
    #: Makes ids of people opaque to the model's side.
    secret: str = field(default="", repr=False)
    #: Who may change everything, as "platform:ID".
    admins: frozenset[str] = frozenset()
    #: In which workspaces it answers at all.
    served: Served = field(default_factory=Served)
    #: Who may have Claude asked at all.
    audience: Audience = field(default_factory=Audience)

    @property
    def alone(self) -> "Operator":
        """The same where there is nobody but the operator: in the terminal."""
        return replace(self, served=Served(), audience=Audience())


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One option's value as it applies, and where that comes from."""

    name: str
    #: Canonical; of the prompt, the id of its version.
    value: str
    #: Where it was set; the operator's place also for what nobody set.
    place: Scope = field(default_factory=Scope)
    #: Who set it; "operator" also for what nobody set.
    who: str = OPERATOR
    #: Seconds since 1970; 0 for what the operator set.
    at: float = 0.0
    #: Whether it applies because the thread keeps what it began with, though by now
    #: something else is set around it.
    kept: bool = False
    #: Why the model does not take it; "" if it does.
    unused: str = ""


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """All that applies at one place."""

    place: Scope
    applied: Mapping[str, EffectiveValue]
    settings: tuple[Setting, ...] = ()
    #: The operator's own values that are not empty.
    defaults: Mapping[str, str] = field(default_factory=dict)
    #: Why `auto` chose the model of this thread; "" where it did not.
    route: str = ""

    def __getitem__(self, name: str) -> str:
        """The canonical value of option `name`; "" for none."""
        return self.applied[name].value

    def on(self, name: str) -> bool:
        """Whether the switch `name` is on."""
        return self[name] == ON

    def used(self, name: str) -> str:
        """The value of `name` if the model takes it; else ""."""
        return "" if self.applied[name].unused else self[name]

    @property
    def max_tokens(self) -> int:
        """The longest answer, as far as the model can write that much."""
        facts = find(self["model"])
        wanted = int(self["max_tokens"])
        return min(wanted, facts.max_output) if facts else wanted

    @property
    def temperature(self) -> float | None:
        value = self.used("temperature")
        return float(value) if value else None

    @property
    def stop_sequences(self) -> tuple[str, ...]:
        return sequences(self["stop_sequences"])

    @property
    def caps(self) -> BudgetLimits:
        """Every budget and limit that a question asked here counts on."""
        return BudgetLimits(tuple(self._budgets()), tuple(self._people()))

    @property
    def admins(self) -> tuple[tuple[Scope, str], ...]:
        """Whom admins named as admins, with where."""
        named = (s for s in self.settings if s.name == "admins")
        return tuple((setting.place, setting.value) for setting in named)

    def own(self, name: str) -> Setting | None:
        """What is set for `name` at this very place."""
        at = (s for s in self.settings if (s.place, s.name) == (self.place, name))
        return next(at, None)

    def everywhere(self, name: str) -> Iterator[EffectiveValue]:
        """Each level's own value of an option that counts at each, narrowest first.
        The operator's counts in the workspace, besides what is set there."""
        for place in self.place.around:
            setting = next(
                (s for s in self.settings if (s.place, s.name) == (place, name)), None
            )
            if setting is not None:
                yield EffectiveValue(
                    name, setting.value, setting.place, setting.who, setting.at
                )
            if place.level is ScopeLevel.WORKSPACE and (own := self.defaults.get(name)):
                # The operator's budget is one for each workspace.
                yield EffectiveValue(name, own, place)

    def ceiling(self, name: str) -> EffectiveValue | None:
        """The operator's own value of option `name`, if admins cannot raise it."""
        own = self.defaults.get(name)
        if not own or name not in CEILINGS:
            return None
        return EffectiveValue(name, own, self.place.at(ScopeLevel.WORKSPACE))

    def least(self, name: str) -> EffectiveValue:
        """What counts of an amount that a narrower level replaces: what applies, or
        the operator's ceiling if that is not more."""
        applied, ceiling = self.applied[name], self.ceiling(name)
        if ceiling is None or float(applied.value) < float(ceiling.value):
            return applied
        return ceiling

    def _counting(self, name: str) -> Iterator[EffectiveValue]:
        """What counts of an amount that is limited at each level, narrowest first: at
        each place the least, and of two that are equal the operator's."""
        least: dict[Scope, EffectiveValue] = {}
        for each in self.everywhere(name):
            known = least.get(each.place)
            if known is None or float(each.value) <= float(known.value):
                least[each.place] = each
        yield from least.values()

    def _budgets(self) -> Iterator[Budget]:
        for name, period in _PERIODS.items():
            for each in self._counting(name):
                yield Budget(each.place, period, stored_usd(each.value), each.who)
        yield from totals(self.defaults)

    def _people(self) -> Iterator[PersonLimit]:
        for each in self._counting("person_messages"):
            yield PersonLimit(each.place, messages=int(each.value))
        for each in self._counting("person_usd"):
            yield PersonLimit(each.place, usd=stored_usd(each.value))


def totals(values: Mapping[str, str]) -> tuple[Budget, ...]:
    """What all workspaces together may cost, of the operator's `values`."""
    return tuple(
        Budget(EVERYWHERE, period, stored_usd(values[name]), OPERATOR)
        for name, period in _TOTALS.items()
        if values.get(name)
    )


def resolve(
    place: Scope, rules: StoredSettings, defaults: Mapping[str, str]
) -> EffectiveSettings:
    """What applies at `place`, where `rules` were set and the operator set
    `defaults` (canonical values by option; what is missing is the option's own)."""
    values = {option.name: option.default for option in OPTIONS} | dict(defaults)
    applied = {name: EffectiveValue(name, value) for name, value in values.items()}
    for setting in sorted(rules.settings, key=lambda each: _width(each.place)):
        if setting.name in BY_NAME and setting.place.holds(place):
            applied[setting.name] = EffectiveValue(
                setting.name, setting.value, setting.place, setting.who, setting.at
            )
    for name, value in rules.kept.items():
        now = applied.get(name)
        replaced = name in rules.stale or now is None
        if not replaced and now and now.value != value:
            # A thread's own setting is made stale by whoever sets it.
            applied[name] = EffectiveValue(
                name, value, place, now.who, now.at, kept=True
            )
    _judge(applied)
    own = {name: value for name, value in defaults.items() if value}
    return EffectiveSettings(
        place, applied, rules.settings, own, rules.kept.get(ROUTE, "")
    )


def _judge(applied: dict[str, EffectiveValue]) -> None:
    """Mark what the model does not take."""
    values = {name: each.value for name, each in applied.items()}
    for name, why in misfits(values).items():
        applied[name] = replace(applied[name], unused=why)


def _width(place: Scope) -> int:
    return list(ScopeLevel).index(place.level)
