"""Messages about budgets, limits and spending.

A scope is named as in `bot.messages.phrases`, an amount as "$1.50".
"""

from bot.messages.phrases import NOTHING_MAY_BE_SPENT

NO_BUDGET = "No budget is set for this channel."
PER_DAY_OR_MONTH = "Per day or per month? Say `budget day none` or `budget month none`."
TAKEN_AS_DAILY = (
    "I took that as a budget for each day. For a month, say `budget month` and the "
    "amount."
)
ABOVE_ALL = "**Budgets**"
BY_CHANNEL = "**By channel, this month**"
BY_PERSON = "**By person, this month**"
NOBODY_ASKED = "- nobody asked anything"

RAISED_BY_COMMAND = "`budget` raises it"
RAISED_BY_OPERATOR = "only this bot's operator can raise it"
THE_OPERATOR_RAISES = "the bot's operator"


def setter_or_admin(*, name: str) -> str:
    return f"{name}, who set it, or another admin"


def budget_used(*, share: str, spent: str, budget: str, where: str, by: str) -> str:
    return (
        f"**{share} of a budget is used**: {spent} of {budget} for {where}. At 100% I "
        f"say so there and stop answering; {by}."
    )


def period_in(*, period: str, where: str) -> str:
    return f"{period} in {where}"


def total_used(
    *, share: str, spent: str, budget: str, period: str, variable: str
) -> str:
    return (
        f"**{share} of the budget over all workspaces is used**: {spent} of {budget} "
        f"for {period}. At 100% I stop answering everywhere; to change that, set a "
        f"larger {variable} and restart me."
    )


def price_unknown(*, model: str) -> str:
    return (
        f"The price of `{model}` is not known, so I can't keep the budget here. Please "
        "ask an admin to choose another model."
    )


def person_limit_zero(*, where: str) -> str:
    return (
        f"The limit per person in {where} is 0: {NOTHING_MAY_BE_SPENT}. Please ask an "
        "admin to raise it."
    )


def person_limit_reached(*, limit: str, where: str, wait: str) -> str:
    return (
        f"You've reached the limit of {limit} an hour in {where}. Please try again in "
        f"{wait}."
    )


def budget_zero(*, where: str, period: str, who: str) -> str:
    return (
        f"The budget of {where} for {period} is $0.00: {NOTHING_MAY_BE_SPENT}. I can "
        f"answer again when {who} raises it."
    )


def budget_reserved(*, where: str, period: str, budget: str) -> str:
    return (
        f"The rest of the budget of {where} for {period} ({budget}) is reserved for "
        "answers in progress. Please try again in a minute."
    )


def budget_used_up(*, where: str, period: str, used: str, again: str, who: str) -> str:
    return (
        f"The budget of {where} for {period} does not cover another answer ({used}). I "
        f"can answer again {again} (UTC), or when {who} raises it."
    )


def total_reserved(*, period: str) -> str:
    return (
        f"The rest of this bot's budget for {period} is reserved for answers in "
        "progress. Please try again in a minute."
    )


def total_used_up(*, period: str, again: str) -> str:
    return (
        f"This bot's budget for {period} is used up. I can answer again {again} "
        "(UTC), or when the bot's operator raises it."
    )


def above_ceiling(*, most: str) -> str:
    return (
        f"The operator allows at most {most}, and that applies; only the operator can "
        "raise it."
    )


def spent_of(*, spent: str, budget: str) -> str:
    return f"{spent} of {budget}"


def reserved(*, amount: str) -> str:
    return f" (and {amount} reserved)"


def of_unknown_price(*, count: int) -> str:
    return f" (and {count:,} of unknown price)"


def saved_by_cache(*, amount: str) -> str:
    return f", caching saved {amount}"
