"""The log: one line per event, without tokens, without what people wrote, and without
what a terminal would obey."""

import contextlib
import logging
from typing import Any

from bot.errors import error_location
from bot.runtime import terminal
from bot.text.redaction import SECRETS

FORMAT = "%(asctime)s %(levelname)s %(message)s"

# At DEBUG these log whole messages and request bodies, so their level is fixed,
# whatever THREADKEEP_LOG says (Claude facts 1.2, platform facts A18).
LIBRARIES = {
    "aiohttp": logging.WARNING,
    "anthropic": logging.WARNING,
    "asyncio": logging.WARNING,
    # Its warnings about its own waits hold addresses with tokens.
    "discord": logging.ERROR,
    "httpx2": logging.WARNING,
    # It warns about intended behaviour and about every lost connection.
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
}


class Redacting(logging.Formatter):
    """A formatter that removes the secrets that a library may have logged."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        if record.exc_info and (error := record.exc_info[1]) is not None:
            # Libraries put the text of an error into their message; our own code does
            # not.
            record = logging.makeLogRecord(record.__dict__)
            record.msg = record.getMessage().replace(str(error) or "\0", "[error]")
            record.args = ()
        return terminal.one_line(SECRETS.sub("[secret]", super().format(record)))

    def formatException(self, ei: Any) -> str:
        """Return the place of the error instead of a traceback, which quotes
        messages."""
        return error_location(ei[1])


class _StandardError(logging.Handler):
    """Writes lines to what is standard error at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        # Python would print a record that cannot be written, and a traceback.
        with contextlib.suppress(Exception):
            terminal.say(self.format(record), err=True)


def set_up(level: str) -> None:
    """Log to standard error at `level` and above."""
    handler = _StandardError()
    handler.setFormatter(Redacting(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(root.level, least))
