"""Limits that the operator sets in the environment, and that admins cannot change."""

from bot.domain.scope import ScopeLevel
from bot.messages import options as messages
from bot.messages.values import A_BUDGET
from bot.settings import parsers
from bot.settings.options import Option

#: Options whose operator value is a ceiling: an admin's value applies only if it is
#: lower. For all other options it is a default.
CEILINGS = frozenset(
    {
        *("budget_day", "budget_month", "person_messages", "person_usd"),
        "triage_budget",
    }
)

#: Options that only the operator sets: no chat shows or changes them.
TOTALS: tuple[Option, ...] = (
    Option(
        "budget_total_day",
        messages.TOTAL_DAY,
        messages.TOTAL_DAY_ABOUT,
        parsers.usd(A_BUDGET),
        levels=frozenset({ScopeLevel.OPERATOR}),
    ),
    Option(
        "budget_total_month",
        messages.TOTAL_MONTH,
        messages.TOTAL_MONTH_ABOUT,
        parsers.usd(A_BUDGET),
        levels=frozenset({ScopeLevel.OPERATOR}),
    ),
)
