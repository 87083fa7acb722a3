"""Error handling and exit statuses for all commands."""

import asyncio
import errno
import io
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

import click

from bot.errors import ConfigError, ThreadkeepError, error_location, leaves
from bot.messages import cli as messages
from bot.runtime import logs, terminal

# Exit statuses by Unix convention: for a mistake in the call or the configuration, and
# for an internal error, which takes precedence.
MISTAKE = 2
BROKEN = 1
STATUSES = (MISTAKE, BROKEN)

# Errors of a disk or a file system. Output may be redirected to a file on it.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class Commands(click.Group):
    """A group of commands that ends with an exit status, never with a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command.

        Print click's errors like ours, filtered, because they quote arguments such as
        file names.
        """
        # Without a handler, Python prints the warnings of libraries unfiltered.
        logs.set_up("warning")
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.Abort:
            terminal.say(messages.ABORTED, err=True)
            sys.exit(BROKEN)
        except Exception as error:
            sys.exit(_print_problems(error))
        sys.exit(status)


def run(command: Coroutine[Any, Any, int]) -> int:
    """Run `command` and return its exit status.

    A mistake of the operator prints one line. So does an internal error, without its
    text, which may contain a token or a message.
    """
    # All files that the command writes, SQLite's included, are readable by the owner
    # only.
    os.umask(0o077)
    try:
        return asyncio.run(command)
    except (click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        # The reader of the output has closed the pipe, like `head`.
        terminal.discard()
        return 0
    except Exception as error:
        return max(map(_print_problems, leaves(error)), key=STATUSES.index)


def _print_problems(error: BaseException) -> int:
    """Print `error` on one line for each problem; return the exit status."""
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        terminal.put(shown.getvalue(), err=True)
        return MISTAKE
    if isinstance(error, ConfigError):
        for problem in error.problems:
            terminal.complain(problem)
        return MISTAKE
    if isinstance(error, ThreadkeepError):
        terminal.complain(str(error))
        return MISTAKE
    if isinstance(error, OSError) and error.errno in _DISK:
        terminal.complain(messages.not_written(reason=error.strerror))
        return MISTAKE
    text = messages.internal_error(where=error_location(error))
    terminal.complain(text)
    return BROKEN
