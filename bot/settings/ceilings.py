"""Descriptions of the operator's ceilings. Pure."""

from bot.domain.budget import Budget, BudgetExceeded, Period
from bot.settings.effective import EffectiveSettings
from bot.settings.options import Option

#: What `settings` adds if not everybody may ask.
AUDIENCE = "- **Who may ask at all**: those whom this bot's operator names"


def above(policy: EffectiveSettings, option: Option, value: str | None) -> str:
    """Return a sentence if the operator's ceiling is below `value`, so that it holds
    instead; else ""."""
    ceiling = policy.ceiling(option.name)
    if not value or ceiling is None or float(value) <= float(ceiling.value):
        return ""
    return (
        f"The operator allows {option.show(ceiling.value)} at the most, and that "
        "holds; only the operator can raise it."
    )


def shortfall(short: BudgetExceeded, cap: Budget) -> str:
    """Describe the refusal of a person when the budget over all workspaces, `cap`, is
    used up.

    Its size and what others spent of it are not shown.
    """
    period = "today" if cap.period is Period.DAY else "this month"
    if short.reserved > 0 and short.spent < cap.usd:
        return (
            f"The rest of what this bot may cost in all {period} is set aside for "
            "answers that are being written now. Please ask again in a minute."
        )
    again = "tomorrow" if cap.period is Period.DAY else "next month"
    return (
        f"What this bot may cost in all {period} is used up. I answer again {again} "
        "(UTC), or as soon as the bot's operator raises it."
    )
