"""Reads text files that an operator names."""

import sys
from pathlib import Path

from bot.errors import ConfigError
from bot.messages import config as messages
from bot.text.characters import replace_lone_surrogates


def read_text(file: str) -> str:
    """Return the text of `file`, or of standard input for "-". Raises ConfigError."""
    try:
        found = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = found.decode("utf-8-sig", "surrogatepass")
    except OSError as error:
        raise ConfigError(
            messages.file_unreadable(file=file, reason=error.strerror)
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(messages.file_not_utf8(file=file)) from None
    return replace_lone_surrogates(text)
