"""`threadkeep settings`: list, history, export and import."""

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.environment import run
from bot.cli.options import MOST, WITHIN
from bot.config import Config, read_environment
from bot.domain.scope import EVERYWHERE, Scope
from bot.domain.setting import Setting
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import command_help, dates, reports
from bot.ports.settings import AccessStore
from bot.reports.changes import SettingReports
from bot.reports.plain import plain
from bot.runtime import private_files, terminal
from bot.runtime.text_files import read_text
from bot.settings import import_export
from bot.settings.options import BY_NAME
from bot.ui import time_range
from bot.ui.formatting import timestamp
from storage.opening import open_or_share, open_shared_store
from storage.reading import Where, is_new, look_at


@click.group(help=command_help.SETTINGS)
def settings() -> None:
    """Group the commands for settings."""


@settings.command("list", help=command_help.SETTINGS_LIST)
@WITHIN
@click.option("--json", "as_json", is_flag=True, help=messages.JSON_HELP)
def list_settings(within: Scope, as_json: bool) -> None:
    sys.exit(run(_list(read_environment(), within, as_json)))


@settings.command("history", help=command_help.SETTINGS_HISTORY)
@WITHIN
@click.option(
    "--since", default=time_range.MONTH, show_default=True, help=messages.SINCE_HELP
)
@click.option(
    "--most", type=MOST, default=100, show_default=True, help=messages.MOST_HELP
)
@click.option("--json", "as_json", is_flag=True, help=messages.JSON_HELP)
def show_history(within: Scope, since: str, most: int, as_json: bool) -> None:
    sys.exit(run(_history(read_environment(), within, since, most, as_json)))


@settings.command("export", help=command_help.SETTINGS_EXPORT)
@click.argument("file", default="-")
@click.option("--force", is_flag=True, help=messages.FORCE_HELP)
def export_settings(file: str, force: bool) -> None:
    sys.exit(run(_export(read_environment(), file, force)))


@settings.command("import", help=command_help.SETTINGS_IMPORT)
@click.argument("file")
@click.option("--dry-run", is_flag=True, help=messages.DRY_RUN_HELP)
@click.option("--remove", is_flag=True, help=messages.REMOVE_HELP)
@click.option("--running", is_flag=True, help=messages.RUNNING_HELP)
def import_settings(file: str, dry_run: bool, remove: bool, running: bool) -> None:
    sys.exit(run(_import(read_environment(), file, dry_run, remove, running)))


async def _list(env: Mapping[str, str], within: Scope, as_json: bool) -> int:
    async with open_shared_store(Config.from_env(env).database) as store:
        found = await SettingReports(store, store, store).settings(within)
    if as_json:
        terminal.write(terminal.as_json(plain(found), indent=2))
        return 0
    if not found:
        terminal.say(reports.NOTHING_SET)
    for each in found:
        where = each.place_name or str(each.place)
        value = terminal.one_line(each.value)
        terminal.say(reports.setting(where=where, name=each.name, value=value))
    return 0


async def _history(
    env: Mapping[str, str], within: Scope, since: str, most: int, as_json: bool
) -> int:
    begin = time_range.since(since, time.time())
    async with open_shared_store(Config.from_env(env).database) as store:
        found = await SettingReports(store, store, store).changes(within, begin, most)
    if as_json:
        terminal.write(terminal.as_json(plain(found), indent=2))
        return 0
    if not found:
        moment = dates.utc(time=timestamp(begin))
        terminal.say(messages.nothing_changed(since=moment))
    for each in found:
        where = each.place_name or str(each.place)
        who = each.who_name or each.who
        terminal.say(
            reports.change(
                when=timestamp(each.at),
                where=where,
                who=who,
                what=f"{each.action} {each.name}",
            )
        )
        if each.diff:
            terminal.say("\n".join(f"  {line}" for line in each.diff))
    return 0


async def _export(env: Mapping[str, str], file: str, force: bool) -> int:
    async with open_shared_store(Config.from_env(env).database) as store:
        found = await store.list_settings(EVERYWHERE)
        text = import_export.write(found, await _texts(store, found))
    if file == "-":
        terminal.write(text)
        return 0
    try:
        with private_files.open_private(Path(file), replace=force) as out:
            terminal.through(out).write(text)
    except FileExistsError:
        raise ConfigError(messages.file_exists(file=file)) from None
    except OSError as error:
        raise ConfigError(
            messages.file_unwritable(file=file, reason=error.strerror)
        ) from None
    terminal.say(messages.settings_written(count=len(found), file=file), err=True)
    return 0


async def _import(
    env: Mapping[str, str], file: str, dry_run: bool, remove: bool, running: bool
) -> int:
    today = datetime.now(UTC).date()
    imported = import_export.read(read_text(file), today)
    changes = imported.changes
    database = Config.from_env(env).database
    found, texts = await _set_in(database)
    if remove:
        changes += import_export.deletions(imported, found)
    if not (lines := import_export.difference(found, texts, changes)):
        terminal.say(messages.NOTHING_TO_CHANGE)
        return 0
    terminal.say("\n".join(lines))
    if dry_run:
        terminal.say(messages.DRY_RUN, err=True)
        return 0
    async with open_or_share(database) as store:
        made = await store.change_settings(
            changes,
            who="operator",
            now=time.time(),
            action="imported",
            running=running,
        )
    assert isinstance(made, list)
    terminal.say(messages.settings_changed(count=len(made)), err=True)
    return 0


async def _set_in(database: Where) -> tuple[list[Setting], dict[str, str]]:
    """Return the settings in `database` and the texts of the versioned ones.

    Both are empty if the database does not exist yet, as on a new machine. Creates
    nothing. Raises ConfigError if the database cannot be used.
    """
    if is_new(database):
        look_at(database)
        return [], {}
    async with open_shared_store(database) as store:
        found = await store.list_settings(EVERYWHERE)
        return found, await _texts(store, found)


async def _texts(store: AccessStore, found: Sequence[Setting]) -> dict[str, str]:
    """Return the texts of the versioned settings by version id."""
    versioned = {
        s.value for s in found if s.name in BY_NAME and BY_NAME[s.name].versioned
    }
    texts = {}
    for value in versioned:
        version = await store.version(int(value))
        texts[value] = version.text or "" if version else ""
    return texts
