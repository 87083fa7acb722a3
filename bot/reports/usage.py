"""Groups usage, and computes the pace at which budgets are spent. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from bot.claude.catalog import day_of, find, saved
from bot.domain.budget import Budget, Period, Spending
from bot.domain.completion import Usage
from bot.domain.reports import UsageKey, UsageRow
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import OPERATOR, Setting
from bot.reports.labels import Labels
from bot.settings.options import BY_NAME

#: The value by which each key groups usage.
_KEYS: Mapping[UsageKey, Callable[[Spending], str]] = {
    UsageKey.DAY: lambda row: row.day,
    UsageKey.CHANNEL: lambda row: _channel(row.place),
    UsageKey.PERSON: lambda row: _person(row),
    UsageKey.MODEL: lambda row: row.model or "?",
    UsageKey.THREAD: lambda row: str(row.place),
}
#: The columns that each key needs, besides day, model and kind.
PARTS: Mapping[UsageKey, tuple[str, ...]] = {
    UsageKey.DAY: (),
    UsageKey.CHANNEL: ("platform", "workspace", "channel"),
    # A name belongs to a workspace.
    UsageKey.PERSON: ("platform", "workspace", "person"),
    UsageKey.MODEL: (),
    UsageKey.THREAD: ("platform", "workspace", "channel", "thread"),
}
# The names of these values, and the labels, which are different for values that have
# the same name.
_NAMES: Mapping[UsageKey, Callable[[Labels, Spending], str]] = {
    UsageKey.CHANNEL: lambda labels, row: labels.place_name(row.place),
    UsageKey.PERSON: lambda labels, row: labels.person_name(row.place, row.person),
    UsageKey.THREAD: lambda labels, row: labels.place_name(row.place),
}
_LABELS: Mapping[UsageKey, Callable[[Labels, Spending], str]] = {
    UsageKey.CHANNEL: lambda labels, row: labels.place(
        row.place.at(ScopeLevel.CHANNEL)
    ),
    UsageKey.PERSON: lambda labels, row: labels.person(row.place, row.person),
    UsageKey.THREAD: lambda labels, row: labels.place(row.place),
}
# A budget's period as it is set in the chat.
_PERIODS = {"budget_day": Period.DAY, "budget_month": Period.MONTH}

# The smallest share of a period that a pace is computed from: of a day, a quarter of an
# hour.
LEAST_PASSED = 0.01


@dataclass(slots=True)
class _Sum:
    row: Spending
    calls: int = 0
    answers: int = 0
    cost: float = 0.0
    unpriced: int = 0
    bounded: int = 0
    #: By model and tariff: the usage, the calls, and a time at which the tariff
    #: applied.
    used: dict[tuple[str, date | None], tuple[Usage, int, float]] = field(
        default_factory=dict
    )

    def add(self, row: Spending) -> None:
        self.calls += row.turns
        self.answers += row.answers
        self.cost += row.cost
        self.unpriced += row.unpriced
        self.bounded += row.bounded
        tariff, noon = _tariff(row.model, row.day)
        usage, calls, _ = self.used.get((row.model, tariff), (Usage(), 0, 0.0))
        self.used[row.model, tariff] = usage + row.usage, calls + row.turns, noon

    @property
    def usage(self) -> Usage:
        return sum((usage for usage, _, _ in self.used.values()), Usage())

    @property
    def saved(self) -> float:
        return sum(
            saved(model, usage, noon, calls)
            for (model, _), (usage, calls, noon) in self.used.items()
        )


@lru_cache(10_000)
def _tariff(model: str, day: str) -> tuple[date | None, float]:
    """Return the first day of the tariff of `model` on `day`, and the time of noon that
    day."""
    noon = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
    facts = find(model)
    tariff = facts.tariff_on(day_of(noon)) if facts else None
    return (tariff.since if tariff else None), noon


def group(
    rows: Iterable[Spending], by: Sequence[UsageKey], labels: Labels | None = None
) -> list[UsageRow]:
    """Return usage in groups: sorted by day if that is the first key, otherwise by
    cost, the most expensive first. Without `labels`, groups have no names."""
    sums: dict[tuple[str, ...], _Sum] = {}
    for row in rows:
        keys = tuple(_KEYS[key](row) for key in by)
        found = sums.get(keys)
        if found is None:
            found = sums[keys] = _Sum(row)
        found.add(row)
    if by[:1] == [UsageKey.DAY] or by[:1] == (UsageKey.DAY,):
        order = sorted(sums.items(), key=lambda item: (item[0][0], -item[1].cost))
    else:
        order = sorted(sums.items(), key=lambda item: (-item[1].cost, item[0]))
    return [
        UsageRow(
            keys=keys,
            names=_row_names(each.row, by, labels, _NAMES),
            labels=_row_names(each.row, by, labels, _LABELS),
            calls=each.calls,
            answers=each.answers,
            usage=each.usage,
            cost=each.cost,
            saved=each.saved,
            unpriced=each.unpriced,
            bounded=each.bounded,
        )
        for keys, each in order
    ]


def total(rows: Iterable[UsageRow]) -> UsageRow:
    """Return the sum of `rows`, without keys."""
    found = list(rows)
    usage = Usage()
    for each in found:
        usage += each.usage
    return UsageRow(
        *((), (), ()),
        calls=sum(each.calls for each in found),
        answers=sum(each.answers for each in found),
        usage=usage,
        cost=sum(each.cost for each in found),
        saved=sum(each.saved for each in found),
        unpriced=sum(each.unpriced for each in found),
        bounded=sum(each.bounded for each in found),
    )


def budgets(
    settings: Iterable[Setting], values: Mapping[str, str], workspaces: Iterable[Scope]
) -> list[Budget]:
    """Return the budgets that admins set, and those in the operator's `values` for each
    of `workspaces`."""
    found = [
        Budget(each.place, _PERIODS[each.name], float(each.value), each.who)
        for each in settings
        if each.name in _PERIODS and each.value != BY_NAME[each.name].default
    ]
    for place in workspaces:
        found += [
            Budget(place, period, float(values[name]), OPERATOR)
            for name, period in _PERIODS.items()
            if values.get(name)
        ]
    return found


def share_passed(period: Period, now: float) -> float:
    """Return the share of the current `period` that has passed at `now`, above 0."""
    begin = period.begin(now)
    moment = datetime.fromtimestamp(begin, UTC)
    if period is Period.DAY:
        end = begin + 86_400.0
    else:
        year, month = divmod(moment.month, 12)
        end = moment.replace(year=moment.year + year, month=month + 1).timestamp()
    return max(LEAST_PASSED, (now - begin) / (end - begin))


def _row_names(
    row: Spending,
    by: Sequence[UsageKey],
    labels: Labels | None,
    names: Mapping[UsageKey, Callable[[Labels, Spending], str]],
) -> tuple[str, ...]:
    if labels is None:
        return ("",) * len(by)
    return tuple(names[key](labels, row) if key in names else "" for key in by)


def _channel(place: Scope) -> str:
    # The operator's own calls belong to no channel.
    if place.level is ScopeLevel.OPERATOR:
        return OPERATOR
    return f"{place.platform}:{place.workspace}:{place.channel}"


def _person(row: Spending) -> str:
    if row.place.level is ScopeLevel.OPERATOR:
        return OPERATOR
    return f"{row.place.platform}:{row.person or '?'}"
