"""The command line, and the one place where the parts are chosen.

Only this file loads an adapter; a store is named here and in `bot.triage.commands`.
"""

import asyncio
import contextlib
import importlib
import logging
import signal
import sys
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from datetime import UTC, datetime
from typing import Any

import click

from bot import logs, printing, report
from bot.app import App
from bot.catalogue import Survey
from bot.commandline import console, environment, plain, run
from bot.errors import ConfigError, InUse
from bot.findings import Finding, Grade
from bot.permissions import exposures
from bot.ports import Adapter, Model
from bot.rehearsal import RehearsalModel
from bot.rules import Place
from bot.settings import Settings
from storage.sqlite import (
    open_rulebook,
    open_store,
    read_balances,
    read_opinions,
    read_spending,
)

log = logging.getLogger(__name__)

# Each is a package under adapters/ with the modules config, adapter and check.
PLATFORMS = ("slack", "discord")
# Where people talk when no platform is set up.
TERMINAL = "adapters.terminal.adapter"

# Commands that are kept with what they do: what they import takes time.
ELSEWHERE = {
    "triage": "bot.triage.commands",
    "settings": "bot.exchange",
    "backup": "bot.exchange",
}


class _Group(click.Group):
    """A group some of whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in ELSEWHERE:
            found: click.Command = getattr(_load(ELSEWHERE[name]), name)
            return found
        return super().get_command(ctx, name)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="threadkeep")
def main() -> None:
    """Claude in your team's threads, remembered in SQLite."""


@main.command()
def serve() -> None:
    """Answer until stopped; in the terminal, if no platform is set up."""
    sys.exit(run(_serve(environment())))


@main.command()
@click.option("--offline", is_flag=True, help="Call nobody; only look.")
def check(offline: bool) -> None:
    """Say what is set up, what is missing and what is wrong."""
    sys.exit(run(_check(environment(), offline)))


SINCE = click.option(
    "--since",
    default=report.MONTH,
    show_default=True,
    help="From a day (2026-11-01, UTC) or so long ago (7d, 12h) on.",
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice([printing.TABLE, printing.CSV, printing.JSON]),
    default=printing.TABLE,
    show_default=True,
)


@main.command()
@click.option(
    "--by", type=click.Choice(list(report.KEYS)), help="Add up by this alone."
)
@SINCE
@FORMAT
def usage(by: str | None, since: str, form: str) -> None:
    """Print tokens and cost by day, channel and person."""
    sys.exit(run(_usage(environment(), by, since, form)))


@main.command()
@click.option("--in", "within", default="", help="Only there, such as slack:T1:C5.")
@click.option("--most", default=100, show_default=True, help="How many entries.")
@click.option("--refused", is_flag=True, help="Who was refused what, instead.")
@SINCE
@FORMAT
def audit(within: str, most: int, refused: bool, since: str, form: str) -> None:
    """Print who changed which setting, and when."""
    sys.exit(run(_audit(environment(), within, most, refused, since, form)))


@main.command()
@click.option("--texts", is_flag=True, help="With what was asked and answered.")
@SINCE
@FORMAT
def feedback(texts: bool, since: str, form: str) -> None:
    """Print how good readers found answers."""
    sys.exit(run(_feedback(environment(), texts, since, form)))


async def _serve(env: Mapping[str, str]) -> int:
    settings = Settings.from_env(env)
    names = _set_up(env)
    # Under a conversation in the terminal, log lines would be in the way.
    logs.set_up(settings.log_level or ("info" if names else "error"))
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.database))
        model = await stack.enter_async_context(_model(settings))
        adapters = await _connect(stack, env, names)
        app = App(
            store=store,
            model=model,
            adapters=adapters,
            operator=settings.operator if names else settings.operator.alone,
            grace=settings.grace,
            at_once=settings.answers_at_once,
            survey=_survey(settings),
            retention=settings.retention,
        )
        await app.run(_told_to_stop())
    return 0


def _set_up(env: Mapping[str, str]) -> list[str]:
    """The platforms that are set up."""
    return [n for n in PLATFORMS if _load(f"adapters.{n}.config").configured(env)]


