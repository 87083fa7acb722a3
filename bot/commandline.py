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

# What Unix programs return for a mistake in how they were called or set up.
MISTAKE = 2

# How wide a table is in a file or a pipe, which have no width of their own.
WIDTH = 140


def environment() -> dict[str, str]:
    """The environment, over what a .env file in this folder says."""
    written = {k: v for k, v in dotenv.dotenv_values(".env").items() if v is not None}
    return {**written, **os.environ}


def run(command: Coroutine[Any, Any, int]) -> int:
    """The exit status of `command`; a mistake of the operator costs one line."""
    try:
        return asyncio.run(command)
    except* ThreadkeepError as errors:
        for error in leaves(errors):
            click.echo(f"threadkeep: {error}", err=True)
    return MISTAKE


def console(*, stderr: bool = False) -> Console:
    """Where tables are printed: as wide as the terminal, or wide enough for a file."""
    made = Console(stderr=stderr)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, width=WIDTH)


def plain(where: Console) -> bool:
    """Whether only ASCII can be shown there."""
    return not (where.encoding or "").lower().startswith("utf")
