"""Describes budgets, alerts and spending to people. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from bot.claude.catalog import saved
from bot.domain.budget import Alert, Balance, Budget, BudgetExceeded, Period, Spending
from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.domain.setting import OPERATOR
from bot.messages import budgets as messages
from bot.messages import phrases, plurals
from bot.messages.settings import OPERATOR_MOST, set_by
from bot.settings import ceilings
from bot.text import references
from bot.ui.formatting import amount, bar, exact_usd, gauge, here, person, usd

# The most rows in a list of channels or people.
MOST_SPENDERS = 8


def beginning(month: str) -> float:
    """Return the start of a month ("2026-11", UTC) in seconds since 1970."""
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp()


def budget(cap: Budget, balance: Balance) -> str:
    """Describe a budget, and how much of it is used."""
    reserved = (
        messages.reserved(amount=usd(balance.reserved)) if balance.reserved else ""
    )
    of = exact_usd(cap.usd) if cap.usd > 0 else phrases.ZERO_BUDGET
    who = f", {set_by(person=person(cap.who))}"
    if cap.who == OPERATOR:
        who = OPERATOR_MOST
    where = here(cap.place.level, cap.place.platform).capitalize()
    return (
        f"- **{phrases.on_day(scope=where, day=_period(cap))}**: "
        f"{gauge(cap.share(balance.spent))} · "
        f"{messages.spent_of(spent=usd(balance.spent), budget=of)}{reserved}{who}"
    )


def alert(alert: Alert) -> str:
    """Return the text for admins when a budget has reached an alert threshold."""
    cap = alert.budget
    place = here(ScopeLevel.WORKSPACE, cap.place.platform)
    if cap.place.level is ScopeLevel.CHANNEL:
        place = references.channel(cap.place.channel)
    raiser = messages.RAISED_BY_COMMAND
    if cap.who == OPERATOR:
        raiser = messages.RAISED_BY_OPERATOR
    return messages.budget_used(
        share=f"{alert.share:.0%}",
        spent=usd(alert.spent),
        budget=exact_usd(cap.usd),
        where=messages.period_in(period=_period(cap), where=place),
        by=raiser,
    )


def shortfall(short: BudgetExceeded, now: float, names: Mapping[str, str]) -> str:
    """Explain why a question is not answered now, and who can change that. `names` maps
    ids of people to names."""
    if short.unpriced:
        return messages.price_unknown(model=short.unpriced)
    if short.person is not None and 0 in (short.person.messages, short.person.usd):
        return messages.person_limit_zero(
            where=here(short.person.place.level, short.person.place.platform)
        )
    if short.person is not None:
        minutes = max(1, round(((short.until or now) - now) / 60))
        limit = (
            plurals.QUESTIONS(short.person.messages)
            if short.person.messages is not None
            else exact_usd(short.person.usd or 0)
        )
        return messages.person_limit_reached(
            limit=limit,
            where=here(short.person.place.level, short.person.place.platform),
            wait=plurals.MINUTES(minutes),
        )
    cap = short.budget
    assert cap is not None
    period = _period(cap)
    if cap.place.level is ScopeLevel.OPERATOR:
        return ceilings.shortfall(short, cap)
    where = here(cap.place.level, cap.place.platform)
    if cap.usd <= 0:
        return messages.budget_zero(where=where, period=period, who=_raiser(cap, names))
    if short.reserved > 0 and short.spent < cap.usd:
        return messages.budget_reserved(
            where=where, period=period, budget=exact_usd(cap.usd)
        )
    again = phrases.TOMORROW if cap.period is Period.DAY else phrases.NEXT_MONTH
    used = messages.spent_of(spent=usd(short.spent), budget=exact_usd(cap.usd))
    if cap.place.level is ScopeLevel.WORKSPACE:
        # The spending of others is hidden from guests and in direct messages.
        used = exact_usd(cap.usd)
    return messages.budget_used_up(
        where=where, period=period, used=used, again=again, who=_raiser(cap, names)
    )


def _period(cap: Budget) -> str:
    return phrases.TODAY if cap.period is Period.DAY else phrases.THIS_MONTH


def _raiser(cap: Budget, names: Mapping[str, str]) -> str:
    """Name the people who can raise a budget."""
    if cap.who == OPERATOR:
        return messages.THE_OPERATOR_RAISES
    return messages.setter_or_admin(name=names.get(cap.who, cap.who))


def spending_line(
    title: str, rows: Iterable[Spending], of: float = 0.0, *, details: bool = False
) -> str:
    """Return a line with the sum of `rows`, a bar for its share of `of` USD, and with
    `details` the tokens."""
    answers = unpriced = bounded = 0
    usage, cost, spared = Usage(), 0.0, 0.0
    for row in rows:
        answers += row.answers
        unpriced += row.unpriced
        bounded += row.bounded
        usage += row.usage
        cost += row.cost
        spared += saved(row.model, row.usage, _noon(row.day))
    drawn = f"{bar(cost / of)} · " if of > 0 else ""
    unknown = messages.of_unknown_price(count=unpriced) if unpriced else ""
    total = amount(cost, bounded=bounded > 0)
    line = f"- **{title}**: {drawn}{total}{unknown} · {plurals.ANSWERS(answers)}"
    if not details:
        return line
    cached = messages.saved_by_cache(amount=usd(spared)) if spared > 0 else ""
    read = phrases.tokens_read(count=usage.prompt)
    return f"{line}, {read}{phrases.tokens_written(count=usage.output)}{cached}"


def group_lines(
    rows: list[Spending], key: Callable[[Spending], str], *, details: bool = False
) -> list[str]:
    """Return a line like that of `spending_line` for each group of `rows`, the most
    expensive first."""
    groups: dict[str, list[Spending]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    costs = {name: sum(row.cost for row in group) for name, group in groups.items()}
    dearest = sorted(costs, key=lambda name: -costs[name])
    total = sum(costs.values())
    lines = [
        spending_line(name, groups[name], total, details=details)
        for name in dearest[:MOST_SPENDERS]
    ]
    if left := len(dearest) - len(lines):
        lines.append(f"- {phrases.more(count=left)}")
    return lines or [messages.NOBODY_ASKED]


def _noon(date: str) -> float:
    return datetime.fromisoformat(f"{date}T12:00:00+00:00").timestamp()
