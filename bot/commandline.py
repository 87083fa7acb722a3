"""What all commands of the command line share: the environment, mistakes, the console.

Only this file reads the environment.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import click
import dotenv
from rich.console import Console

from bot.errors import ThreadkeepError, leaves
from bot.trace import where

# What Unix programs return for a mistake in how they were called or set up, and for a
# fault of their own.
MISTAKE = 2
UNFORESEEN = 1
UNFORESEEN_TEXT = "This is a fault of Threadkeep's. Please report this line:"

# How wide a table is in a file or a pipe, which have no width of their own.
WIDTH = 140


def environment() -> dict[str, str]:
    """The environment, over what a .env file in this folder says."""
    written = {k: v for k, v in dotenv.dotenv_values(".env").items() if v is not None}
    return {**written, **os.environ}


def run(command: Coroutine[Any, Any, int]) -> int:
    """The exit status of `command`; a mistake of the operator costs one line, and so
    does an error that nobody foresaw: a traceback could quote what people wrote."""
    try:
        return asyncio.run(command)
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        status = MISTAKE
        for each in leaves(error):
            if isinstance(each, ThreadkeepError):
                click.echo(f"threadkeep: {each}", err=True)
            else:
                status = UNFORESEEN
                click.echo(f"threadkeep: {UNFORESEEN_TEXT} {where(each)}", err=True)
    return status


def console(*, stderr: bool = False) -> Console:
    """Where tables are printed: as wide as the terminal, or wide enough for a file."""
    made = Console(stderr=stderr)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, width=WIDTH)


def plain(where: Console) -> bool:
    """Whether only ASCII can be shown there."""
    return not (where.encoding or "").lower().startswith("utf")
