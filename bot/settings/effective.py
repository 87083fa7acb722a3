"""The settings that apply in a scope. Pure.

The value of the narrower level wins. A running thread keeps the values that it pinned
when it began, until somebody sets them for that thread or for running threads too.
Values that apply at each level (budgets) are combined instead of replaced.

Rule: no admin can exceed the operator's ceilings. They are applied here, when money is
about to be spent, so it does not matter when or how a larger value was set.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bot.claude.catalog import CAPABLE_MODEL, find
from bot.domain.budget import Budget, BudgetLimits, Period, PersonLimit
from bot.domain.mcp import McpServer
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.served_workspaces import Served
from bot.domain.setting import OPERATOR, AppliedSetting, Setting, StoredSettings
from bot.messages import phrases
from bot.settings.audience import Audience
from bot.settings.misfits import misfits
from bot.settings.operator_limits import CEILINGS
from bot.settings.options import BY_NAME, ON, OPTIONS, sequences
from bot.settings.parsers import AUTO, stored_usd

#: Pinned besides options: why the model of a thread was chosen.
ROUTE = "route"
#: Pinned besides options: the kind of a thread's web tools, and the value for tools
#: that filter their results with code.
WEB_TOOLS = "web_tools"
FILTERING = "filtering"
#: Pinned besides options: the tools of MCP servers that a thread's last request had.
MCP_TOOLS = "mcp_tools"

#: The options that decide how an answer is written.
WRITING = (
    *("prompt", "model", "effort", "max_tokens", "temperature", "stop_sequences"),
    *("web_search", "web_fetch", "mcp"),
)
# Their values are texts of admins, or ids of such texts.
_TEXTS = ("prompt", "stop_sequences")

_PERIODS = {"budget_day": Period.DAY, "budget_month": Period.MONTH}
_TOTALS = {"budget_total_day": Period.DAY, "budget_total_month": Period.MONTH}


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's settings for every workspace."""

    #: Canonical values by option; for the prompt, its text. A missing option has its
    #: own default.
    values: Mapping[str, str] = field(default_factory=dict)
    #: The key that makes ids of people opaque for the API.
    secret: str = field(default="", repr=False)
    #: The people who may change everything, as "platform:ID".
    admins: frozenset[str] = frozenset()
    #: The workspaces in which the bot answers at all.
    served: Served = field(default_factory=Served)
    #: The people who may ask Claude.
    audience: Audience = field(default_factory=Audience)
    #: The remote MCP servers that can be switched on.
    servers: tuple[McpServer, ...] = ()

    @property
    def alone(self) -> "Operator":
        """The settings for a single user, in the terminal."""
        return replace(self, served=Served(), audience=Audience())


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """The value of one option that applies, and its source."""

    name: str
    #: Canonical; for the prompt, the id of its version.
    value: str
    #: The scope in which it was set; the operator's scope for a default.
    place: Scope = field(default_factory=Scope)
    #: The id of the person who set it; "operator" for a default.
    who: str = OPERATOR
    #: Seconds since 1970; 0 for a value of the operator.
    at: float = 0.0
    #: Whether the thread pinned it and the settings around it now differ; and the value
    #: around it, or "".
    kept: bool = False
    around: str = ""
    #: The reason why the model does not use it; "" if it does.
    unused: str = ""


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """All settings that apply in one scope."""

    place: Scope
    applied: Mapping[str, EffectiveValue]
    settings: tuple[Setting, ...] = ()
    #: The operator's values that are not empty.
    defaults: Mapping[str, str] = field(default_factory=dict)
    #: The reason why `auto` chose the model of this thread; "" if it did not.
    route: str = ""
    #: The kind of the thread's web tools; "" for none.
    web_tools: str = ""
    #: The text that one request adds to the prompt (`bot.settings.requested`).
    request: str = ""

    def __getitem__(self, name: str) -> str:
        """Return the canonical value of option `name`; "" for none."""
        return self.applied[name].value

    def on(self, name: str) -> bool:
        """Return True if the option `name` is "on"."""
        return self[name] == ON

    def used(self, name: str) -> str:
        """Return the value of `name` if the model uses it; else ""."""
        return "" if self.applied[name].unused else self[name]

    @property
    def fixed_model(self) -> str:
        """The model; the capable one if the model is chosen for each thread."""
        return CAPABLE_MODEL if self["model"] == AUTO else self["model"]

    @property
    def max_tokens(self) -> int:
        """The maximum length of an answer in tokens, within the limit of the model."""
        facts = find(self["model"])
        wanted = int(self["max_tokens"])
        return min(wanted, facts.max_output) if facts else wanted

    @property
    def temperature(self) -> float | None:
        value = self.used("temperature")
        return float(value) if value else None

    @property
    def file_price(self) -> float:
        """The price in USD above which people are asked before a file is read; infinite
        to never ask."""
        value = self["file_price"]
        return math.inf if value == phrases.NEVER else stored_usd(value)

    @property
    def attach_lines(self) -> float:
        """The most lines of a block in an answer that is not attached as a file."""
        return float(self["attach_lines"]) or math.inf

    @property
    def stop_sequences(self) -> tuple[str, ...]:
        return sequences(self["stop_sequences"])

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts whose pages may be fetched; empty for all."""
        return tuple(self["web_fetch_domains"].split())

    @property
    def writing(self) -> tuple[AppliedSetting, ...]:
        """The values of options that affect how an answer is written, if the model uses
        them, without texts of admins."""
        return tuple(
            AppliedSetting(
                name,
                "" if name in _TEXTS else each.value,
                each.place.level,
                each.who,
                kept=each.kept,
            )
            for name in WRITING
            if (each := self.applied[name]) and not each.unused
        )

    @property
    def caps(self) -> BudgetLimits:
        """The budgets and limits that a question in this scope counts towards."""
        return BudgetLimits(tuple(self._budgets()), tuple(self._people()))

    @property
    def admins(self) -> tuple[tuple[Scope, str], ...]:
        """The people whom admins named as admins, each with the scope."""
        named = (s for s in self.settings if s.name == "admins")
        return tuple((setting.place, setting.value) for setting in named)

    def own(self, name: str) -> Setting | None:
        """Return the value of `name` that is set at exactly this scope."""
        at = (s for s in self.settings if (s.place, s.name) == (self.place, name))
        return next(at, None)

    def everywhere(self, name: str) -> Iterator[EffectiveValue]:
        """Yield the values of an option that applies at each level, narrowest first.
        The operator's value applies in the workspace, in addition to the one set there.
        """
        set_at = {s.place: s for s in self.settings if s.name == name}
        if not (set_at or self.defaults.get(name)):
            return
        for place in self.place.around:
            if setting := set_at.get(place):
                yield EffectiveValue(
                    name, setting.value, setting.place, setting.who, setting.at
                )
            if place.level is ScopeLevel.WORKSPACE and (own := self.defaults.get(name)):
                # The operator's budget applies in each workspace.
                yield EffectiveValue(name, own, place)

    def ceiling(self, name: str) -> EffectiveValue | None:
        """Return the operator's value of option `name` if admins cannot raise it."""
        own = self.defaults.get(name)
        if not own or name not in CEILINGS:
            return None
        return EffectiveValue(name, own, self.place.at(ScopeLevel.WORKSPACE))

    def least(self, name: str) -> EffectiveValue:
        """Return the effective amount of an option whose narrower value replaces wider
        ones: the value that applies, or the operator's ceiling if that is lower."""
        applied, ceiling = self.applied[name], self.ceiling(name)
        if ceiling is None or float(applied.value) < float(ceiling.value):
            return applied
        return ceiling

    def _counting(self, name: str) -> Iterator[EffectiveValue]:
        """Yield the amounts that apply at each level, narrowest first: the lowest of
        each scope, and of two equal ones the operator's."""
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
    """Return the budgets over all workspaces in the operator's `values`."""
    return tuple(
        Budget(EVERYWHERE, period, stored_usd(values[name]), OPERATOR)
        for name, period in _TOTALS.items()
        if values.get(name)
    )


