"""`threadkeep backup`."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from bot.cli.environment import run
from bot.config import Config, read_environment
from bot.messages import cli as messages
from bot.messages import command_help
from bot.runtime import terminal
from storage.backup import back_up


@click.command(help=command_help.BACKUP)
@click.argument("file")
def backup(file: str) -> None:
    sys.exit(run(_backup(read_environment(), file)))


async def _backup(env: Mapping[str, str], file: str) -> int:
    size = back_up(Config.from_env(env).database, Path(file))
    terminal.say(messages.bytes_written(size=size, file=file), err=True)
    return 0
