"""`threadkeep serve`: connects the configured platforms and answers until stopped."""

import asyncio
import contextlib
import io
import logging
import os
import signal
import stat
import sys
import webbrowser
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click

from bot.cli import hosting
from bot.cli.engine import open_wakeups, require_shared
from bot.cli.environment import run
from bot.cli.model import ClaudeOnceLoaded, open_model
from bot.cli.platforms import (
    SLACK,
    WEB,
    check_platform,
    configured_platforms,
    load_module,
    local_platforms,
)
from bot.cli.sealing import open_sealer
from bot.cli.variables import unread
from bot.config import Config, load_environment
from bot.domain.finding import Grade
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import command_help
from bot.messages import web as web_messages
from bot.ports.host import Host
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.ports.wakeups import GATEWAY, SERVE, WORK
from bot.runtime import heap, logs, terminal
from bot.runtime.env_file import EnvFile
from bot.runtime.installed import threadkeep_version
from bot.runtime.open_files import allow_connections
from storage.damage import find_damage
from storage.opening import open_store

log = logging.getLogger(__name__)
# The platform if none is configured.
TERMINAL = "adapters.terminal.adapter"
ADAPTER = "adapters.{}.adapter"
# Loaded by name, since only commands that serve need the app and all its imports.
APP = "bot.app"


@click.command(help=command_help.SERVE)
@click.option("--lines", is_flag=True, help=messages.LINES_HELP)
@click.option("--shards", default="", help=messages.SHARDS_HELP)
def serve(lines: bool, shards: str) -> None:
    env, env_file = load_environment()
    if shards:
        env = {**env, "DISCORD_SHARDS": shards}
    names = configured_platforms(env)
    piped = sys.stdin is not None and not sys.stdin.isatty()
    if piped and not lines and not names:
        if _is_null(sys.stdin):
            raise ConfigError(messages.NOTHING_TO_SERVE)
        # Input from a pipe or a file is one question, as in `ask`.
        sys.exit(load_module("bot.cli.ask").answer(env, env_file))
    is_local = not names and not piped
    sys.exit(
        run(
            serve_until_stopped(
                env,
                env_file,
                local_platforms(env) if is_local else names,
                is_local=is_local,
            )
        )
    )


def _is_null(stream: TextIO) -> bool:
    """Return True if `stream`, which is no terminal, is /dev/null, as in a service or a
    container."""
    try:
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    except io.UnsupportedOperation:
        return False


@click.command(help=command_help.CHAT)
def chat() -> None:
    sys.exit(run(serve_until_stopped(*load_environment(), [], is_local=True)))


async def serve_until_stopped(
    env: Mapping[str, str],
    env_file: EnvFile,
    names: Sequence[str],
    *,
    is_local: bool = False,
    role: str = SERVE,
    queues: Sequence[int] = (),
) -> int:
    """Serve the platforms `names` until SIGTERM or Ctrl-C; return the exit status.

    Without `names`, serve the terminal. `is_local` means that the only user is at this
    machine. `role` is one of `bot.ports.wakeups`, and `queues` are the queues that the
    process serves; () for all. Raises a ConfigError that lists every problem of the
    configuration.
    """
    settings = await _configuration(env, env_file, names)
    require_shared(settings, role)
    # In the terminal, log lines would appear within the conversation.
    least = settings.log_level or ("info" if names and not is_local else "error")
    logs.set_up(least, settings.log_format)
    for level, notes in (
        (logging.WARNING, unread(env, env_file.lines, settings.mcp.variables)),
        (logging.ERROR, hosting.warnings(env, settings)),
    ):
        for note in notes:
            if names and not is_local:
                log.log(level, "app.configuration %s", note)
            else:
                terminal.complain(note)
    allow_connections()
    async with contextlib.AsyncExitStack() as stack:
        database = settings.database if isinstance(settings.database, Path) else None
        store = await stack.enter_async_context(
            open_store(settings.database, trusting=True)
        )
        place = {"THREADKEEP_DB": str(settings.beside)}
        wakeups = open_wakeups(settings, store, role, queues)
        model = await stack.enter_async_context(
            open_model(settings, answers=role != GATEWAY)
        )
        modules = {name: load_module(ADAPTER.format(name)) for name in names}
        # The import runs while the platforms connect.
        loading = asyncio.get_running_loop().run_in_executor(None, load_module, APP)
        adapters = await _connect(
            *(stack, {**env, **place}, modules, store, settings.keys),
            listens=role != WORK,
        )
        app = (await loading).App(
            store=store,
            model=model,
            adapters=adapters,
            operator=settings.operator.alone if is_local else settings.operator,
            grace=settings.grace,
            at_once=settings.answers_at_once,
            survey=model.survey if isinstance(model, ClaudeOnceLoaded) else None,
            retention=settings.retention,
            search=partial(find_damage, database) if database else None,
            database=database,
            heard_within=settings.heard_within,
            probes=settings.probes,
            gateways=store if store.shared else None,
            wakeups=wakeups,
        )
        _log_start(settings, adapters)
        if role != SERVE:
            await _monitor(stack, env, store, app.host)
        heap.keep()
        await app.run(_stop_signal())
    return 0


