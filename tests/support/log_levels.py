"""The levels of the log, which a program that runs in a test's process sets."""

import contextlib
import logging
from collections.abc import Iterator

from bot.runtime.logs import LIBRARIES


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Give the log the levels back that it had before the block."""
    loggers = [logging.getLogger(name) for name in (None, *LIBRARIES)]
    levels = [each.level for each in loggers]
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            # Each change goes through all loggers.
            if logger.level != level:
                logger.setLevel(level)
