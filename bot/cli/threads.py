"""`threadkeep threads` and `threadkeep thread`: list, search, show, export, delete."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from bot.cli.environment import run
from bot.cli.options import MOST, WITHIN
from bot.config import Config, read_environment
from bot.domain.reports import Reader, Transcript
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import OPERATOR
from bot.errors import ConfigError, Denied
from bot.messages import cli, command_help
from bot.messages import reports as messages
from bot.reports.plain import plain
from bot.reports.threads import ThreadReports
from bot.runtime import private_files, terminal
from bot.ui import formatting
from storage.opening import open_shared_store
from storage.store import DatabaseStore

JSON = click.option("--json", "as_json", is_flag=True, help=cli.JSON_HELP)
# Platforms are not asked about access here, so every thread counts as private.
PRIVATE = click.option("--private", is_flag=True, help=messages.PRIVATE_HELP)


@click.command(help=command_help.THREADS)
@click.argument("words", nargs=-1)
@WITHIN
@click.option("--most", type=MOST, default=50, show_default=True, help=cli.MOST_HELP)
@PRIVATE
@JSON
def threads(
    words: tuple[str, ...], within: Scope, most: int, private: bool, as_json: bool
) -> None:
    wanted = " ".join(words)
    sys.exit(
        run(print_threads(read_environment(), wanted, within, most, private, as_json))
    )


@click.group(help=command_help.THREAD)
def thread() -> None:
    """Group the commands for one thread."""


@thread.command("show", help=command_help.THREAD_SHOW)
@click.argument("key", metavar="THREAD")
@PRIVATE
@JSON
def show_thread(key: str, private: bool, as_json: bool) -> None:
    sys.exit(run(print_thread(read_environment(), key, private, as_json)))


@thread.command("export", help=command_help.THREAD_EXPORT)
@click.argument("key", metavar="THREAD")
@click.argument("file")
@click.option("--force", is_flag=True, help=cli.FORCE_HELP)
@PRIVATE
def export_thread(key: str, file: str, force: bool, private: bool) -> None:
    sys.exit(run(write_thread(read_environment(), key, file, force, private)))


@thread.command("delete", help=command_help.THREAD_DELETE)
@click.argument("key", metavar="THREAD")
@PRIVATE
def delete_thread(key: str, private: bool) -> None:
    sys.exit(run(forget_thread(read_environment(), key, private)))


async def print_threads(
    env: Mapping[str, str],
    wanted: str,
    within: Scope,
    most: int,
    private: bool,
    as_json: bool,
) -> int:
    """Print the newest threads; if `wanted` has words, those that contain them all."""
    async with open_shared_store(Config.from_env(env).database) as store:
        found = await _reports(store).threads(_reader(private), within, wanted, most)
    if as_json:
        terminal.write(terminal.as_json(plain(found), indent=2))
        return 0
    if not found:
        terminal.say(messages.NO_THREADS)
        return 0
    table = Table(box=None, pad_edge=False)
    for column in (cli.WHEN, cli.WHERE, messages.THREAD, messages.TURNS, cli.USD, ""):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(
            formatting.timestamp(each.last),
            Text(each.name),
            Text(str(each.thread)),
            f"{each.turns:,}",
            f"{each.cost:.4f}",
            Text(terminal.one_line(each.title)),
        )
    terminal.console().print(table)
    return 0


async def print_thread(
    env: Mapping[str, str], key: str, private: bool, as_json: bool
) -> int:
    """Print the stored messages of a thread."""
    found = await _transcript(env, key, private=private)
    if as_json:
        terminal.write(terminal.as_json(plain(found), indent=2))
        return 0
    for line in found.lines:
        author = line.name or line.author or messages.BOT
        terminal.say(f"{terminal.one_line(author)}:")
        terminal.say(f"{line.text.rstrip()}\n")
    return 0


async def write_thread(
    env: Mapping[str, str], key: str, file: str, force: bool, private: bool
) -> int:
    """Write a thread to a file that only its owner can read."""
    found = await _transcript(env, key, private=private, export=True)
    try:
        with private_files.open_private(Path(file), replace=force) as out:
            terminal.through(out).write(terminal.as_json(plain(found), indent=2))
    except FileExistsError:
        raise ConfigError(cli.file_exists(file=file)) from None
    except OSError as error:
        raise ConfigError(
            cli.file_unwritable(file=file, reason=error.strerror)
        ) from None
    terminal.say(messages.exported(count=len(found.lines), file=file), err=True)
    return 0


async def forget_thread(env: Mapping[str, str], key: str, private: bool) -> int:
    """Delete the stored data of a thread. The bot may be running."""
    async with open_shared_store(Config.from_env(env).database) as store:
        try:
            deleted = await _reports(store).delete(_reader(private), _key(key))
        except Denied as error:
            raise ConfigError(error.user_text) from None
    if not deleted:
        raise ConfigError(messages.NO_THREAD)
    terminal.say(messages.THREAD_DELETED, err=True)
    return 0


async def _transcript(
    env: Mapping[str, str], key: str, *, private: bool, export: bool = False
) -> Transcript:
    async with open_shared_store(Config.from_env(env).database) as store:
        try:
            found = await _reports(store).transcript(
                _reader(private), _key(key), export=export
            )
        except Denied as error:
            raise ConfigError(error.user_text) from None
    if found is None:
        raise ConfigError(messages.NO_THREAD)
    return found


def _reports(store: DatabaseStore) -> ThreadReports:
    return ThreadReports(store, store, store, store, {})


def _reader(private: bool) -> Reader:
    return Reader(OPERATOR, reads_private=private)


def _key(text: str) -> ThreadKey:
    parts = text.split(":", 3)
    if len(parts) < 4:
        raise ConfigError(messages.NOT_A_THREAD)
    return ThreadKey(*parts)
