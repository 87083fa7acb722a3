"""Limits of the operator's environment that admins cannot change."""

from bot.domain.scope import ScopeLevel
from bot.settings import parsers
from bot.settings.options import Option

#: Options of which the operator's value is a ceiling: a lower value of an admin counts.
#: For all others it is a default.
CEILINGS = frozenset(
    {
        *("budget_day", "budget_month", "person_messages", "person_usd"),
        "triage_budget",
    }
)

#: Values that only the operator sets: no chat shows or changes them.
TOTALS: tuple[Option, ...] = (
    Option(
        "budget_total_day",
        "Budget a day in all",
        "What all workspaces together may cost in USD a day (UTC).",
        parsers.usd("A budget"),
        levels=frozenset({ScopeLevel.OPERATOR}),
    ),
    Option(
        "budget_total_month",
        "Budget a month in all",
        "What all workspaces together may cost in USD a month (UTC).",
        parsers.usd("A budget"),
        levels=frozenset({ScopeLevel.OPERATOR}),
    ),
)
