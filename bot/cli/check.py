"""`threadkeep check`: report what is configured, missing and wrong."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime

from bot.claude.catalog import MODELS, RETIRES_SOON, ModelAvailability, find
from bot.claude.client import ModelStatus, connect
from bot.claude.model_list import availability
from bot.cli import reports
from bot.cli.exposed_files import exposures
from bot.cli.platforms import PLATFORMS, configured_platforms, load_module
from bot.config import Config
from bot.domain.finding import Finding, Grade
from bot.errors import ConfigError, InUse
from bot.runtime import terminal
from storage.store import open_store, read_balances


async def check_claude(settings: Config, *, offline: bool) -> list[Finding]:
    """Check the key and the model; unless `offline`, with the API."""
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
            found = _findings(await model.examine(settings.model))
            if any(each.grade is Grade.BAD for each in found):
                return found
            return [*found, *_compared(await availability(model))]
    except ConfigError as error:
        return [Finding("Claude key", Grade.BAD, str(error))]


def _compared(survey: ModelAvailability | None) -> list[Finding]:
    """Return the differences between the API's list of models and ours."""
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


def _findings(status: ModelStatus) -> list[Finding]:
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
    left = day - datetime.now(UTC).date()
    if left.days < 0:
        text = f"{model} was retired on {day}: set THREADKEEP_MODEL to another"
        return Finding("Claude model", Grade.BAD, text)
    text = f"{model} exists and retires on {day}"
    if left <= RETIRES_SOON:
        return Finding("Claude model", Grade.NOTE, f"{text}: choose another soon")
    return Finding("Claude model", Grade.GOOD, text)


async def check_setup(env: Mapping[str, str], offline: bool) -> int:
    """Print all findings; return 1 if one of them is bad."""
    found: list[Finding] = []
    try:
        settings = Config.from_env(env)
    except ConfigError as error:
        found.append(Finding("Settings", Grade.BAD, str(error)))
    else:
        found.append(await _check_database(settings))
        found += exposures(settings.database)
        found += await check_claude(settings, offline=offline)
        if settings.api_key and configured_platforms(env):
            budgets = settings.database, settings.totals, time.time()
            found += reports.total_budgets(await read_balances(*budgets))
    for name in PLATFORMS:
        check = load_module(f"adapters.{name}.check").check
        found += await check(env, offline=offline)
    terminal.console().print(reports.findings(found))
    return 1 if any(each.grade is Grade.BAD for each in found) else 0


async def _check_database(settings: Config) -> Finding:
    path = settings.database
    try:
        async with open_store(path) as store:
            await store.open_threads()
    except InUse:
        text = f"{path} is in use by a running threadkeep"
        return Finding("Database", Grade.GOOD, text)
    except ConfigError as error:
        return Finding("Database", Grade.BAD, str(error))
    return Finding("Database", Grade.GOOD, f"{path} can be written")
