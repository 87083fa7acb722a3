"""Compares the catalog with the models that the API lists for our key."""

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bot.claude.catalog import MODELS, ModelAvailability, find
from bot.claude.client import ClaudeModel, connect
from bot.errors import ConfigError

log = logging.getLogger(__name__)


async def check_models(api_key: str, base_url: str | None) -> ModelAvailability | None:
    """Return the API's report about our models, or None if it cannot be read.

    Never raises: the report is optional.
    """
    try:
        async with connect(api_key, base_url) as model:
            found = await availability(model)
    except ConfigError:
        return None
    if found is None:
        log.warning("models.unknown The list of models could not be read.")
        return None
    log.info(
        "models.surveyed retired=%s unlisted=%s unknown=%s",
        *(
            ",".join(sorted(each)) or "-"
            for each in (found.retired, found.unlisted, found.unknown)
        ),
    )
    return found


async def availability(model: ClaudeModel) -> ModelAvailability | None:
    """Return the API's report about our models, or None if it cannot be read."""
    # A gateway may list malformed entries or dates.
    listed = await model.list_models() or ()
    by_id = {
        (known.id if (known := find(id)) else id): each
        for each in listed
        if isinstance(id := each.get("id"), str)
    }
    if not by_id:
        return None
    ours = {facts.id for facts in MODELS.values() if not facts.restricted}
    days = {name: _day(each.get("retires_at")) for name, each in by_id.items()}
    return ModelAvailability(
        retired=frozenset(
            name for name, each in by_id.items() if each.get("lifecycle") == "retired"
        ),
        unlisted=frozenset(ours - by_id.keys()),
        retires={n: day for n, day in days.items() if day and n in MODELS},
        unknown=tuple(sorted(name for name in by_id if name not in MODELS)),
        images=_supporting("image_input", by_id),
        pdfs=_supporting("pdf_input", by_id),
        code=_supporting("code_execution", by_id),
        compaction=_supporting("compaction", by_id),
    )


def _day(moment: object) -> date | None:
    """Return the day of a timestamp of the API, or None for any other value."""
    try:
        return datetime.fromisoformat(str(moment)).date()
    except ValueError:
        return None


def _supporting(name: str, models: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Return which of `models` have the capability `name`, if the API says so."""
    found = {}
    for model, each in models.items():
        capability = _mapping(_mapping(each.get("capabilities")).get(name))
        if isinstance(supported := capability.get("supported"), bool):
            found[model] = supported
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
