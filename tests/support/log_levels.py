"""Restores log levels that a program sets when it runs in a test's process."""

import contextlib
import logging
from collections.abc import Iterator

from bot.runtime.logs import LIBRARIES


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Restore the log levels after the block."""
    loggers = [logging.getLogger(name) for name in (None, *LIBRARIES)]
    levels = [each.level for each in loggers]
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            # Only on a difference: each change goes through all loggers.
            if logger.level != level:
                logger.setLevel(level)
