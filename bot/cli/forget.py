"""`threadkeep forget`."""

import sys
from collections.abc import Mapping

import click

from bot.cli.environment import run
from bot.config import Config, read_environment
from bot.domain.scope import Scope
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import command_help
from bot.runtime import terminal
from storage.opening import forget_person


@click.command(help=command_help.FORGET)
@click.argument("person")
def forget(person: str) -> None:
    sys.exit(run(_forget(read_environment(), person)))


async def _forget(env: Mapping[str, str], address: str) -> int:
    platform, workspace, person = [*address.split(":"), "", ""][:3]
    if address.count(":") != 2 or not (platform and workspace and person):
        raise ConfigError(messages.NO_PERSON)
    database = Config.from_env(env).database
    count = await forget_person(database, Scope(platform, workspace), person)
    terminal.say(messages.forgotten(count=count))
    return 0
