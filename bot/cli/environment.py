"""What all commands share: the environment, mistakes, the console."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import click
from rich.console import Console

from bot.config import read_environment
from bot.errors import ConfigError, ThreadkeepError, error_location, leaves

# What Unix programs return for a mistake in how they were called or set up, and for an
# error of their own, which counts more where both happened.
MISTAKE = 2
BROKEN = 1
STATUSES = (MISTAKE, BROKEN)

# How wide a table is in a file or a pipe, which have no width of their own.
WIDTH = 140


class _Mistake(click.ClickException):
    """A mistake of the operator, which costs one line."""

    exit_code = MISTAKE

    def show(self, file: Any = None) -> None:
        click.echo(f"threadkeep: {self.message}", err=True)


def environment() -> dict[str, str]:
    """Return the environment and what a .env file adds to it."""
    try:
        return read_environment()
    except ConfigError as error:
        raise _Mistake(str(error)) from None


def run(command: Coroutine[Any, Any, int]) -> int:
    """The exit status of `command`; a mistake of the operator costs one line, and so
    does an error that nobody foresaw: its own text may hold a token, or what people
    said."""
    # What it writes, SQLite's own files included, is for the owner alone.
    os.umask(0o077)
    try:
        return asyncio.run(command)
    except (click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        return max(map(_told, leaves(error)), key=STATUSES.index)


def _told(error: BaseException) -> int:
    """Say what `error` is in one line; return the exit status that it makes."""
    if isinstance(error, click.ClickException):
        error.show()
        return MISTAKE
    if isinstance(error, ThreadkeepError):
        click.echo(f"threadkeep: {error}", err=True)
        return MISTAKE
    text = (
        f"stopped by an error of its own at {error_location(error)}; please report "
        "this line."
    )
    click.echo(f"threadkeep: {text}", err=True)
    return BROKEN


def console(*, stderr: bool = False) -> Console:
    """Where tables are printed: as wide as the terminal, or wide enough for a file."""
    made = Console(stderr=stderr)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, width=WIDTH)


def plain(where: Console) -> bool:
    """Whether only ASCII can be shown there."""
    return not (where.encoding or "").lower().startswith("utf")