def resolve(
    place: Scope, rules: StoredSettings, defaults: Mapping[str, str]
) -> EffectiveSettings:
    """Return the settings that apply in `place`, from the stored settings `rules` and
    the operator's `defaults` (canonical values by option; a missing option has its own
    default)."""
    values = {option.name: option.default for option in OPTIONS} | dict(defaults)
    applied = {name: _default(name, value) for name, value in values.items()}
    for setting in sorted(rules.settings, key=lambda each: _width(each.place)):
        if setting.name in BY_NAME and setting.place.holds(place):
            applied[setting.name] = EffectiveValue(
                setting.name, setting.value, setting.place, setting.who, setting.at
            )
    for name, value in rules.kept.items():
        now = applied.get(name)
        replaced = name in rules.stale or now is None
        if not replaced and now and now.value != value:
            # A change for running threads marks a pinned value as stale.
            applied[name] = EffectiveValue(
                *(name, value, place, now.who, now.at),
                kept=True,
                around=now.value,
            )
    applied = mark_unused(applied)
    own = {name: value for name, value in defaults.items() if value}
    return EffectiveSettings(
        place,
        applied,
        rules.settings,
        own,
        rules.kept.get(ROUTE, ""),
        rules.kept.get(WEB_TOOLS, ""),
    )


def mark_unused(applied: Mapping[str, EffectiveValue]) -> dict[str, EffectiveValue]:
    """Return `applied` with marks on the values that the model does not use."""
    unused = misfits({name: each.value for name, each in applied.items()})
    return {
        name: each
        if each.unused == unused.get(name, "")
        else replace(each, unused=unused.get(name, ""))
        for name, each in applied.items()
    }


# Cached so that answers in progress share the default values: with a thousand answers,
# each would otherwise hold several copies of all of them.
@lru_cache(maxsize=4 * len(OPTIONS))
def _default(name: str, value: str) -> EffectiveValue:
    return EffectiveValue(name, value)


def _width(place: Scope) -> int:
    return list(ScopeLevel).index(place.level)
