"""Estimates the cost of past answers with another model or setting. Pure.

Rule: the tokens are priced as they were used. Another model would count and write other
tokens, and cache other prompts, so the result is an estimate. A cost that the ledger
cannot give is reported as unknown.
"""

from collections.abc import Sequence

from bot.claude.catalog import CAPABLE_MODEL, CHEAP_MODEL, SEARCH_PRICE, cost
from bot.domain.budget import PastCall
from bot.messages import plurals
from bot.messages import what_if as messages
from bot.ui.formatting import exact_usd, usd


def with_model(answers: Sequence[PastCall], model: str, at: float) -> str:
    """Describe the cost of `answers` with `model` at the prices of `at`.

    "" if a price is unknown.
    """
    total = _total(answers, model, at)
    if total is None:
        return ""
    return messages.with_model(
        answers=_answers(answers), would=usd(total), did=usd(_cost(answers))
    )


def with_auto(answers: Sequence[PastCall], at: float) -> str:
    """Describe the range of the cost of `answers` with the models of `auto`.

    "" if a price is unknown.
    """
    cheap, capable = (_total(answers, m, at) for m in (CHEAP_MODEL, CAPABLE_MODEL))
    if cheap is None or capable is None:
        return ""
    return messages.with_auto(
        answers=_answers(answers),
        least=usd(min(cheap, capable)),
        most=usd(max(cheap, capable)),
        did=usd(_cost(answers)),
    )


def with_effort(answers: Sequence[PastCall]) -> str:
    """Describe the cost of `answers`.

    The cost with another effort is unknown, because the amount of text would differ.
    """
    return messages.with_effort(answers=_answers(answers), did=usd(_cost(answers)))


def with_search(answers: Sequence[PastCall], *, on: bool) -> str:
    """Describe the cost of web searches for `answers`.

    If `on`, this is the cost that searches would have added; else, the cost they had.
    """
    searches = sum(each.usage.searches for each in answers)
    if on:
        return messages.with_search(
            answers=_answers(answers),
            added=usd(len(answers) * SEARCH_PRICE),
            did=usd(_cost(answers)),
        )
    return messages.without_search(
        answers=_answers(answers),
        searches=plurals.TIMES(searches),
        cost=usd(searches * SEARCH_PRICE),
    )


def with_triage(calls: Sequence[PastCall]) -> str:
    """Describe the cost of triage for each new message.

    It is the average over the messages that `calls` classified.
    """
    return messages.with_triage(
        # The price of one message, which people multiply.
        calls=plurals.MESSAGES(len(calls)),
        each=exact_usd(_cost(calls) / len(calls)),
    )


def _total(answers: Sequence[PastCall], model: str, at: float) -> float | None:
    costs = [cost(model, each.usage, at) for each in answers]
    known = [each for each in costs if each is not None]
    return sum(known) if len(known) == len(costs) else None


def _cost(calls: Sequence[PastCall]) -> float:
    return sum(each.cost for each in calls)


def _answers(answers: Sequence[PastCall]) -> str:
    return messages.ANSWER if len(answers) == 1 else plurals.ANSWERS(len(answers))
