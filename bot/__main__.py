"""The command line, and the one place where the parts are chosen.

Only this file names a store, loads an adapter and reads the environment.
"""

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any

import click
import dotenv
from rich.console import Console

from bot import logs, report
from bot.app import App
from bot.errors import ConfigError, InUse, ThreadkeepError, leaves
from bot.ports import Adapter, Model
from bot.rehearsal import RehearsalModel
from bot.responder import Asking
from bot.settings import Settings
from bot.values import Finding, Grade
from storage.sqlite import open_store, read_spending

log = logging.getLogger(__name__)

# Each is a package under adapters/ with the modules config, adapter and check.
PLATFORMS = ("slack", "discord")
# Where people talk when no platform is set up.
TERMINAL = "adapters.terminal"

# What Unix programs return for a mistake in how they were called or set up.
MISTAKE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="threadkeep")
def main() -> None:
    """Claude in your team's threads, remembered in SQLite."""


@main.command()
def serve() -> None:
    """Answer until stopped; in the terminal, if no platform is set up."""
    sys.exit(_run(_serve(_environment())))


@main.command()
@click.option("--offline", is_flag=True, help="Call nobody; only look.")
def check(offline: bool) -> None:
    """Say what is set up, what is missing and what is wrong."""
    sys.exit(_run(_check(_environment(), offline)))


@main.command()
@click.option("--days", default=30, show_default=True, help="How far back to look.")
def usage(days: int) -> None:
    """Print tokens and cost by day, channel and thread."""
    sys.exit(_run(_usage(_environment(), days)))


def _environment() -> dict[str, str]:
    """The environment, over what a .env file in this folder says."""
    written = {k: v for k, v in dotenv.dotenv_values(".env").items() if v is not None}
    return {**written, **os.environ}


def _run(command: Coroutine[Any, Any, int]) -> int:
    """The exit status of `command`; a mistake of the operator costs one line."""
    try:
        return asyncio.run(command)
    except* ThreadkeepError as errors:
        for error in leaves(errors):
            click.echo(f"threadkeep: {error}", err=True)
    return MISTAKE


async def _serve(env: Mapping[str, str]) -> int:
    settings = Settings.from_env(env)
    names = [
        name for name in PLATFORMS if _load(f"adapters.{name}.config").configured(env)
    ]
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
            asking=_asking(settings),
            grace=settings.grace,
        )
        await app.run(_told_to_stop())
    return 0


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
        found += await _load("bot.checks").claude(settings, offline=offline)
    for name in PLATFORMS:
        check = _load(f"adapters.{name}.check").check
        found += await check(env, offline=offline)
    Console().print(report.findings(found))
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


async def _usage(env: Mapping[str, str], days: int) -> int:
    settings = Settings.from_env(env)
    rows = await read_spending(settings.database, time.time() - days * 86400)
    console = Console()
    if not rows:
        console.print(f"No turns in the last {days} days.")
    for table in report.spending(rows) if rows else []:
        console.print(table, "")
    return 0


@contextlib.asynccontextmanager
async def _model(settings: Settings) -> AsyncIterator[Model]:
    if settings.api_key is None:
        yield RehearsalModel()
        return
    connect = _load("bot.claude").connect
    async with connect(settings.api_key, settings.base_url) as model:
        yield model


def _asking(settings: Settings) -> Asking:
    return Asking(
        model=settings.model,
        max_tokens=settings.max_tokens,
        instructions=settings.system_prompt,
        effort=settings.effort,
        secret=settings.api_key or "",
    )


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
