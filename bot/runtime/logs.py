"""The log: one line per event, as text or as a JSON object.

Rule: no line contains tokens, people's words or terminal control sequences.

Not python-json-logger: it writes every attribute that a library adds to a record, and
it cannot see our fields, which are in the text of a message.
"""

import contextlib
import logging
import math
import re
from datetime import UTC, datetime
from typing import Any

from bot.errors import error_location
from bot.runtime import terminal
from bot.runtime.lru import LruDict
from bot.text.redaction import SECRETS

FORMAT = "%(asctime)s %(levelname)s %(message)s"

#: The formats of log lines.
TEXT, JSON = FORMATS = ("text", "json")

# An argument in a message, with its name: "seconds=%.2f".
_ARGUMENT = re.compile(
    r"(?:(?<![\w.])([a-z_]++)=)?%[-+ #0]*+\d*+(?:\.\d++)?+([a-zA-Z%])"
)
_RENAMED = {"message": "message_id"}
# Our events: "turn.done".
_EVENT = re.compile(r"\A[a-z_]++(?:\.[a-z_]++)++(?![^ ])")

# At DEBUG, these libraries log whole messages and request bodies, so they have a
# minimum level whatever THREADKEEP_LOG says (Claude facts 1.2, platform facts A18).
LIBRARIES = {
    "aiohttp": logging.WARNING,
    "anthropic": logging.WARNING,
    "asyncio": logging.WARNING,
    # Its warnings about rate limits contain URLs with tokens.
    "discord": logging.ERROR,
    "httpx2": logging.WARNING,
    # It warns about each failed attempt to send spans.
    "opentelemetry": logging.ERROR,
    # These two log the content of files.
    "PIL": logging.CRITICAL,
    "pypdf": logging.CRITICAL,
    # It warns about intended behaviour and about every lost connection.
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
}


# The logger of aiohttp's servers, and the errors that invalid requests cause.
_SERVER = "aiohttp.server"
_NO_REQUEST = frozenset(("HttpProcessingError", "RequestPayloadError"))
# The most kinds of such errors that are remembered, and the seconds for which a kind is
# not logged again.
_MOST_KINDS, _REPEAT = 32, 3600.0


class Redacting(logging.Formatter):
    """A formatter that removes secrets that a library may have logged."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        return _clean(super().format(_without_error(record)))

    def formatException(self, ei: Any) -> str:
        """Return the location of the error. A traceback would quote messages."""
        return error_location(ei[1])


class JsonLines(Redacting):
    """A redacting formatter that writes JSON.

    Each object has the time (UTC), level, logger and message, and for our own messages
    the event and the named values.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        record = _without_error(record)
        message = record.getMessage()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": _clean(message),
        }
        if event := _EVENT.match(message):
            line["event"] = event[0]
        if record.exc_info:
            line["where"] = _clean(self.formatException(record.exc_info))
        return terminal.as_json({**_named_arguments(record), **line}).rstrip("\n")


def _without_error(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` without the text of its error.

    Libraries put that text into their messages; our own code does not.
    """
    if not record.exc_info or (error := record.exc_info[1]) is None:
        return record
    plain = logging.makeLogRecord(record.__dict__)
    # Redact tokens first. The text of an error may be the beginning of a token, and
    # replacing it would make the token unrecognisable.
    message, text = _redact(record.getMessage()), _redact(str(error))
    plain.msg = message.replace(text or "\0", "[error]")
    plain.args = ()
    return plain


def _clean(text: str) -> str:
    return terminal.one_line(_redact(text))


def _redact(text: str) -> str:
    return SECRETS.sub("[secret]", text)


def _named_arguments(record: logging.LogRecord) -> dict[str, object]:
    """Return the named arguments of `record`: numbers unchanged, others as text."""
    args = record.args if isinstance(record.args, tuple) else ()
    # "%%" takes no argument.
    found = [each for each in _ARGUMENT.finditer(str(record.msg)) if each[2] != "%"]
    named = {
        each[1]: _value(arg) for each, arg in zip(found, args, strict=False) if each[1]
    }
    # The name "message" is taken by the text of the line.
    return {_RENAMED.get(name, name): value for name, value in named.items()}


def _value(arg: object) -> object:
    if arg is None or isinstance(arg, int):
        return arg
    if isinstance(arg, float) and math.isfinite(arg):
        return round(arg, 6)
    return _clean(str(arg))


class InvalidRequestFilter(logging.Filter):
    """Logs aiohttp's errors about invalid requests as warnings, once an hour per kind.

    Anybody can cause these errors, and a port that is open to the internet gets
    thousands of invalid requests a day.
    """

    def __init__(self) -> None:
        super().__init__()
        #: The time of the last logged record of each kind, by the name of its error.
        self._passed: LruDict[str, float] = LruDict(_MOST_KINDS)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log `record`."""
        kind = type(record.exc_info[1]) if record.exc_info else None
        # Compare names, since only adapters may import aiohttp.
        if kind is None or _NO_REQUEST.isdisjoint(each.__name__ for each in kind.mro()):
            return True
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        last = self._passed.get(kind.__name__, -math.inf)
        if record.created - last < _REPEAT:
            return False
        self._passed[kind.__name__] = record.created
        return True


class _StandardError(logging.Handler):
    """Writes lines to the current standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        # On an error, `logging` would print the record and a traceback.
        with contextlib.suppress(Exception):
            terminal.say(self.format(record), err=True)


def set_up(level: str, form: str = TEXT) -> None:
    """Log to standard error at `level` and above, in the format `form`."""
    handler = _StandardError()
    handler.setFormatter(JsonLines() if form == JSON else Redacting(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _set_level(root, logging.getLevelNamesMapping()[level.upper()])
    for name, least in LIBRARIES.items():
        _set_level(logging.getLogger(name), max(root.level, least))
    logging.getLogger(_SERVER).filters[:] = [InvalidRequestFilter()]


def _set_level(logger: logging.Logger, level: int) -> None:
    """Set the level of `logger` if it differs.

    At each change, Python goes through all loggers, which took a seventh of the startup
    time.
    """
    if logger.level != level:
        logger.setLevel(level)
