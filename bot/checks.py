"""What `threadkeep check` says about Claude, and what a start learns of its models."""

import logging
from datetime import UTC, date, datetime

from bot.catalogue import MODELS, Survey, find
from bot.claude import ClaudeModel, ModelStatus, connect
from bot.errors import ConfigError
from bot.findings import Finding, Grade
from bot.settings import Settings

log = logging.getLogger(__name__)

# How long before its last day a model is worth a word.
SOON_DAYS = 60


async def claude(settings: Settings, *, offline: bool) -> list[Finding]:
    """Look at the key and the model and, unless `offline`, ask the API once."""
    if settings.api_key is None:
        text = (
            "set ANTHROPIC_API_KEY (from console.anthropic.com, API keys); until "
            "then a rehearsal model answers, and says that it is not Claude"
        )
        return [Finding("Claude", Grade.ABSENT, text)]
    if offline:
        facts = find(settings.model)
        key = Finding("Claude key", Grade.GOOD, "is set (not tried)")
        if facts is None:
            text = f"{settings.model} is not in our list, so its cost is unknown"
            return [key, Finding("Claude model", Grade.NOTE, text)]
        return [key, _retiring(settings.model, facts.retires)]
    try:
        async with connect(settings.api_key, settings.base_url) as model:
            told = _told(await model.examine(settings.model))
            if any(each.grade is Grade.BAD for each in told):
                return told
            return [*told, *_compared(await _survey(model))]
    except ConfigError as error:
        return [Finding("Claude key", Grade.BAD, str(error))]


async def survey(api_key: str, base_url: str | None) -> Survey | None:
    """What the API says of the models that we know; None if it does not say.

    Never raises: nothing waits for it, and everything goes on without it.
    """
    try:
        async with connect(api_key, base_url) as model:
            found = await _survey(model)
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


async def _survey(model: ClaudeModel) -> Survey | None:
    # A gateway may list what is no model, or a day that is none.
    listed = [
        each
        for each in await model.list_models() or ()
        if isinstance(getattr(each, "id", None), str)
    ]
    if not listed:
        return None
    by_id = {
        (known.id if (known := find(each.id)) else each.id): each for each in listed
    }
    ours = {facts.id for facts in MODELS.values() if not facts.restricted}
    days = {
        name: each.retires_at.date()
        for name, each in by_id.items()
        if isinstance(each.retires_at, datetime)
    }
    return Survey(
        retired=frozenset(
            name
            for name, each in by_id.items()
            if getattr(each, "lifecycle", "") == "retired"
        ),
        unlisted=frozenset(ours - by_id.keys()),
        retires={n: day for n, day in days.items() if n in MODELS},
        unknown=tuple(sorted(name for name in by_id if name not in MODELS)),
    )


def _undated(model: str) -> str:
    facts = find(model)
    return facts.id if facts else model


def _compared(survey: Survey | None) -> list[Finding]:
    """What differs between the API's list of models and ours."""
    if survey is None:
        return []
    found = [f"{name} was retired" for name in sorted(survey.retired & MODELS.keys())]
    found += [
        f"{name} is not available to this key" for name in sorted(survey.unlisted)
    ]
    found += [
        f"{name} retires on {day}, which our list does not say"
        for name, day in sorted(survey.retires.items())
        if name not in survey.retired and MODELS[name].retires != day
    ]
    found += [
        f"{name} is not in our list: it can be set in the environment alone, and its "
        "cost is unknown"
        for name in survey.unknown
    ]
    return [Finding("Claude models", Grade.NOTE, text) for text in found]


def _told(status: ModelStatus) -> list[Finding]:
    accepted = Finding("Claude key", Grade.GOOD, "accepted")
    if status.standing == "accepted":
        return [accepted, _retiring(status.model, status.retires)]
    if status.standing == "unknown":
        text = f"{status.reason} (THREADKEEP_MODEL)"
        return [accepted, Finding("Claude model", Grade.BAD, text)]
    return [Finding("Claude key", Grade.BAD, status.reason)]


def _retiring(model: str, day: date | None) -> Finding:
    if day is None:
        text = f"{model} exists; no last day is announced"
        return Finding("Claude model", Grade.GOOD, text)
    left = (day - datetime.now(UTC).date()).days
    if left < 0:
        text = f"{model} was retired on {day}: set THREADKEEP_MODEL to another"
        return Finding("Claude model", Grade.BAD, text)
    text = f"{model} exists and retires on {day}"
    if left <= SOON_DAYS:
        return Finding("Claude model", Grade.NOTE, f"{text}: choose another soon")
    return Finding("Claude model", Grade.GOOD, text)
