"""What the operator's environment limits, beyond the options that admins can set."""

from bot import readers
from bot.options import Option
from bot.rules import Level

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
        readers.usd("A budget"),
        levels=frozenset({Level.OPERATOR}),
    ),
    Option(
        "budget_total_month",
        "Budget a month in all",
        "What all workspaces together may cost in USD a month (UTC).",
        readers.usd("A budget"),
        levels=frozenset({Level.OPERATOR}),
    ),
)