async def _connect(
    stack: contextlib.AsyncExitStack, env: Mapping[str, str], names: Sequence[str]
) -> list[Adapter]:
    """Adapters for the platforms `names`, signed in; the terminal's without any.

    A platform that turns us away is named and left out, unless it is the last.
    """
    if not names:
        return [await stack.enter_async_context(_load(TERMINAL).connect(env))]
    adapters, refusals = [], []
    for name in names:
        connection = _load(f"adapters.{name}.adapter").connect(env)
        try:
            adapters.append(await stack.enter_async_context(connection))
        except ConfigError as error:
            refusals.append(error)
    if not adapters:
        raise ExceptionGroup("no platform accepts us", refusals)
    for refusal in refusals:
        log.error("app.turned_away %s", refusal)
    return adapters


async def _check(env: Mapping[str, str], offline: bool) -> int:
    found: list[Finding] = []
    try:
        settings = Settings.from_env(env)
    except ConfigError as error:
        found.append(Finding("Settings", Grade.BAD, str(error)))
    else:
        found.append(await _check_database(settings))
        found += exposures(settings.database)
        found += await _load("bot.checks").claude(settings, offline=offline)
        if settings.api_key and _set_up(env):
            budgets = settings.database, settings.totals, time.time()
            found += report.total_budgets(await read_balances(*budgets))
    for name in PLATFORMS:
        check = _load(f"adapters.{name}.check").check
        found += await check(env, offline=offline)
    console().print(report.findings(found))
    return 1 if any(each.grade is Grade.BAD for each in found) else 0


async def _check_database(settings: Settings) -> Finding:
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


async def _usage(env: Mapping[str, str], by: str | None, since: str, form: str) -> int:
    begin = report.since(since, time.time())
    settings = Settings.from_env(env)
    rows = await read_spending(settings.database, begin)
    keys = [by] if by else ["day", "channel", "person"]
    if form != printing.TABLE:
        printing.rows(report.spending_rows(rows, keys[0]), form)
        return 0
    out = console()
    if not rows:
        out.print(f"Nothing was asked since {_moment(begin)}.")
    for key in keys if rows else []:
        out.print(report.spending(rows, key, plain=plain(out)), "")
    budgets = settings.database, settings.totals, time.time()
    for cap, balance in await read_balances(*budgets):
        out.print(report.total(cap, balance))
    return 0


async def _audit(
    env: Mapping[str, str],
    within: str,
    most: int,
    refused: bool,
    since: str,
    form: str,
) -> int:
    begin = report.since(since, time.time())
    parts = within.split(":", 3) if within else []
    async with open_rulebook(Settings.from_env(env).database) as rulebook:
        refusals = await rulebook.refusals(Place(*parts), begin, most)
        entries = await rulebook.audit(Place(*parts), begin, most)
    if refused:
        rows, table = report.refusal_rows(refusals), report.refusals(refusals)
        nothing = f"Nobody was refused anything since {_moment(begin)}."
        printing.either(rows, table, nothing, form=form, console=console())
        return 0
    nothing = f"Nothing was changed since {_moment(begin)}."
    printing.either(
        report.audit_rows(entries),
        report.audit(entries),
        nothing,
        form=form,
        console=console(),
    )
    return 0


async def _feedback(env: Mapping[str, str], texts: bool, since: str, form: str) -> int:
    begin = report.since(since, time.time())
    found = await read_opinions(Settings.from_env(env).database, begin)
    if texts and form == printing.TABLE:
        raise ConfigError("--texts needs --format csv or json.")
    rows = report.opinion_rows(found, texts=texts)
    nothing = f"Nobody said how good an answer was since {_moment(begin)}."
    printing.either(rows, report.opinions(found), nothing, form=form, console=console())
    return 0


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


@contextlib.asynccontextmanager
async def _model(settings: Settings) -> AsyncIterator[Model]:
    if settings.api_key is None:
        yield RehearsalModel()
        return
    connect = _load("bot.claude").connect
    async with connect(settings.api_key, settings.base_url) as model:
        yield model


def _survey(settings: Settings) -> Callable[[], Awaitable[Survey | None]] | None:
    """How to learn which models Claude's API has; None without a key."""
    key = settings.api_key
    if key is None:
        return None
    return lambda: _load("bot.checks").survey(key, settings.base_url)


def _told_to_stop() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def _load(module: str) -> Any:
    # By name, so that a deployment imports only the SDKs that it uses: they take
    # longer to import than all the rest takes to start.
    return importlib.import_module(module)


if __name__ == "__main__":
    main(prog_name="threadkeep")
