"""Formats amounts of money in settings for people. Pure."""

from bot.messages import phrases
from bot.settings import parsers


def dollars(value: str) -> str:
    """Format the canonical amount `value` for people; "" is no amount, and 0 allows no
    spending."""
    if not value:
        return phrases.NONE
    if not parsers.stored_usd(value):
        return phrases.ZERO_BUDGET
    # Fractions of a cent are shown if they were set.
    _, _, places = value.partition(".")
    return f"${float(value):,.{max(2, len(places))}f}"


def price(value: str) -> str:
    """Format the canonical price `value` for people, or return the word for no
    price."""
    if value == phrases.NEVER:
        return phrases.NEVER
    return dollars(value) if parsers.stored_usd(value) else "$0.00"
