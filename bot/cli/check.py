"""`threadkeep check`: reports which parts are configured, missing or wrong.

Rule: the check is read-only. It creates no file and migrates no database.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click

from bot.claude.catalog import (
    MODELS,
    RETIRES_SOON,
    ModelAvailability,
    find,
)
from bot.claude.key import key_problem
from bot.claude.model_status import ModelStatus
from bot.cli import hosting, reports
from bot.cli.environment import run
from bot.cli.exposed_files import exposures
from bot.cli.platforms import (
    PLATFORMS,
    check_platform,
    configured_platforms,
    load_module,
)
from bot.cli.print_findings import print_findings
from bot.cli.variables import unread
from bot.config import Config, database_problem, load_environment
from bot.domain.finding import Finding, Grade
from bot.errors import ConfigError, InUse
from bot.messages import check as messages
from bot.messages import command_help
from bot.messages.cli import OFFLINE_HELP
from bot.runtime.disk_space import disk_problem
from bot.runtime.env_file import EnvFile
from storage.beside import read_balances
from storage.reading import Where, look_at


@click.command(help=command_help.CHECK)
@click.option("--offline", is_flag=True, help=OFFLINE_HELP)
@click.option("--live", is_flag=True, help=messages.LIVE_HELP)
@click.option("--in", "places", multiple=True, help=messages.IN_HELP)
def check(offline: bool, live: bool, places: Sequence[str]) -> None:
    if offline and live:
        raise ConfigError(messages.LIVE_NEEDS_NETWORK)
    wanted = places if live else None
    sys.exit(run(check_setup(*load_environment(), offline, wanted)))


async def check_claude(settings: Config, *, offline: bool) -> list[Finding]:
    """Check the key and the model, using the API unless `offline`."""
    if settings.api_key is None:
        text = messages.NO_KEY
        return [Finding(messages.CLAUDE, Grade.ABSENT, text)]
    if offline:
        facts = find(settings.model)
        problem = key_problem(settings.api_key)
        key = Finding(messages.CLAUDE_KEY, Grade.GOOD, messages.KEY_SET)
        if problem:
            key = Finding(messages.CLAUDE_KEY, Grade.BAD, problem)
        if facts is None:
            text = messages.model_not_listed(model=settings.model)
            return [key, Finding(messages.CLAUDE_MODEL, Grade.NOTE, text)]
        return [key, _retiring(settings.model, facts.retires)]
    connect = load_module("bot.claude.client").connect
    availability = load_module("bot.claude.model_list").availability
    try:
        async with connect(settings.api_key, settings.base_url) as model:
            found = _findings(await model.examine(settings.model))
            if any(each.grade is Grade.BAD for each in found):
                return found
            return [*found, *_compare_models(await availability(model))]
    except ConfigError as error:
        return [Finding(messages.CLAUDE_KEY, Grade.BAD, str(error))]


def _compare_models(survey: ModelAvailability | None) -> list[Finding]:
    """Return the differences between the API's list of models and ours."""
    if survey is None:
        return []
    found = [
        messages.listed_model_retired(model=name)
        for name in sorted(survey.retired & MODELS.keys())
    ]
    found += [
        messages.listed_model_unavailable(model=name)
        for name in sorted(survey.unlisted)
    ]
    found += [
        messages.model_retires_unlisted(model=name, day=day)
        for name, day in sorted(survey.retires.items())
        if name not in survey.retired and MODELS[name].retires != day
    ]
    found += [messages.model_unknown(model=name) for name in survey.unknown]
    return [Finding(messages.CLAUDE_MODELS, Grade.NOTE, text) for text in found]


def _findings(status: ModelStatus) -> list[Finding]:
    accepted = Finding(messages.CLAUDE_KEY, Grade.GOOD, messages.ACCEPTED)
    if status.standing == "accepted":
        return [accepted, _retiring(status.model, status.retires)]
    if status.standing == "unknown":
        text = messages.of_variable(problem=status.reason, variable="THREADKEEP_MODEL")
        return [accepted, Finding(messages.CLAUDE_MODEL, Grade.BAD, text)]
    unreachable = status.standing == "unreachable"
    subject = messages.CLAUDE if unreachable else messages.CLAUDE_KEY
    return [Finding(subject, Grade.BAD, status.reason)]


def _retiring(model: str, day: date | None) -> Finding:
    if day is None:
        text = messages.model_exists(model=model)
        return Finding(messages.CLAUDE_MODEL, Grade.GOOD, text)
    left = day - datetime.now(UTC).date()
    if left.days < 0:
        text = messages.model_retired(model=model, day=day)
        return Finding(messages.CLAUDE_MODEL, Grade.BAD, text)
    if left <= RETIRES_SOON:
        return Finding(
            messages.CLAUDE_MODEL,
            Grade.NOTE,
            messages.model_retires_soon(model=model, day=day),
        )
    text = messages.model_retires(model=model, day=day)
    return Finding(messages.CLAUDE_MODEL, Grade.GOOD, text)


async def check_setup(
    env: Mapping[str, str],
    env_file: EnvFile,
    offline: bool,
    live: Sequence[str] | None = None,
) -> int:
    """Print all findings; return 1 if any of them is bad.

    Nothing is created, except for test messages if `live` is not None. They are posted
    in the channels of `live`, or else in those of the configuration.
    """
    settings, problems = Config.read(env)
    unknown = unread(env, env_file.lines, settings.mcp.variables)
    notes = [*unknown, *hosting.warnings(env, settings)]
    found = [
        Finding(messages.CONFIGURATION, grade, text)
        for grade, texts in (
            (Grade.BAD, [*env_file.problems, *problems]),
            (Grade.NOTE, notes),
        )
        for text in texts
    ]
    if not database_problem(env):
        found += await asyncio.to_thread(_check_database, settings.database)
        found += exposures(settings.beside)
    found += await check_claude(settings, offline=offline)
    if settings.mcp.servers:
        check_servers = load_module("bot.cli.mcp").check_servers
        found += await check_servers(settings, offline=offline)
    if settings.api_key and configured_platforms(env) and not problems:
        budgets = settings.database, settings.totals, time.time()
        found += reports.total_budgets(await read_balances(*budgets))
    for name in PLATFORMS:
        found += await check_platform(name, env, offline=offline)
    if live is not None and not problems:
        check_live = load_module("bot.cli.live").check_live
        found += await check_live(env, settings, configured_platforms(env), live)
    print_findings(found)
    return 1 if any(each.grade is Grade.BAD for each in found) else 0


def _check_database(at: Where) -> list[Finding]:
    try:
        new = look_at(at)
    except InUse:
        text = messages.database_in_use(path=at)
        return [Finding(messages.DATABASE, Grade.GOOD, text)]
    except ConfigError as error:
        return [Finding(messages.DATABASE, Grade.BAD, str(error))]
    text = messages.database_writable(path=at)
    if new:
        is_there = not isinstance(at, Path) or at.exists()
        created = messages.tables_created if is_there else messages.database_created
        text = created(path=at)
    found = [Finding(messages.DATABASE, Grade.GOOD, text)]
    if isinstance(at, Path) and (problem := disk_problem(at.parent)):
        found.append(Finding(messages.DATABASE, Grade.NOTE, problem))
    return found
