"""What all commands share: the environment, mistakes, exit statuses."""

import asyncio
import io
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

import click

from bot.errors import ThreadkeepError, error_location, leaves
from bot.runtime import logs, terminal

# What Unix programs return for a mistake in how they were called or set up, and for an
# error of their own, which counts more where both happened.
MISTAKE = 2
BROKEN = 1
STATUSES = (MISTAKE, BROKEN)


class Commands(click.Group):
    """A group of commands at whose end there is a status and never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """See `click.Command`. Mistakes that click finds are told as ours are: they
        quote arguments, and so names of files."""
        # Python would print what libraries warn of as it is, and with tracebacks.
        logs.set_up("warning")
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.Abort:
            terminal.say("Aborted!", err=True)
            sys.exit(BROKEN)
        except Exception as error:
            sys.exit(_told(error))
        sys.exit(status)


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
        told = io.StringIO()
        error.show(told)
        terminal.put(told.getvalue(), err=True)
        return MISTAKE
    if isinstance(error, ThreadkeepError):
        terminal.complain(str(error))
        return MISTAKE
    text = (
        f"stopped by an error of its own at {error_location(error)}; please report "
        "this line."
    )
    terminal.complain(text)
    return BROKEN
