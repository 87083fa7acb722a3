"""Describes the operator's ceilings. Pure."""

from bot.domain.budget import Budget, BudgetExceeded, Period
from bot.messages import budgets as messages
from bot.messages import phrases
from bot.settings.effective import EffectiveSettings
from bot.settings.options import Option


def above(policy: EffectiveSettings, option: Option, value: str | None) -> str:
    """Return a sentence if the operator's ceiling is below `value`, and so applies
    instead; else ""."""
    ceiling = policy.ceiling(option.name)
    if not value or ceiling is None or float(value) <= float(ceiling.value):
        return ""
    return messages.above_ceiling(most=option.show(ceiling.value))


def shortfall(short: BudgetExceeded, cap: Budget) -> str:
    """Describe a refusal because the budget over all workspaces, `cap`, is used up.

    The amount of the budget and the spending of others are not shown.
    """
    period = phrases.TODAY if cap.period is Period.DAY else phrases.THIS_MONTH
    if short.reserved > 0 and short.spent < cap.usd:
        return messages.total_reserved(period=period)
    again = phrases.TOMORROW if cap.period is Period.DAY else phrases.NEXT_MONTH
    return messages.total_used_up(period=period, again=again)
