"""The choices of models in a menu, with their prices."""

from datetime import date

from bot.claude.catalog import ModelFacts
from bot.messages import options as messages
from bot.messages import phrases
from bot.settings import parsers
from bot.settings.parsers import AUTO
from bot.ui.elements import Choice


def model_choices(today: date) -> tuple[Choice, ...]:
    """Return the choices of a menu: `auto`, then the models that everybody may use."""
    offered = [facts for facts in parsers.living(today) if not facts.restricted]
    return (
        Choice(AUTO, "auto", messages.AUTO_ABOUT),
        *(Choice(facts.id, facts.id, _price(facts, today)) for facts in offered),
    )


def _price(facts: ModelFacts, today: date) -> str:
    prices = facts.prices_on(today)
    if prices is None:
        return phrases.PRICE_UNKNOWN
    text = messages.prices(input=f"{prices.input:g}", output=f"{prices.output:g}")
    if not facts.retires:
        return text
    return messages.prices_until(prices=text, day=facts.retires)
