"""Finds values that the model in use does not support, or not for long. Pure."""

from collections.abc import Mapping
from datetime import date

from bot.claude.catalog import MODELS, RETIRES_SOON, find
from bot.messages import plurals
from bot.messages import values as value_messages


def warning(name: str, value: str, today: date, last: date | None = None) -> str:
    """Return a warning for the person who sets `name` to `value`, or "".

    `last` is the model's last day, if the API announced another one than the catalog.
    """
    facts = find(value) if name == "model" else None
    last = last or (facts.retires if facts else None)
    if facts is None or last is None or last - today > RETIRES_SOON:
        return ""
    days = (last - today).days
    return value_messages.model_retires(
        model=facts.id, day=last, left=plurals.DAYS(days)
    )


def misfits(values: Mapping[str, str]) -> dict[str, str]:
    """Return the options whose values the model in `values` does not use as they are,
    each with a sentence that explains why."""
    model = values.get("model", "")
    facts = find(model)
    found: dict[str, str] = {}
    if values.get("effort") and facts is not None and not facts.takes_effort:
        found["effort"] = value_messages.no_effort(model=model)
    if values.get("temperature") and (facts is None or not facts.takes_temperature):
        found["temperature"] = _no_temperature(model)
    longest = int(values.get("max_tokens") or 0)
    if facts is not None and longest > facts.max_output:
        found["max_tokens"] = value_messages.most_output(
            model=model, most=facts.max_output
        )
    return found


def _no_temperature(model: str) -> str:
    taking = ", ".join(f"`{f.id}`" for f in MODELS.values() if f.takes_temperature)
    return value_messages.no_temperature(model=model, models=taking)