async def _configuration(
    env: Mapping[str, str], env_file: EnvFile, names: Sequence[str]
) -> Config:
    settings, problems = Config.read(env)
    problems = [*env_file.problems, *problems]
    if not problems:
        return settings
    # The start fails in any case, so report the problems of all platforms, too. Without
    # other problems, they would only disable a platform.
    for name in names:
        found = await check_platform(name, env, offline=True)
        problems += [each.text for each in found if each.grade is Grade.BAD]
    raise ConfigError(*problems)


async def _connect(
    stack: contextlib.AsyncExitStack,
    env: Mapping[str, str],
    modules: Mapping[str, Any],
    store: Store,
    keys: Sequence[bytes],
    *,
    listens: bool = True,
) -> list[Adapter]:
    """Return connected adapters of `modules`, by platform, or else the terminal's.

    Events arrive only if `listens`. A platform that rejects our credentials is logged
    and left out. Raises an ExceptionGroup if all of them do.
    """
    if not modules:
        return [await stack.enter_async_context(load_module(TERMINAL).connect(env))]
    adapters, refusals = [], []
    for name, module in modules.items():
        if name == WEB:
            # Its messages are stored here, as there is no other server.
            connection = module.connect(env, store, partial(_listening, env))
        elif name == SLACK:
            connection = _connect_slack(module, env, store, keys, listens)
        else:
            connection = module.connect(env, listens=listens)
        try:
            adapters.append(await stack.enter_async_context(connection))
        except ConfigError as error:
            refusals.append(error)
    if not adapters:
        raise ExceptionGroup("no platform accepts us", refusals)
    for refusal in refusals:
        log.error("app.turned_away %s", refusal)
    return adapters


async def _monitor(
    stack: contextlib.AsyncExitStack, env: Mapping[str, str], store: Store, host: Host
) -> None:
    """Serve health checks and metrics if the operator configured an address.

    An unusable address is logged and otherwise ignored, as by `serve`.
    """
    if not load_module(f"adapters.{WEB}.config").is_configured(env):
        return
    serving = load_module(f"adapters.{WEB}.server").monitoring(env, store, host)
    try:
        await stack.enter_async_context(serving)
    except ConfigError as error:
        log.error("app.turned_away platform=%s %s", WEB, error)


@contextlib.asynccontextmanager
async def _connect_slack(
    module: Any,
    env: Mapping[str, str],
    store: Store,
    keys: Sequence[bytes],
    listens: bool,
) -> AsyncIterator[Adapter]:
    """Connect to Slack, with stored installations if workspaces install the app.

    Raises ConfigError.
    """
    more: dict[str, Any] = {"listens": listens}
    if env.get("SLACK_CLIENT_ID"):
        more |= {"installations": store, "sealer": open_sealer(keys)}
    async with module.connect(env, **more) as adapter:
        yield adapter


def _listening(env: Mapping[str, str], address: str) -> None:
    """Print the address of the web server and open it in a browser.

    Do nothing unless somebody is at the terminal. Open no browser without a screen.
    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        return
    terminal.say(web_messages.listening(address=address))
    has_screen = sys.platform in ("darwin", "win32")
    if has_screen or env.get("DISPLAY") or env.get("WAYLAND_DISPLAY"):
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(address)


def _log_start(settings: Config, adapters: Sequence[Adapter]) -> None:
    log.info(
        "app.started version=%s database=%s platforms=%s model=%s admins=%s",
        threadkeep_version(),
        settings.database,
        ",".join(each.name for each in adapters),
        "offline" if settings.api_key is None else settings.model,
        ",".join(sorted(settings.operator.admins)) or "-",
    )


def _stop_signal() -> asyncio.Event:
    """Return an event that is set by SIGTERM and Ctrl-C."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
