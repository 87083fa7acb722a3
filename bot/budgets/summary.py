"""Describe budgets, alerts and spending to people. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from bot.claude.catalog import saved
from bot.domain.budget import Alert, Balance, Budget, BudgetExceeded, Period, Spending
from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.domain.setting import OPERATOR
from bot.settings import ceilings
from bot.text import references
from bot.ui.formatting import amount, bar, count, here, usd

# How many rows a list of channels or people shows.
MOST_SPENDERS = 8

#: What a budget or limit of 0 means.
NOTHING = "nothing may be spent"


def beginning(month: str) -> float:
    """Return the start of a month ("2026-11", UTC) in seconds since 1970."""
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp()


def budget(cap: Budget, balance: Balance) -> str:
    """Describe a budget and how much of it is used."""
    period = "today" if cap.period is Period.DAY else "this month"
    reserved = f" (and {usd(balance.reserved)} reserved)" if balance.reserved else ""
    of = usd(cap.usd) if cap.usd > 0 else f"$0.00: {NOTHING}"
    return (
        f"- **{here(cap.place.level).capitalize()}, {period}**: "
        f"{bar(cap.share(balance.spent))} {usd(balance.spent)} of {of}{reserved}"
    )


def alert(alert: Alert) -> str:
    """Return the text for admins when a budget has reached an alert threshold."""
    cap = alert.budget
    period = "today" if cap.period is Period.DAY else "this month"
    place = "the workspace"
    if cap.place.level is ScopeLevel.CHANNEL:
        place = references.channel(cap.place.channel)
    raiser = "`budget` raises it"
    if cap.who == OPERATOR:
        raiser = "this bot's operator can raise it"
    return (
        f"**{alert.share:.0%} of a budget is used up**: {usd(alert.spent)} of "
        f"{usd(cap.usd)} for {period} in {place}. When all of it is, I say so there "
        f"and answer no more; {raiser}."
    )


def shortfall(short: BudgetExceeded, now: float, names: Mapping[str, str]) -> str:
    """Explain why a question is not answered now, and who can change that. `names`
    holds the names of people by id."""
    if short.unpriced:
        return (
            f"What `{short.unpriced}` costs is not known, so the budget here cannot "
            "be kept. Please have an admin choose another model."
        )
    if short.person is not None and 0 in (short.person.messages, short.person.usd):
        return (
            f"One person's limit in {here(short.person.place.level)} is 0: {NOTHING}. "
            "Please have an admin raise it."
        )
    if short.person is not None:
        minutes = max(1, round(((short.until or now) - now) / 60))
        what = (
            count(short.person.messages, "question")
            if short.person.messages is not None
            else f"{usd(short.person.usd or 0)}"
        )
        return (
            "You have used what one person may use in "
            f"{here(short.person.place.level)} within an hour ({what}). Please ask "
            f"again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
        )
    cap = short.budget
    assert cap is not None
    period = "today" if cap.period is Period.DAY else "this month"
    if cap.place.level is ScopeLevel.OPERATOR:
        return ceilings.shortfall(short, cap)
    where = here(cap.place.level)
    if cap.usd <= 0:
        return (
            f"The budget of {where} for {period} is $0.00: {NOTHING}. I answer again "
            f"as soon as {_raiser(cap, names)} raises it."
        )
    if short.reserved > 0 and short.spent < cap.usd:
        return (
            f"The remaining budget of {where} for {period} ({usd(cap.usd)}) is "
            "reserved for answers in progress. Please ask again in a minute."
        )
    again = "tomorrow" if cap.period is Period.DAY else "next month"
    used = f"{usd(short.spent)} of {usd(cap.usd)}"
    if cap.place.level is ScopeLevel.WORKSPACE:
        # The spending of others is hidden from guests and in direct messages.
        used = usd(cap.usd)
    return (
        f"The budget of {where} for {period} is used up ({used}, and this answer could "
        f"cost more than is left). I answer again {again} (UTC), or as soon as "
        f"{_raiser(cap, names)} raises it."
    )


def _raiser(cap: Budget, names: Mapping[str, str]) -> str:
    """Name the people who can raise a budget."""
    if cap.who == OPERATOR:
        return "the bot's operator"
    return f"{names.get(cap.who, cap.who)}, who set it, or another admin"


def spent(title: str, rows: Iterable[Spending], of: float = 0.0) -> str:
    """Return a line with the sum of `rows`, and a bar for its share of `of` USD."""
    answers = unpriced = bounded = 0
    usage, cost, spared = Usage(), 0.0, 0.0
    for row in rows:
        answers += row.turns if row.kind == "answer" else 0
        unpriced += row.unpriced
        bounded += row.bounded
        usage += row.usage
        cost += row.cost
        spared += saved(row.model, row.usage, _noon(row.day))
    drawn = f"{bar(cost / of)} " if of > 0 else ""
    count = f"{answers} answer" if answers == 1 else f"{answers} answers"
    unknown = f" (and {unpriced} of unknown price)" if unpriced else ""
    cached = f", caching saved {usd(spared)}" if spared > 0 else ""
    total = amount(cost, bounded=bounded > 0)
    return (
        f"- **{title}**: {drawn}{total}{unknown} · {count}, "
        f"{usage.prompt:,} tokens read, {usage.output:,} written{cached}"
    )


def grouped(rows: list[Spending], key: Callable[[Spending], str]) -> list[str]:
    """Return a line for each group of `rows`, the most expensive first."""
    groups: dict[str, list[Spending]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    costs = {name: sum(row.cost for row in group) for name, group in groups.items()}
    dearest = sorted(costs, key=lambda name: -costs[name])
    most = max(costs.values(), default=0.0)
    lines = [spent(name, groups[name], most) for name in dearest[:MOST_SPENDERS]]
    if left := len(dearest) - len(lines):
        lines.append(f"- … and {left} more")
    return lines or ["- nobody asked anything"]


def _noon(date: str) -> float:
    return datetime.fromisoformat(f"{date}T12:00:00+00:00").timestamp()
