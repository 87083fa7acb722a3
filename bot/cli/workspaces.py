"""`threadkeep workspaces`: lists workspaces that installed the app, and removes one."""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

from bot.cli import output
from bot.cli.environment import run
from bot.cli.platforms import SLACK, load_module
from bot.cli.sealing import open_sealer
from bot.config import Config, read_environment
from bot.domain.installation import Ending, Installation
from bot.errors import ConfigError, DeliveryError
from bot.messages import cli, command_help
from bot.messages import installations as messages
from bot.runtime import terminal
from bot.ui import formatting
from storage.beside import read_installations
from storage.opening import open_shared_store


@click.group(help=command_help.WORKSPACES)
def workspaces() -> None:
    """Group the commands for workspaces."""


@workspaces.command("list", help=command_help.WORKSPACES_LIST)
@click.option("--json", "as_json", is_flag=True, help=cli.JSON_HELP)
def list_workspaces(as_json: bool) -> None:
    sys.exit(run(_list(read_environment(), as_json)))


@workspaces.command("remove", help=command_help.WORKSPACES_REMOVE)
@click.argument("which")
def remove_workspace(which: str) -> None:
    sys.exit(run(_remove(read_environment(), which)))


async def _list(env: Mapping[str, str], as_json: bool) -> int:
    config = Config.from_env(env)
    found = await read_installations(config.database, SLACK)
    found.sort(key=lambda each: each.installed_at)
    purged = config.retention.uninstalled
    table = Table(box=None, pad_edge=False)
    for column in (
        *(messages.ID, messages.NAME, messages.STATE, messages.INSTALLED),
        *(messages.BY, messages.ENDED, messages.DELETED),
    ):
        table.add_column(column, overflow="fold")
    for each in found:
        ended = each.ended_at
        table.add_row(
            *(str(each.place), terminal.one_line(each.name), _state(each)),
            *(formatting.timestamp(each.installed_at), each.installed_by),
            "" if ended is None else formatting.timestamp(ended),
            "" if ended is None else formatting.timestamp(ended + purged),
        )
    output.either(
        [_values(each) for each in found],
        table,
        messages.NO_WORKSPACES,
        form=output.JSON if as_json else output.TABLE,
    )
    return 0


async def _remove(env: Mapping[str, str], which: str) -> int:
    config = Config.from_env(env)
    async with open_shared_store(config.database) as store:
        found = await store.installations(SLACK)
        here = next((each for each in found if str(each.place) == which), None)
        if here is None or here.ended_at is not None:
            place = terminal.one_line(which)
            raise ConfigError(messages.nothing_to_remove(place=place))
        await store.end_installation(here.place, Ending.REMOVED, time.time())
    name = f"{terminal.one_line(here.name)} ({here.place})"
    terminal.say(messages.removed(place=name))
    try:
        token = open_sealer(config.keys).open(here.tokens.access, here.place)
        await load_module("adapters.slack.removing").give_back(env, token)
    except (ConfigError, DeliveryError):
        # The installation has ended here in any case.
        terminal.complain(messages.STILL_LISTED)
    return 0


def _state(each: Installation) -> str:
    return messages.INSTALLED_NOW if each.ending is None else each.ending.value


def _values(each: Installation) -> dict[str, Any]:
    return {
        "id": str(each.place),
        "organisation": each.place.organisation,
        "name": each.name,
        "state": _state(each),
        "scopes": sorted(each.scopes),
        "installed_by": each.installed_by,
        **{
            name: None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
            for name, at in (
                ("installed", each.installed_at),
                ("ended", each.ended_at),
            )
        },
    }
