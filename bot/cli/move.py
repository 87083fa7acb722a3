"""`threadkeep move`."""

import sys
import time

import click

from bot.cli.environment import run
from bot.cli.platforms import load_module
from bot.errors import ConfigError
from bot.messages import command_help
from bot.messages import move as messages
from bot.runtime import terminal


@click.command(help=command_help.MOVE)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def move(source: str, target: str) -> None:
    sys.exit(run(_move(source, target)))


async def _move(source: str, target: str) -> int:
    try:
        mover = load_module("storage.postgres.move")
    except ModuleNotFoundError as error:
        raise ConfigError(messages.NO_EXTRA) from error
    begin = time.monotonic()
    rows = mover.move(source, target, _tell)
    seconds = max(1, round(time.monotonic() - begin))
    text = messages.moved(rows=rows, seconds=seconds)
    terminal.say(text, err=True)
    return 0


def _tell(table: str, rows: int) -> None:
    if rows:
        terminal.say(messages.table_moved(table=table, rows=rows), err=True)
