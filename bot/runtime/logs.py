"""Sets up the log: one line an event, never a token, never what people said."""

import logging
import sys
from typing import Any

from bot.errors import error_location
from bot.text.redaction import SECRETS

FORMAT = "%(asctime)s %(levelname)s %(message)s"

# At DEBUG these write whole messages and request bodies, so they do not get
# there, whatever THREADKEEP_LOG says (Claude facts 1.2, platform facts A18).
LIBRARIES = {
    "aiohttp": logging.WARNING,
    "anthropic": logging.WARNING,
    "asyncio": logging.WARNING,
    # It warns of what it waits out by itself, with addresses that hold tokens.
    "discord": logging.ERROR,
    "httpx2": logging.WARNING,
    # It warns of what we do on purpose, and of every lost connection.
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
}


class Redacting(logging.Formatter):
    """Writes a record without the secrets that a library may have put in."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        if record.exc_info and (error := record.exc_info[1]) is not None:
            # Libraries put the words of an error into their own; ours never do.
            record = logging.makeLogRecord(record.__dict__)
            record.msg = record.getMessage().replace(str(error) or "\0", "[error]")
            record.args = ()
        return SECRETS.sub("[secret]", super().format(record))

    def formatException(self, ei: Any) -> str:
        """Where it came from instead of a traceback, which quotes messages."""
        return error_location(ei[1])


def set_up(level: str) -> None:
    """Log at `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(root.level, least))
