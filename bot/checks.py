"""What `threadkeep check` says about Claude."""

from datetime import UTC, date, datetime

from bot.catalogue import find
from bot.claude import ModelStatus, connect
from bot.errors import ConfigError
from bot.settings import Settings
from bot.values import Finding, Grade

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
            return _told(await model.examine(settings.model))
    except ConfigError as error:
        return [Finding("Claude key", Grade.BAD, str(error))]


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
