"""What the operator's environment limits, beyond the options that admins can set."""

from bot.domain.scope import ScopeLevel
from bot.settings import parsers
from bot.settings.options import Option

#: Options of which the operator's own value is a ceiling: what admins set counts as far
#: as it is less. Of all others the operator's value is a default.
CEILINGS = frozenset(
    {
        *("budget_day", "budget_month", "person_messages", "person_usd"),
        "triage_budget",
    }
)

#: What the operator alone sets: no chat shows or changes it.
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
